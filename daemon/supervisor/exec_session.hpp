#pragma once

#include "agent/channel/messages.hpp"
#include "base/event_loop.hpp"
#include "base/packet_socket.hpp"
#include "base/unique_fd.hpp"
#include "daemon/supervisor/descriptor_stream.hpp"
#include "daemon/supervisor/guest_channel.hpp"
#include "daemon/supervisor/session.hpp"

#include <functional>
#include <optional>
#include <string>

namespace banger::supervisor {

/// One program in the guest (docs/channel.md, «Execs»): its control stream bridged to the caller's
/// control socket, its data streams to the caller's descriptors. Each stands still by itself when
/// its other side does.
class ExecSession : public Session {
public:
    /// Whichever is missing is not attached.
    struct Descriptors {
        UniqueFd input;
        UniqueFd output;
        UniqueFd error;
    };
    /// Throws Error when the agent is not ready; then nothing was started.
    ExecSession(EventLoop &loop, GuestChannel &channel, channel::ExecSpec spec,
                Descriptors descriptors, UniqueFd control, std::function<void()> on_finished);
    ~ExecSession() override;

    bool finished() const noexcept override;

private:
    struct Output {
        std::optional<DescriptorSink> sink;
        channel::Stream stream;
    };

    void abandon() const noexcept;
    void open_control(GuestChannel &channel, const std::string &path);
    void open_input(GuestChannel &channel, const std::string &path);
    void open_output(GuestChannel &channel, const std::string &path, Output &output);
    void say(const std::string &line);
    void send_pending();
    void on_packet(const Packet &packet);
    void on_caller_gone();
    void on_report(std::string_view line);
    void on_control_closed(channel::CloseReason reason);
    void stream_closed();

    std::function<void()> on_finished_;
    bool detach_;
    PacketSocket control_;
    channel::Stream control_stream_;
    std::string pending_; ///< lines for the guest that the stream has not taken yet
    channel::LineSplitter lines_;
    int status_ = 0;
    std::string refusal_; ///< body of an answer with an error status
    bool reported_ = false;
    std::optional<DescriptorSource> input_;
    channel::Stream input_stream_;
    Output output_;
    Output error_;
    int open_streams_ = 0;
};

} // namespace banger::supervisor
