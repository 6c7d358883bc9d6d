#pragma once

#include "resolved/zone.hpp"

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace banger::resolved {

using Bytes = std::vector<std::uint8_t>;

enum class Transport { Udp, Tcp };

/// What to do with a query.
struct Answer {
    enum class Action {
        Reply,   ///< send `reply`
        Forward, ///< ask the host's resolver, with the query as it came
        Drop,    ///< say nothing: not a query, and an answer could start a loop
    };
    Action action = Action::Drop;
    Bytes reply;
};

/// The longest query that is looked at, in bytes. None that a resolver makes comes near.
constexpr std::size_t max_query_bytes = 4096;
/// The largest UDP reply of ours, whatever the client offers (DNS flag day 2020), in bytes.
constexpr std::size_t max_udp_reply_bytes = 1232;
/// How long a resolver may remember an answer, also a negative one, in seconds: names come and go
/// with the VMs.
constexpr std::uint32_t ttl_seconds = 1;

/// The authoritative server as a function (RFC 1034, 2308, 6891, 8482). `query` is one DNS message
/// without TCP's length prefix and may be anything at all. Never throws on account of it.
Answer answer(std::span<const std::uint8_t> query, const Zone &zone, Client client,
              Transport transport);

/// The answer SERVFAIL or REFUSED … (an RCODE of RFC 1035 §4.1.1) to a query for which answer()
/// said Forward.
Bytes failure(std::span<const std::uint8_t> query, std::uint8_t rcode);

/// `reply`, to be sent by UDP in answer to `query`: as it is if it fits what the client takes, else
/// header and question with TC set, so that the client asks again by TCP.
Bytes fit_udp(Bytes reply, std::span<const std::uint8_t> query);

} // namespace banger::resolved
