#pragma once

#include "agent/agent/loop.hpp"
#include "base/unique_fd.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace banger::agent {

/// Where the guest's PID 1 (sd_notify(3)) and our own units speak to the agent: an abstract
/// datagram socket. Only root is heard.
constexpr std::string_view notify_socket_name = "@banger/notify";

/// Binds it; done by banger-init before the guest's init starts. Throws Error.
UniqueFd bind_notify_socket();

/// NAME=VALUE lines that arrive, one by one.
class NotifyListener {
public:
    struct Message {
        std::string name;
        std::string value;
        /// Answers the sender with one datagram.
        std::function<void()> acknowledge;
    };
    NotifyListener(Loop &loop, UniqueFd socket, std::function<void(const Message &)> on_message);

private:
    void read_one();

    UniqueFd socket_;
    std::function<void(const Message &)> on_message_;
    Loop::Watch watch_;
};

/// Sends `text` and waits for the acknowledgement. False when nobody answered in time.
bool notify_and_wait(std::string_view text, std::chrono::milliseconds timeout) noexcept;

} // namespace banger::agent
