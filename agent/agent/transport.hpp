#pragma once

#include "agent/agent/loop.hpp"
#include "agent/channel/server.hpp"
#include "base/unique_fd.hpp"

#include <string>

namespace banger::agent {

/// Moves bytes between the channel and the host: a virtio-serial port named org.banger.channel
/// where there is one (QEMU), else a vsock connection to port 1024 of the host (Firecracker).
/// Opens it again whenever it breaks.
class Transport {
public:
    Transport(Loop &loop, channel::ChannelServer &server);

    /// Sends what the channel has to say.
    void flush();

private:
    void open();
    void adopt(UniqueFd fd, bool connecting);
    void on_events(std::uint32_t events);
    void read_all();
    void reopen();
    void retry_later();

    Loop &loop_;
    channel::ChannelServer &server_;
    UniqueFd fd_;
    bool is_port_ = false;
    bool connecting_ = false;
    bool broken_ = false;
    Loop::Watch watch_;
    UniqueFd device_events_;
    Loop::Watch device_watch_;
    Loop::Watch retry_;
    std::chrono::milliseconds delay_;
};

} // namespace banger::agent
