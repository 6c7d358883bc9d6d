#include "agent/agent/exec.hpp"

#include "agent/agent/environment.hpp"
#include "agent/agent/log.hpp"
#include "agent/agent/process.hpp"
#include "agent/agent/terminal.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace banger::agent {
namespace {

using channel::Stream;

/// How long streams may wait for the others that their exec needs.
constexpr std::chrono::milliseconds completion_time{10000};
/// Between SIGHUP and SIGKILL.
constexpr std::chrono::milliseconds hang_up_grace{2000};

void put_in(std::optional<Stream> &place, const Stream &stream, std::string_view what) {
    if (place) {
        fail(ErrorCode::AlreadyExists, "the exec has its {} already", what);
    }
    place = stream;
}

void end_empty(const std::optional<Stream> &stream) {
    if (stream) {
        stream->set_callbacks({});
        stream->end();
    }
}

} // namespace

/// The child's descriptors, and ours at the other ends.
struct Exec::Stdio {
    UniqueFd child_in, child_out, child_err;
    UniqueFd in, out, err;
};

Exec::Exec(Loop &loop, std::string id, std::function<void()> on_gone)
    : loop_(loop), id_(std::move(id)), on_gone_(std::move(on_gone)),
      timer_(loop.timer(completion_time, [this] {
          fail_with(Error(ErrorCode::InvalidArgument,
                          "the exec's spec or the streams that it names did not arrive"));
      })) {}

void Exec::attach_control(const Stream &stream) {
    if (had_control_) {
        fail(ErrorCode::AlreadyExists, "the exec has its control stream already");
    }
    had_control_ = true;
    control_ = stream;
    stream.respond(200);
    channel::StreamCallbacks callbacks;
    const auto self = shared_from_this();
    callbacks.on_data = [self](channel::Bytes data) {
        self->lines_.feed(channel::as_text(data),
                          [&](std::string_view line) { self->on_control_line(line); });
        return data.size();
    };
    callbacks.on_close = [self](channel::CloseReason reason) {
        self->control_ = {};
        if (reason != channel::CloseReason::Finished) {
            self->hang_up();
        }
    };
    stream.set_callbacks(std::move(callbacks));
}

void Exec::attach_stdin(const Stream &stream) {
    put_in(stdin_, stream, "stdin");
    stream.respond(200, {}, true);
    start_when_complete();
}

void Exec::attach_stdout(const Stream &stream) {
    put_in(stdout_, stream, "stdout");
    stream.respond(200);
    start_when_complete();
}

void Exec::attach_stderr(const Stream &stream) {
    put_in(stderr_, stream, "stderr");
    stream.respond(200);
    start_when_complete();
}

void Exec::on_control_line(std::string_view line) {
    try {
        if (spec_) {
            control(channel::parse_exec_control(line));
            return;
        }
        spec_ = channel::parse_exec_spec(line);
    } catch (const Error &error) {
        if (pid_ < 0) {
            fail_with(error);
        } else {
            log(error.what());
        }
        return;
    }
    start_when_complete();
}

void Exec::start_when_complete() {
    if (!spec_ || pid_ > 0 || dead_ || (spec_->attach_stdin && !stdin_) ||
        (spec_->attach_stdout && !stdout_) || (spec_->attach_stderr && !stderr_)) {
        return;
    }
    try {
        start();
    } catch (const Error &error) {
        fail_with(error);
    }
}

Exec::Stdio Exec::make_stdio() {
    Stdio stdio;
    if (spec_->tty) {
        Terminal terminal = open_terminal(*spec_->tty);
        stdio.child_in = std::move(terminal.slave);
        stdio.child_out = stdio.child_in.duplicate();
        stdio.child_err = stdio.child_in.duplicate();
        if (spec_->attach_stdin) {
            stdio.in = terminal.master.duplicate();
        }
        stdio.out = terminal.master.duplicate();
        terminal_ = std::move(terminal.master);
        return stdio;
    }
    const auto output = [](bool attached, UniqueFd &child, UniqueFd &ours) {
        if (!attached) {
            child = open_file("/dev/null", O_WRONLY);
            return;
        }
        FdPair pipe = make_pipe();
        ours = std::move(pipe.first);
        child = std::move(pipe.second);
    };
    output(spec_->attach_stdout, stdio.child_out, stdio.out);
    output(spec_->attach_stderr, stdio.child_err, stdio.err);
    if (spec_->attach_stdin) {
        FdPair pipe = make_pipe();
        stdio.child_in = std::move(pipe.first);
        stdio.in = std::move(pipe.second);
    } else {
        stdio.child_in = open_file("/dev/null", O_RDONLY);
    }
    return stdio;
}

