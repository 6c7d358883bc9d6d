#pragma once

#include "agent/channel/session.hpp"

#include <functional>
#include <memory>
#include <string>

namespace banger::channel {

/// The host's side of the channel (docs/channel.md): handshake, then HTTP/2 as the client. It does
/// no I/O: its owner moves bytes between it and the transport.
///
///     client.receive(bytes read from the transport);
///     while (!(out = client.output()).empty()) client.sent(write(transport, out));
///
/// Call output() after each call on the client or one of its streams, or when `on_output` says
/// so.
class ChannelClient {
public:
    struct Callbacks {
        /// The handshake is through: the agent listens.
        std::function<void()> on_connected;
        /// The session is over, with the reason; every stream was closed (Lost) before. Reconnect,
        /// or call restart(), to go on.
        std::function<void(const std::string &why)> on_lost;
        /// There is something to take from output(). Called from any call, but never twice before
        /// output() has become empty.
        std::function<void()> on_output;
    };

    explicit ChannelClient(Callbacks callbacks);
    ~ChannelClient();
    ChannelClient(const ChannelClient &) = delete;
    ChannelClient &operator=(const ChannelClient &) = delete;

    /// Begins a new session on a transport that was just opened, or again when the agent has not
    /// answered for some seconds: ends all streams (Lost), forgets unsent output, sends a hello
    /// with a fresh nonce. Needed before anything else.
    void restart();
    /// The transport is gone: ends all streams (Lost). No on_lost.
    void disconnect();
    /// The handshake is through and the session lives.
    bool connected() const noexcept;

    /// Bytes from the transport. Never throws for what they hold: bad input ends the session
    /// (on_lost).
    void receive(Bytes data);
    /// Bytes for the transport; empty: nothing to send now. Valid until the next call.
    Bytes output();
    /// So many bytes of output() were written.
    void sent(std::size_t count);

    /// Begins a request. `has_body`: the request's direction stays open for Stream::write() or
    /// on_pull. Throws Error{InvalidState} when not connected(), Error{LimitsExceeded} when
    /// `max_streams` are open.
    Stream start_request(std::string_view method, std::string_view path, const Headers &headers,
                         bool has_body, StreamCallbacks callbacks);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace banger::channel
