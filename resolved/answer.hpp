#pragma once

#include "resolved/message.hpp"
#include "resolved/zone.hpp"

#include <cstddef>
#include <cstdint>
#include <span>

namespace banger::resolved {

/// What to do with a query.
struct Answer {
    enum class Action {
        Reply,   ///< send `message`
        Forward, ///< ask the host's resolver `message`: the query, written anew
        Drop,    ///< say nothing: it is not a query, and an answer could start a loop
    };
    Action action = Action::Drop;
    Bytes message;
};

/// The longest query that is looked at, in bytes. None that a resolver makes comes near.
constexpr std::size_t max_query_bytes = 4096;
/// The UDP size that we offer in EDNS (DNS flag day 2020: fits any path unfragmented), in bytes.
constexpr std::uint16_t our_udp_bytes = 1232;
/// How long a resolver may remember an answer, also a negative one, in seconds: names come and go
/// with the VMs.
constexpr std::uint32_t ttl_seconds = 1;

/// The authoritative server as a function (RFC 1034, 2308, 6891, 8482). `query` is one message and
/// may be any bytes at all; never throws on account of them.
Answer answer(std::span<const std::uint8_t> query, const Zone &zone, Client client);

/// The reply that tells a guest that its forwarded query found no answer (SERVFAIL).
Bytes server_failure(std::span<const std::uint8_t> query);

/// `reply`, to be sent by UDP in answer to `query`: as it is if it fits into what the client takes,
/// else header and question with TC set, so that the client asks again by TCP.
Bytes fit_udp(Bytes reply, std::span<const std::uint8_t> query);

} // namespace banger::resolved