void Exec::start() {
    Launch what;
    what.user = find_user(spec_->user);
    what.environment = login_environment(what.user);
    if (spec_->tty) {
        set_variable(what.environment, "TERM=" + (spec_->term.empty() ? "linux" : spec_->term));
    }
    for (const std::string &assignment : spec_->env) {
        set_variable(what.environment, assignment);
    }
    what.argv = spec_->argv;
    if (what.argv.empty()) {
        what.file = what.user.shell;
        what.argv = {"-" + what.file.substr(what.file.rfind('/') + 1)};
    }
    what.cwd = spec_->cwd.empty() ? what.user.home : spec_->cwd;
    if (spec_->cwd.empty() && ::access(what.cwd.c_str(), X_OK) != 0) {
        what.cwd = "/";
    }
    Stdio stdio = make_stdio();
    if (spec_->tty) {
        [[maybe_unused]] const int ignored =
            ::fchown(stdio.child_in.get(), what.user.uid, what.user.gid);
    }
    cgroup_ = Cgroup(id_);
    what.cgroup = &cgroup_;
    what.standard_input = stdio.child_in.get();
    what.standard_output = stdio.child_out.get();
    what.standard_error = stdio.child_err.get();
    what.controlling_terminal = spec_->tty.has_value();
    Launched launched = launch(what);
    timer_.reset();
    pid_ = launched.pid;
    const auto self = shared_from_this();
    child_ = loop_.child(pid_, [self](int status) { self->on_exit(status); });
    progress_ = std::move(launched.progress);
    progress_watch_ =
        loop_.watch(progress_.get(), EPOLLIN, [self](std::uint32_t) { self->on_progress(); });

    if (stdin_) {
        set_nonblocking(stdio.in.get());
        inlet_ = std::make_shared<Inlet>(loop_, *stdin_, std::move(stdio.in),
                                         spec_->tty ? Inlet::OnEnd::Eof : Inlet::OnEnd::Close);
        channel::StreamCallbacks callbacks;
        inlet_->join(callbacks);
        stdin_->set_callbacks(std::move(callbacks));
    }
    const auto outlet = [this](const std::optional<Stream> &stream, UniqueFd &fd) {
        if (stream && fd) {
            set_nonblocking(fd.get());
            Outlet::attach(loop_, *stream, std::move(fd));
        } else {
            end_empty(stream);
        }
    };
    outlet(stdout_, stdio.out);
    outlet(stderr_, stdio.err);
}

void Exec::on_progress() {
    LaunchFailure failure;
    const ssize_t n = ::read(progress_.get(), &failure, sizeof(failure));
    progress_watch_.reset();
    progress_.reset();
    if (n != static_cast<ssize_t>(sizeof(failure))) {
        report(channel::ExecStarted{pid_});
        return;
    }
    failure.step[sizeof(failure.step) - 1] = '\0';
    const std::string_view step = failure.step;
    const std::string subject =
        step == "execute" ? (spec_->argv.empty() ? "the login shell" : spec_->argv.front())
        : step == "change to the directory" ? spec_->cwd
                                            : spec_->user;
    try {
        throw_errno(fmt::format("{} {} in the guest", step, subject), failure.error_number);
    } catch (const Error &error) {
        report(error);
    }
    control_.end();
}

void Exec::on_exit(int status) {
    const auto self = shared_from_this();
    child_.reset();
    // The child's word about a failed start comes before its end.
    if (progress_) {
        on_progress();
    }
    if (WIFSIGNALED(status)) {
        report(channel::ExecSignalled{signal_name(WTERMSIG(status)), WCOREDUMP(status) != 0});
    } else {
        report(channel::ExecExited{WEXITSTATUS(status)});
    }
    control_.end();
    dead_ = true;
    timer_.reset();
    finish();
}

void Exec::report(const channel::ExecReport &report) {
    if (dead_) {
        return;
    }
    control_.write(to_json(report) + "\n");
    dead_ = std::holds_alternative<Error>(report);
}

void Exec::fail_with(const Error &error) {
    const auto self = shared_from_this();
    report(error);
    dead_ = true;
    control_.end();
    timer_.reset();
    for (const auto *stream : {&stdin_, &stdout_, &stderr_}) {
        end_empty(*stream);
    }
    finish();
}

void Exec::control(const channel::ExecControl &control) {
    if (const auto *size = std::get_if<channel::WindowSize>(&control)) {
        if (terminal_) {
            set_window_size(terminal_.get(), *size);
        }
    } else if (const auto *request = std::get_if<channel::SignalRequest>(&control)) {
        const int number = signal_number(request->name);
        if (number == 0) {
            fail(ErrorCode::InvalidArgument, "there is no signal '{}'", request->name);
        }
        deliver_signal(number);
    } else if (inlet_) {
        inlet_->end();
    }
}

void Exec::deliver_signal(int number) const {
    if (pid_ <= 0 || dead_) {
        return;
    }
    const pid_t foreground = terminal_ ? ::tcgetpgrp(terminal_.get()) : -1;
    ::kill(foreground > 0 ? -foreground : -pid_, number);
}

void Exec::hang_up() {
    if (dead_ || (spec_ && spec_->detach && pid_ > 0)) {
        return;
    }
    if (pid_ < 0) {
        fail_with(Error(ErrorCode::Cancelled, "the exec was given up before it began"));
        return;
    }
    ::kill(-pid_, SIGHUP);
    ::kill(-pid_, SIGCONT);
    terminal_.reset();
    timer_ = loop_.timer(hang_up_grace, [self = shared_from_this()] { self->kill(); });
}

void Exec::ask_to_end() {
    if (pid_ > 0 && !dead_) {
        ::kill(-pid_, SIGHUP);
        ::kill(-pid_, SIGCONT);
    }
    cgroup_.signal_all(SIGTERM);
}

void Exec::kill() {
    if (pid_ > 0 && !dead_) {
        ::kill(-pid_, SIGKILL);
    }
    cgroup_.kill_all();
}

bool Exec::alive() const {
    return (pid_ > 0 && !dead_) || cgroup_.populated();
}

void Exec::finish() {
    // What the process left running in the background stays, as after a login; its cgroup is kept
    // in the table until the guest shuts down.
    if (!alive()) {
        on_gone_();
    }
}

} // namespace banger::agent
