#include "resolved/message.hpp"

#include "resolved/answer.hpp"

#include <ldns/ldns.h>

#include <algorithm>
#include <cstdlib>
#include <new>

namespace banger::resolved {

namespace {

char lower(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

Labels labels_of(const ldns_rdf *name) {
    Labels labels;
    const std::span<const std::uint8_t> wire{ldns_rdf_data(name), ldns_rdf_size(name)};
    std::size_t at = 0;
    while (at < wire.size() && wire[at] != 0) {
        const std::size_t length = wire[at];
        if (at + 1 + length > wire.size()) {
            break;
        }
        std::string label(length, '\0');
        std::transform(wire.begin() + static_cast<std::ptrdiff_t>(at + 1),
                       wire.begin() + static_cast<std::ptrdiff_t>(at + 1 + length), label.begin(),
                       [](std::uint8_t byte) { return lower(static_cast<char>(byte)); });
        labels.push_back(std::move(label));
        at += 1 + length;
    }
    return labels;
}

template <typename T>
T *not_null(T *pointer) {
    if (pointer == nullptr) {
        throw std::bad_alloc();
    }
    return pointer;
}

} // namespace

void PacketFree::operator()(ldns_struct_pkt *packet) const noexcept {
    ldns_pkt_free(packet);
}

void RecordFree::operator()(ldns_struct_rr *record) const noexcept {
    ldns_rr_free(record);
}

Labels split_name(std::string_view name) {
    Labels labels;
    while (!name.empty()) {
        const auto dot = name.find('.');
        labels.emplace_back(name.substr(0, dot));
        name = dot == std::string_view::npos ? std::string_view{} : name.substr(dot + 1);
    }
    return labels;
}

bool ends_with(const Labels &name, const Labels &suffix) {
    return name.size() >= suffix.size() &&
           std::equal(suffix.rbegin(), suffix.rend(), name.rbegin());
}

std::optional<Query> Query::parse(std::span<const std::uint8_t> wire) {
    ldns_pkt *raw = nullptr;
    if (wire.size() < header_bytes ||
        ldns_wire2pkt(&raw, wire.data(), wire.size()) != LDNS_STATUS_OK) {
        return std::nullopt;
    }
    Query query;
    query.packet.reset(raw);
    // ldns takes any number of OPT out of the additional section; what is left there is not EDNS.
    if (ldns_pkt_qdcount(raw) != 1 || ldns_pkt_ancount(raw) != 0 || ldns_pkt_nscount(raw) != 0 ||
        LDNS_ARCOUNT(wire.data()) > 1 || ldns_rr_list_rr_count(ldns_pkt_additional(raw)) != 0 ||
        ldns_pkt_tsig(raw) != nullptr) {
        return std::nullopt;
    }
    const ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(raw), 0);
    if (question == nullptr) {
        return std::nullopt;
    }
    query.name = labels_of(ldns_rr_owner(question));
    query.type = static_cast<std::uint16_t>(ldns_rr_get_type(question));
    query.klass = static_cast<std::uint16_t>(ldns_rr_get_class(question));
    if (ldns_pkt_edns(raw)) {
        query.udp_bytes = ldns_pkt_edns_udp_size(raw);
        query.edns_version = ldns_pkt_edns_version(raw);
    }
    return query;
}

Packet make_reply(const Query &query, std::uint16_t rcode) {
    const ldns_pkt *asked = query.packet.get();
    Packet packet{not_null(ldns_pkt_new())};
    ldns_pkt *reply = packet.get();
    ldns_pkt_set_id(reply, ldns_pkt_id(asked));
    ldns_pkt_set_qr(reply, true);
    ldns_pkt_set_opcode(reply, LDNS_PACKET_QUERY);
    ldns_pkt_set_rd(reply, ldns_pkt_rd(asked));
    ldns_pkt_set_cd(reply, ldns_pkt_cd(asked));
    ldns_pkt_set_rcode(reply, static_cast<std::uint8_t>(rcode & 0xfU));
    Record question{not_null(ldns_rr_clone(ldns_rr_list_rr(ldns_pkt_question(asked), 0)))};
    if (!ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION, question.get())) {
        throw std::bad_alloc();
    }
    question.release(); // NOLINT(bugprone-unused-return-value): the packet owns it now
    if (query.udp_bytes) {
        ldns_pkt_set_edns_udp_size(reply, our_udp_bytes);
        ldns_pkt_set_edns_extended_rcode(reply, static_cast<std::uint8_t>(rcode >> 4U));
        ldns_pkt_set_edns_do(reply, ldns_pkt_edns_do(asked)); // RFC 3225 §3: is copied
    }
    return packet;
}

Bytes make_bare_reply(std::span<const std::uint8_t> wire, std::uint8_t rcode) {
    Bytes reply(header_bytes);
    std::copy_n(wire.begin(), 4, reply.begin());
    constexpr std::uint8_t qr = 0x80;
    constexpr std::uint8_t opcode_and_rd = 0x79;
    reply[2] = static_cast<std::uint8_t>(qr | (reply[2] & opcode_and_rd));
    reply[3] = rcode;
    return reply;
}

Bytes to_wire(const Packet &packet) {
    std::uint8_t *raw = nullptr;
    std::size_t size = 0;
    if (ldns_pkt2wire(&raw, packet.get(), &size) != LDNS_STATUS_OK) {
        throw std::bad_alloc(); // the one way in which a packet of ours cannot be written
    }
    const std::unique_ptr<std::uint8_t, decltype(&std::free)> owner{raw, &std::free};
    return {raw, raw + size};
}

} // namespace banger::resolved
