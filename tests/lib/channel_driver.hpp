#pragma once

#include "agent/channel/client.hpp"
#include "agent/channel/messages.hpp"
#include "base/unique_fd.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::test {

using namespace std::chrono_literals;

/// An answer with its whole body.
struct Answer {
    int status = 0;
    std::string body;
    bool closed = false;
    channel::CloseReason reason = channel::CloseReason::Finished;
};

/// The host's end of a channel over a connected socket, driven by waiting for conditions.
class ChannelDriver {
public:
    explicit ChannelDriver(UniqueFd socket);

    channel::ChannelClient &client() { return client_; }
    const std::string &lost() const { return lost_; }

    /// Moves bytes until the condition holds. False when it does not within `timeout`, or the
    /// transport ended before.
    bool run_until(const std::function<bool()> &condition,
                   std::chrono::milliseconds timeout = 60000ms);
    /// Says hello, and again each few seconds.
    bool connect(std::chrono::milliseconds timeout);
    /// The other side closed the transport.
    bool ended() const { return ended_; }

    Answer ask(std::string_view method, std::string_view path, std::string_view body = {},
               const channel::Headers &headers = {}, std::chrono::milliseconds timeout = 60000ms);

private:
    void pump(std::chrono::milliseconds wait);

    UniqueFd socket_;
    std::string lost_;
    bool ended_ = false;
    channel::ChannelClient client_;
};

/// One exec with its streams; output is gathered unless `on_output` takes it.
class RunningExec {
public:
    RunningExec(ChannelDriver &driver, const channel::ExecSpec &spec);
    RunningExec(const RunningExec &) = delete;
    RunningExec &operator=(const RunningExec &) = delete;
    ~RunningExec();

    void control(const channel::ExecControl &line) const;
    /// The client goes away.
    void give_up() const { control_.reset(); }
    bool write_stdin(std::string_view text) const { return stdin_.write(text) == text.size(); }
    void end_stdin() const { stdin_.end(); }
    channel::Stream stdin_stream() const { return stdin_; }
    channel::Stream stdout_stream() const { return stdout_; }

    bool started() const { return pid_ > 0; }
    std::int64_t pid() const { return pid_; }
    /// The process's end was told and its output has ended.
    bool finished() const { return end_ && stdout_ended_ && stderr_ended_; }
    bool control_closed() const { return control_closed_; }
    const std::optional<channel::ExecReport> &end() const { return end_; }
    /// Exit status; -1 when it did not exit by itself.
    int code() const;

    std::string out;
    std::string err;
    std::uint64_t out_bytes = 0;
    bool keep_output = true;
    bool stalled = false;

private:
    channel::StreamCallbacks output(std::string &text, bool &ended, bool counted);

    channel::Stream control_, stdin_, stdout_, stderr_;
    channel::LineSplitter lines_;
    std::int64_t pid_ = 0;
    std::optional<channel::ExecReport> end_;
    bool stdout_ended_ = true;
    bool stderr_ended_ = true;
    bool control_closed_ = false;
    bool detached_ = false;
};

} // namespace banger::test
