// Whatever comes over the transport: neither side may crash, grow without bound, or keep a stream
// of a dead session.
#include "agent/channel/client.hpp"
#include "agent/channel/handshake.hpp"
#include "agent/channel/server.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>

namespace {

using banger::channel::Bytes;

void drain_server(banger::channel::ChannelServer &server) {
    for (Bytes out = server.output(); !out.empty(); out = server.output()) {
        server.sent(out.size());
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace banger::channel;
    if (size < 2) {
        return 0;
    }
    const Bytes input = std::as_bytes(std::span{data + 2, size - 2});
    const std::size_t step = std::size_t{data[0]} + 1;
    ChannelServer server({[](const Request &request, const Stream &stream) {
                              stream.respond(200);
                              stream.write(request.path);
                              stream.set_callbacks({});
                              stream.end();
                          },
                          nullptr, nullptr, nullptr});
    // With the lowest bit the input is what follows a good handshake.
    if ((data[1] & 1U) != 0) {
        server.receive(
            as_bytes(hello_line(std::string(nonce_length, 'a')) + std::string(http2_preface)));
    }
    for (std::size_t at = 0; at < input.size(); at += step) {
        server.receive(input.subspan(at, std::min(step, input.size() - at)));
        drain_server(server);
    }
    ChannelClient client({});
    client.restart();
    const std::string hello(as_text(client.output()));
    client.sent(hello.size());
    if ((data[1] & 1U) != 0) {
        client.receive(as_bytes(std::string_view(hello).substr(filler_length)));
        client.start_request("GET", "/", {}, true, {});
    }
    client.receive(input);
    for (Bytes out = client.output(); !out.empty(); out = client.output()) {
        client.sent(out.size());
    }
    return 0;
}
