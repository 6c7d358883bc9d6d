#pragma once

#include "agent/channel/client.hpp"
#include "agent/channel/server.hpp"

#include <functional>
#include <string>
#include <utility>

namespace banger::channel {

/// A client and a server joined by a pipe that never blocks.
struct Pair {
    std::function<void(const Request &, Stream)> on_request;
    std::string client_lost;
    std::string server_lost;
    ChannelClient client{{nullptr, [this](const std::string &why) { client_lost = why; }, nullptr}};
    ChannelServer server{{[this](const Request &request, Stream stream) {
                              if (on_request) {
                                  on_request(request, std::move(stream));
                              }
                          },
                          nullptr, [this](const std::string &why) { server_lost = why; }, nullptr}};

    template <typename From, typename To>
    static bool move(From &from, To &to) {
        const Bytes out = from.output();
        if (out.empty()) {
            return false;
        }
        const std::string copy{as_text(out)};
        from.sent(copy.size());
        to.receive(as_bytes(copy));
        return true;
    }

    /// Until neither has anything to say.
    void run() {
        while (int{move(client, server)} + int{move(server, client)} > 0) {
        }
    }

    void connect() {
        client.restart();
        run();
    }
};

/// What a stream told, for tests that look at the whole.
struct Record {
    int status = 0;
    std::string data;
    bool ended = false;
    bool closed = false;
    CloseReason reason = CloseReason::Finished;

    StreamCallbacks callbacks() {
        StreamCallbacks made;
        made.on_response = [this](int code, const Headers &) { status = code; };
        made.on_data = [this](Bytes bytes) {
            data += as_text(bytes);
            return bytes.size();
        };
        made.on_end = [this] { ended = true; };
        made.on_close = [this](CloseReason why) {
            closed = true;
            reason = why;
        };
        return made;
    }
};

} // namespace banger::channel
