#pragma once

#include "resolved/message.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace banger::test {

using resolved::Bytes;

constexpr std::uint16_t type_a = 1;
constexpr std::uint16_t type_ns = 2;
constexpr std::uint16_t type_soa = 6;
constexpr std::uint16_t type_ptr = 12;
constexpr std::uint16_t type_aaaa = 28;
constexpr std::uint16_t type_opt = 41;
constexpr std::uint16_t type_axfr = 252;
constexpr std::uint16_t type_any = 255;

constexpr int noerror = 0;
constexpr int formerr = 1;
constexpr int servfail = 2;
constexpr int nxdomain = 3;
constexpr int notimp = 4;
constexpr int refused = 5;
constexpr int badvers = 16;

struct Edns {
    std::uint16_t udp_bytes = 1232;
    std::uint8_t version = 0;
    bool dnssec_ok = false;
    Bytes options = {};
};

/// A query, written byte by byte: what is under test has no hand in it.
struct Ask {
    std::string name;
    std::uint16_t type = type_a;
    std::uint16_t klass = 1;
    std::uint16_t id = 0x1234;
    bool recursion_desired = true;
    std::optional<Edns> edns = std::nullopt;

    Bytes wire() const;
};

/// "sandbox.vm" as labels on the wire.
Bytes wire_name(const std::string &name);

struct Record {
    std::string name;
    std::uint16_t type = 0;
    std::uint32_t ttl = 0;
    std::string data; ///< A: "172.16.0.2"; PTR and NS: the name; SOA: "MNAME RNAME MINIMUM"
};

/// A message as the resolver of the C library reads it.
struct Message {
    std::uint16_t id = 0;
    bool is_response = false;
    bool authoritative = false;
    bool truncated = false;
    bool recursion_desired = false;
    bool recursion_available = false;
    int rcode = 0; ///< with the upper bits of EDNS
    std::string question;
    std::uint16_t question_type = 0;
    std::vector<Record> answers;
    std::vector<Record> authority;
    std::optional<Edns> edns;

    /// Fails the test if the bytes are not a whole message.
    static Message read(std::span<const std::uint8_t> wire);
};

/// What a resolver would answer to `query`: one A record per address.
Bytes reply_to(std::span<const std::uint8_t> query, int rcode,
               const std::vector<std::string> &addresses = {});

} // namespace banger::test
