#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

struct ldns_struct_pkt;
struct ldns_struct_rr;

namespace banger::resolved {

/// One DNS message on the wire, without TCP's length prefix.
using Bytes = std::vector<std::uint8_t>;

/// The labels of a name from left to right, in lower case, without the root. A label may hold any
/// byte, a dot too; so names are not compared as text.
using Labels = std::vector<std::string>;

/// The labels of a name that is written with dots and needs no escapes.
Labels split_name(std::string_view name);
/// Whether `name` is `suffix` or below it.
bool ends_with(const Labels &name, const Labels &suffix);

constexpr std::size_t header_bytes = 12;

struct PacketFree {
    void operator()(ldns_struct_pkt *packet) const noexcept;
};
using Packet = std::unique_ptr<ldns_struct_pkt, PacketFree>;

struct RecordFree {
    void operator()(ldns_struct_rr *record) const noexcept;
};
using Record = std::unique_ptr<ldns_struct_rr, RecordFree>;

/// A query of the one form that resolvers send: one question, and at most EDNS beside it.
struct Query {
    Packet packet;
    Labels name;
    std::uint16_t type = 0;
    std::uint16_t klass = 0;
    /// Of EDNS, if the query has it.
    std::optional<std::uint16_t> udp_bytes;
    std::uint8_t edns_version = 0;

    /// Nothing if the bytes are no such query.
    static std::optional<Query> parse(std::span<const std::uint8_t> wire);
};

/// The reply to `query` without any record: the same id and question (in the case it was asked in),
/// EDNS if it had it. `rcode` may be an extended one (RFC 6891 §6.1.3).
Packet make_reply(const Query &query, std::uint16_t rcode);

/// The reply that consists of a header alone, for what cannot be parsed; `wire` has a header.
Bytes make_bare_reply(std::span<const std::uint8_t> wire, std::uint8_t rcode);

Bytes to_wire(const Packet &packet);

} // namespace banger::resolved
