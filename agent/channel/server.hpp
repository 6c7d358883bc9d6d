#pragma once

#include "agent/channel/session.hpp"
#include "base/error.hpp"

#include <functional>
#include <memory>
#include <string>

namespace banger::channel {

struct Request {
    std::string method;
    std::string path; ///< without the query
    std::string query;
    Headers headers; ///< without the pseudo headers
};

/// The guest's side of the channel: answers the handshake, then HTTP/2 as the server. Driven as
/// ChannelClient is.
class ChannelServer {
public:
    struct Callbacks {
        /// A request arrived; its body, if any, comes through the callbacks that are set on the
        /// stream here or in time (what nobody took yet is kept). An Error that is thrown is sent
        /// as the response.
        std::function<void(const Request &request, Stream stream)> on_request;
        /// A session began.
        std::function<void()> on_connected;
        /// As ChannelClient's. The server already waits for the next hello.
        std::function<void(const std::string &why)> on_lost;
        std::function<void()> on_output;
    };

    explicit ChannelServer(Callbacks callbacks);
    ~ChannelServer();
    ChannelServer(const ChannelServer &) = delete;
    ChannelServer &operator=(const ChannelServer &) = delete;

    /// The transport was closed and opened again: ends all streams (Lost) and waits for a hello.
    void restart();
    bool connected() const noexcept;

    /// Calls back once the host has read all that was said before; never, if the session ends.
    void ping(std::function<void()> on_answer);

    void receive(Bytes data);
    Bytes output();
    void sent(std::size_t count);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Answers with the HTTP status and the JSON {"code","message"} of an error.
void respond_error(const Stream &stream, const Error &error);

} // namespace banger::channel
