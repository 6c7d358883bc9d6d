#pragma once

#include "agent/channel/client.hpp"
#include "agent/channel/messages.hpp"
#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::supervisor {

/// The channel to the guest's agent (docs/channel.md) on whatever transport it is given: shakes
/// hands until the agent answers, learns who it is, and follows its events.
class GuestChannel {
public:
    struct Callbacks {
        std::function<void(const channel::Hello &hello)> on_ready;
        std::function<void(const channel::Event &event)> on_event;
        /// A session that was ready is over; another one may become ready.
        std::function<void(const std::string &why)> on_lost;
    };
    GuestChannel(EventLoop &loop, Callbacks callbacks);

    /// A transport was opened: takes the place of the one before.
    void attach(UniqueFd transport);
    /// The VMM is gone. Ends all streams (Lost).
    void detach();
    bool ready() const noexcept { return ready_; }

    /// As ChannelClient's. Throws Error{InvalidState} when the agent is not ready.
    channel::Stream start_request(std::string_view method, std::string_view path,
                                  const channel::Headers &headers, bool has_body,
                                  channel::StreamCallbacks callbacks);

    /// A request with a small answer. One of the two is called, from the event loop. Throws as
    /// start_request().
    struct Answer {
        std::function<void(const std::string &body)> on_done;
        std::function<void(const Error &error)> on_failed;
    };
    void request(std::string_view method, std::string_view path, std::string body, Answer answer);

private:
    void on_io(std::uint32_t revents);
    bool receive();
    bool flush();
    void pump(std::uint32_t revents);
    void drop_transport(const std::string &why);
    void say_hello();
    void on_connected();
    void follow_events();
    void lose(const std::string &why);
    channel::Stream start(std::string_view method, std::string_view path,
                          const channel::Headers &headers, bool has_body,
                          channel::StreamCallbacks callbacks);
    void send_request(std::string_view method, std::string_view path, std::string body,
                      Answer answer);

    EventLoop &loop_;
    Callbacks callbacks_;
    UniqueFd transport_;
    EventSource io_;
    EventSource hello_timer_;
    channel::ChannelClient client_;
    std::vector<std::byte> buffer_;
    bool ready_ = false;
    bool pumping_ = false;
};

} // namespace banger::supervisor
