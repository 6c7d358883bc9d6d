#include "resolved/answer.hpp"

#include "resolved/lookup.hpp"

#include <ldns/ldns.h>

#include <algorithm>
#include <initializer_list>
#include <new>
#include <string>
#include <tuple>
#include <utility>

namespace banger::resolved {

namespace {

constexpr std::uint16_t badvers = 16;
constexpr std::size_t plain_udp_bytes = 512; // RFC 1035 §2.3.4

struct RdataFree {
    void operator()(ldns_rdf *data) const noexcept { ldns_rdf_deep_free(data); }
};
using Rdata = std::unique_ptr<ldns_rdf, RdataFree>;

Rdata checked(ldns_rdf *data) {
    if (data == nullptr) {
        throw std::bad_alloc();
    }
    return Rdata{data};
}

Rdata name_data(const std::string &name) {
    return checked(ldns_dname_new_frm_str((name + ".").c_str()));
}

Rdata number_data(ldns_rdf_type type, std::uint32_t value) {
    return checked(ldns_native2rdf_int32(type, value));
}

template <typename... Data>
Record make_record(Rdata owner, ldns_rr_type type, Data... data) {
    Record record{ldns_rr_new()};
    if (!record) {
        throw std::bad_alloc();
    }
    ldns_rr_set_owner(record.get(), owner.release());
    ldns_rr_set_type(record.get(), type);
    ldns_rr_set_class(record.get(), LDNS_RR_CLASS_IN);
    ldns_rr_set_ttl(record.get(), ttl_seconds);
    const auto push = [&record](Rdata field) {
        if (!ldns_rr_push_rdf(record.get(), field.get())) {
            throw std::bad_alloc();
        }
        std::ignore = field.release();
    };
    (push(std::move(data)), ...);
    return record;
}

void push(const Packet &reply, ldns_pkt_section section, Record record) {
    if (!ldns_pkt_push_rr(reply.get(), section, record.get())) {
        throw std::bad_alloc();
    }
    std::ignore = record.release();
}

// MNAME and NS are the zone itself and RNAME is invalid, as RFC 6303 §3 has it for zones that are
// local to a site: no name server has a name here, and no VM's name is taken for one.
Record make_soa(const std::string &apex, std::uint32_t serial) {
    constexpr std::uint32_t refresh = 3600;
    constexpr std::uint32_t retry = 1200;
    constexpr std::uint32_t expire = 604'800;
    return make_record(
        name_data(apex), LDNS_RR_TYPE_SOA, name_data(apex), name_data("nobody.invalid"),
        number_data(LDNS_RDF_TYPE_INT32, serial), number_data(LDNS_RDF_TYPE_PERIOD, refresh),
        number_data(LDNS_RDF_TYPE_PERIOD, retry), number_data(LDNS_RDF_TYPE_PERIOD, expire),
        number_data(LDNS_RDF_TYPE_PERIOD, ttl_seconds));
}

// The name as it was asked, in its case (draft-vixie-dnsext-dns0x20).
Rdata asked_name(const Query &query) {
    return checked(
        ldns_rdf_clone(ldns_rr_owner(ldns_rr_list_rr(ldns_pkt_question(query.packet.get()), 0))));
}

bool wants(const Query &query, ldns_rr_type type) {
    return query.type == type || query.type == LDNS_RR_TYPE_ANY;
}

std::vector<Record> records_of(const Match &match, const Query &query, const Zone &zone) {
    std::vector<Record> records;
    if (match.is_apex && wants(query, LDNS_RR_TYPE_SOA)) {
        records.push_back(make_soa(match.apex, zone.serial()));
    }
    if (match.is_apex && wants(query, LDNS_RR_TYPE_NS)) {
        records.push_back(make_record(asked_name(query), LDNS_RR_TYPE_NS, name_data(match.apex)));
    }
    if (match.address && wants(query, LDNS_RR_TYPE_A)) {
        records.push_back(
            make_record(asked_name(query), LDNS_RR_TYPE_A,
                        checked(ldns_rdf_new_frm_data(LDNS_RDF_TYPE_A, match.address->octets.size(),
                                                      match.address->octets.data()))));
    }
    if (!match.host.empty() && wants(query, LDNS_RR_TYPE_PTR)) {
        records.push_back(make_record(asked_name(query), LDNS_RR_TYPE_PTR, name_data(match.host)));
    }
    return records;
}

Bytes authoritative_reply(const Query &query, const Match &match, const Zone &zone,
                          bool recursion) {
    const bool exists = match.kind == Match::Kind::Exists;
    const Packet reply = make_reply(query, exists ? LDNS_RCODE_NOERROR : LDNS_RCODE_NXDOMAIN);
    ldns_pkt_set_aa(reply.get(), true);
    ldns_pkt_set_ra(reply.get(), recursion);
    auto records = records_of(match, query, zone);
    if (records.empty()) {
        push(reply, LDNS_SECTION_AUTHORITY, make_soa(match.apex, zone.serial()));
    }
    for (auto &record : records) {
        push(reply, LDNS_SECTION_ANSWER, std::move(record));
    }
    return to_wire(reply);
}

// Zone transfers and the other meta queries of RFC 6895 §3.1, but for ANY.
bool is_meta(std::uint16_t type) {
    constexpr std::uint16_t first = 128;
    return type >= first && type < LDNS_RR_TYPE_ANY;
}

Answer reply_with(const Query &query, std::uint16_t rcode, bool recursion = false) {
    const Packet reply = make_reply(query, rcode);
    ldns_pkt_set_ra(reply.get(), recursion);
    return {Answer::Action::Reply, to_wire(reply)};
}

} // namespace

Answer answer(std::span<const std::uint8_t> wire, const Zone &zone, Client client) {
    if (wire.size() < header_bytes || wire.size() > max_query_bytes || LDNS_QR_WIRE(wire.data())) {
        return {};
    }
    if (LDNS_OPCODE_WIRE(wire.data()) != LDNS_PACKET_QUERY) {
        return {Answer::Action::Reply, make_bare_reply(wire, LDNS_RCODE_NOTIMPL)};
    }
    const auto query = Query::parse(wire);
    if (!query || query->type == LDNS_RR_TYPE_OPT) {
        return {Answer::Action::Reply, make_bare_reply(wire, LDNS_RCODE_FORMERR)};
    }
    if (query->edns_version != 0) {
        return reply_with(*query, badvers);
    }
    if (client == Client::Stranger || query->klass != LDNS_RR_CLASS_IN || is_meta(query->type)) {
        return reply_with(*query, LDNS_RCODE_REFUSED);
    }
    const bool recursion = client == Client::GuestWithNat;
    const Match match = look_up(zone, query->name, client);
    if (match.kind != Match::Kind::Outside) {
        return {Answer::Action::Reply, authoritative_reply(*query, match, zone, recursion)};
    }
    if (recursion) {
        return {Answer::Action::Forward, to_wire(query->packet)};
    }
    return reply_with(*query, LDNS_RCODE_REFUSED);
}

Bytes server_failure(std::span<const std::uint8_t> wire) {
    const auto query = Query::parse(wire);
    return query ? reply_with(*query, LDNS_RCODE_SERVFAIL, true).message
                 : make_bare_reply(wire, LDNS_RCODE_SERVFAIL);
}

Bytes fit_udp(Bytes reply, std::span<const std::uint8_t> wire) {
    if (reply.size() <= plain_udp_bytes) {
        return reply;
    }
    const auto query = Query::parse(wire);
    const std::size_t limit =
        std::max<std::size_t>(plain_udp_bytes, query ? query->udp_bytes.value_or(0) : 0);
    if (!query || reply.size() <= limit) {
        return reply;
    }
    Bytes cut = to_wire(make_reply(*query, LDNS_RCODE_NOERROR));
    std::copy_n(reply.begin() + 2, 2, cut.begin() + 2);
    LDNS_TC_SET(cut.data());
    return cut;
}

} // namespace banger::resolved
