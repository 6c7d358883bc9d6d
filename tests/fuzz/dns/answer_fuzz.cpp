// Any bytes at all as a query: no client kind may crash the server, get an answer that is longer
// than UDP takes, or have anything but its own question put to the host's resolver.
#include "resolved/answer.hpp"

#include <cstdlib>
#include <string>

namespace {

using namespace banger;
using namespace banger::resolved;

Zone make_zone(const char *domain) {
    Zone zone;
    zone.set_network(domain, Ipv4::parse("172.16.0.1"));
    zone.set(VmName{"a"}, Ipv4::parse("172.16.0.2"), false);
    zone.set(VmName{std::string(63, 'b')}, Ipv4::parse("172.16.0.3"), true);
    return zone;
}

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

void check(std::span<const std::uint8_t> query, const Zone &zone, Client client) {
    const Answer answered = answer(query, zone, client);
    switch (answered.action) {
    case Answer::Action::Drop:
        require(answered.message.empty());
        break;
    case Answer::Action::Reply:
        require(answered.message.size() >= header_bytes && answered.message.size() <= 512);
        require(answered.message[0] == query[0] && answered.message[1] == query[1]);
        require((answered.message[2] & 0x80U) != 0);
        require(answer(answered.message, zone, client).action == Answer::Action::Drop);
        break;
    case Answer::Action::Forward: {
        require(client == Client::GuestWithNat);
        require(answered.message.size() <= query.size());
        const auto again = Query::parse(answered.message);
        require(again && !ends_with(again->name, {"vm"}));
        require(answer(server_failure(answered.message), zone, client).action ==
                Answer::Action::Drop);
        break;
    }
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const Zone first = make_zone("vm");
    static const Zone later = make_zone("alice.vm");
    for (const Zone *zone : {&first, &later}) {
        for (const Client client :
             {Client::Host, Client::Guest, Client::GuestWithNat, Client::Stranger}) {
            check({data, size}, *zone, client);
        }
    }
    fit_udp(Bytes(4096, 0), {data, size});
    return 0;
}
