#include "dns_message.hpp"

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <gtest/gtest.h>
#include <resolv.h>

#include <array>

namespace banger::test {

namespace {

void put16(Bytes &out, unsigned value) {
    out.push_back(static_cast<std::uint8_t>(value >> 8U));
    out.push_back(static_cast<std::uint8_t>(value & 0xffU));
}

std::string name_at(const ns_msg &message, const unsigned char *at, const unsigned char **next) {
    std::array<char, NS_MAXDNAME> text{};
    const int used =
        ns_name_uncompress(ns_msg_base(message), ns_msg_end(message), at, text.data(), text.size());
    EXPECT_GT(used, 0);
    if (next != nullptr) {
        *next = at + used;
    }
    return text.data();
}

std::string data_of(const ns_msg &message, const ns_rr &record) {
    const unsigned char *data = ns_rr_rdata(record);
    if (ns_rr_type(record) == type_a) {
        std::array<char, INET_ADDRSTRLEN> text{};
        EXPECT_EQ(ns_rr_rdlen(record), 4);
        return inet_ntop(AF_INET, data, text.data(), text.size());
    }
    if (ns_rr_type(record) == type_ptr || ns_rr_type(record) == type_ns) {
        return name_at(message, data, nullptr);
    }
    if (ns_rr_type(record) == type_soa) {
        const std::string mname = name_at(message, data, &data);
        const std::string rname = name_at(message, data, &data);
        return mname + " " + rname + " " + std::to_string(ns_get32(data + 16));
    }
    return {};
}

std::vector<Record> section(ns_msg &message, ns_sect which, Message &out) {
    std::vector<Record> records;
    for (int i = 0; i < ns_msg_count(message, which); ++i) {
        ns_rr record{};
        EXPECT_EQ(ns_parserr(&message, which, i, &record), 0);
        if (ns_rr_type(record) == type_opt) {
            const std::uint32_t ttl = ns_rr_ttl(record);
            const unsigned char *data = ns_rr_rdata(record);
            out.edns = Edns{static_cast<std::uint16_t>(ns_rr_class(record)),
                            static_cast<std::uint8_t>(ttl >> 16U & 0xffU), (ttl & 0x8000U) != 0,
                            Bytes{data, data + ns_rr_rdlen(record)}};
            out.rcode |= static_cast<int>(ttl >> 24U) << 4;
            continue;
        }
        records.push_back({ns_rr_name(record), static_cast<std::uint16_t>(ns_rr_type(record)),
                           ns_rr_ttl(record), data_of(message, record)});
    }
    return records;
}

} // namespace

Bytes wire_name(const std::string &name) {
    Bytes out;
    for (const auto &label : resolved::split_name(name)) {
        out.push_back(static_cast<std::uint8_t>(label.size()));
        out.insert(out.end(), label.begin(), label.end());
    }
    out.push_back(0);
    return out;
}

Bytes Ask::wire() const {
    Bytes out;
    put16(out, id);
    put16(out, recursion_desired ? 0x0100U : 0U);
    for (const unsigned count : {1U, 0U, 0U, edns ? 1U : 0U}) {
        put16(out, count);
    }
    const Bytes owner = wire_name(name);
    out.insert(out.end(), owner.begin(), owner.end());
    put16(out, type);
    put16(out, klass);
    if (edns) {
        out.push_back(0);
        put16(out, type_opt);
        put16(out, edns->udp_bytes);
        put16(out, edns->version);
        put16(out, edns->dnssec_ok ? 0x8000U : 0U);
        put16(out, static_cast<unsigned>(edns->options.size()));
        out.insert(out.end(), edns->options.begin(), edns->options.end());
    }
    return out;
}

Message Message::read(std::span<const std::uint8_t> wire) {
    Message out;
    ns_msg message{};
    if (ns_initparse(wire.data(), static_cast<int>(wire.size()), &message) != 0) {
        ADD_FAILURE() << "not a DNS message of " << wire.size() << " bytes";
        return out;
    }
    out.id = static_cast<std::uint16_t>(ns_msg_id(message));
    out.is_response = ns_msg_getflag(message, ns_f_qr) != 0;
    out.authoritative = ns_msg_getflag(message, ns_f_aa) != 0;
    out.truncated = ns_msg_getflag(message, ns_f_tc) != 0;
    out.recursion_desired = ns_msg_getflag(message, ns_f_rd) != 0;
    out.recursion_available = ns_msg_getflag(message, ns_f_ra) != 0;
    out.rcode = ns_msg_getflag(message, ns_f_rcode);
    if (ns_msg_count(message, ns_s_qd) == 1) {
        ns_rr question{};
        EXPECT_EQ(ns_parserr(&message, ns_s_qd, 0, &question), 0);
        out.question = ns_rr_name(question);
        out.question_type = static_cast<std::uint16_t>(ns_rr_type(question));
    }
    out.answers = section(message, ns_s_an, out);
    out.authority = section(message, ns_s_ns, out);
    EXPECT_TRUE(section(message, ns_s_ar, out).empty());
    return out;
}

Bytes reply_to(std::span<const std::uint8_t> query, int rcode,
               const std::vector<std::string> &addresses) {
    std::size_t end = resolved::header_bytes;
    while (query[end] != 0) {
        end += 1U + query[end];
    }
    end += 5;
    Bytes out{query.begin(), query.begin() + static_cast<std::ptrdiff_t>(end)};
    out[2] = 0x81;
    out[3] = static_cast<std::uint8_t>(0x80 | rcode);
    out[7] = static_cast<std::uint8_t>(addresses.size());
    out[6] = static_cast<std::uint8_t>(addresses.size() >> 8U);
    out[11] = 0;
    for (const auto &address : addresses) {
        put16(out, 0xc00c); // the question's name
        put16(out, type_a);
        put16(out, 1);
        put16(out, 0);
        put16(out, 60);
        put16(out, 4);
        in_addr binary{};
        EXPECT_EQ(inet_pton(AF_INET, address.c_str(), &binary), 1);
        const auto *bytes = reinterpret_cast<const std::uint8_t *>(&binary.s_addr);
        out.insert(out.end(), bytes, bytes + 4);
    }
    return out;
}

} // namespace banger::test
