#pragma once

#include "agent/agent/cgroup.hpp"
#include "agent/agent/loop.hpp"
#include "agent/agent/pump.hpp"
#include "agent/channel/messages.hpp"
#include "agent/channel/session.hpp"

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace banger::agent {

/// One exec: from the first stream that names it to the death of its process (docs/channel.md).
class Exec : public std::enable_shared_from_this<Exec> {
public:
    Exec(Loop &loop, std::string id, std::function<void()> on_gone);

    /// The four streams of it, in any order. Each throws Error{AlreadyExists} for a second one.
    void attach_control(const channel::Stream &stream);
    void attach_stdin(const channel::Stream &stream);
    void attach_stdout(const channel::Stream &stream);
    void attach_stderr(const channel::Stream &stream);

    /// SIGHUP and SIGTERM to all of it, so that it ends by itself if it wants to.
    void ask_to_end();
    void kill();
    /// Something of it still runs.
    bool alive() const;
    /// It has begun and ended.
    bool over() const { return dead_ && !alive(); }

private:
    struct Stdio;

    void on_control_line(std::string_view line);
    void start_when_complete();
    void start();
    Stdio make_stdio();
    void on_progress();
    void on_exit(int status);
    void report(const channel::ExecReport &report);
    void fail_with(const Error &error);
    void control(const channel::ExecControl &control);
    void deliver_signal(int number) const;
    /// The one who asked for it is gone.
    void hang_up();
    void finish();

    Loop &loop_;
    std::string id_;
    std::function<void()> on_gone_;
    std::optional<channel::ExecSpec> spec_;
    channel::LineSplitter lines_;
    channel::Stream control_;
    std::optional<channel::Stream> stdin_;
    std::optional<channel::Stream> stdout_;
    std::optional<channel::Stream> stderr_;
    std::shared_ptr<Inlet> inlet_;
    UniqueFd terminal_;
    Cgroup cgroup_;
    pid_t pid_ = -1;
    bool had_control_ = false;
    bool dead_ = false;
    Loop::Watch child_;
    UniqueFd progress_;
    Loop::Watch progress_watch_;
    Loop::Watch timer_;
};

} // namespace banger::agent
