#include "cli/exec_session.hpp"

#include "cli/errors.hpp"
#include "cli/exec_control.hpp"
#include "cli/input_pump.hpp"
#include "cli/output_copier.hpp"
#include "cli/terminal.hpp"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <memory>

namespace banger::cli {
namespace {

constexpr std::chrono::seconds start_timeout{60};
constexpr std::chrono::seconds termination_grace{5};
constexpr int interrupts_until_hang_up = 3;
constexpr std::array forwarded{SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2};

// The signals of the session as a descriptor, for as long as it lives.
class SessionSignals {
public:
    SessionSignals() {
        sigset_t set;
        sigemptyset(&set);
        for (const int number : forwarded) {
            sigaddset(&set, number);
        }
        sigaddset(&set, SIGWINCH);
        ::pthread_sigmask(SIG_BLOCK, &set, &before_);
        fd_ = UniqueFd{::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
        if (!fd_) {
            throw_errno("watch signals");
        }
    }
    ~SessionSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SessionSignals(const SessionSignals &) = delete;
    SessionSignals &operator=(const SessionSignals &) = delete;

    int fd() const noexcept { return fd_.get(); }
    /// The next one; 0 when there is none.
    int next() const {
        signalfd_siginfo info{};
        return ::read(fd_.get(), &info, sizeof info) == sizeof info
                   ? static_cast<int>(info.ssi_signo)
                   : 0;
    }

private:
    sigset_t before_{};
    UniqueFd fd_;
};

// As a shell and docker exec have it: 127 for a program that is not there, 126 for one that may not
// be run.
int status_of_failed_start(ErrorCode code) {
    switch (code) {
    case ErrorCode::NotFound:
        return 127;
    case ErrorCode::NotAuthorized:
        return 126;
    default:
        return exit_status::own_failure;
    }
}

class Session {
public:
    Session(ExecControl control, bool terminal, UniqueFd input)
        : control_(std::move(control)), terminal_(terminal),
          input_(STDIN_FILENO, std::move(input)) {}

    void add_output(UniqueFd from, int to) {
        outputs_.push_back(std::make_unique<OutputCopier>(std::move(from), to));
    }

    ExecResult run(const SessionSignals &signals) {
        while (!finished()) {
            std::vector<pollfd> polls{{signals.fd(), POLLIN, 0},
                                      {ended_ ? -1 : control_.fd(), POLLIN, 0},
                                      input_.wanted()};
            for (const auto &output : outputs_) {
                polls.push_back({output->done_fd(), POLLIN, 0});
            }
            if (::poll(polls.data(), polls.size(), timeout()) < 0 && errno != EINTR) {
                throw_errno("wait for the guest");
            }
            std::erase_if(outputs_, [&, i = std::size_t{3}](const auto &) mutable {
                return polls[i++].revents != 0;
            });
            if (polls[0].revents != 0) {
                take_signals(signals);
            }
            if (polls[1].revents != 0) {
                take_message();
            }
            if (polls[2].revents != 0 && !input_.pump()) {
                input_.close();
            }
            if (hang_up_at_ && std::chrono::steady_clock::now() >= *hang_up_at_) {
                hang_up();
            }
        }
        if (result_.interrupted_by != 0 && !told_) {
            result_.status = exit_status::of_signal(result_.interrupted_by);
        }
        return result_;
    }

private:
    bool finished() const { return ended_ && outputs_.empty(); }

    int timeout() const {
        if (!hang_up_at_) {
            return -1;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            *hang_up_at_ - std::chrono::steady_clock::now());
        return left.count() > 0 ? static_cast<int>(left.count()) + 1 : 0;
    }

    void take_signals(const SessionSignals &signals) {
        for (int number = signals.next(); number != 0; number = signals.next()) {
            if (number == SIGWINCH) {
                if (terminal_ && !ended_) {
                    control_.resize(window_size(STDIN_FILENO));
                }
                continue;
            }
            result_.interrupted_by = number;
            if (!ended_) {
                control_.signal(number);
            }
            interrupts_ += number == SIGINT ? 1 : 0;
            if (number == SIGTERM || number == SIGHUP) {
                hang_up_at_ = std::chrono::steady_clock::now() + termination_grace;
            }
            if (interrupts_ >= interrupts_until_hang_up) {
                hang_up();
            }
        }
    }

    void take_message() {
        const std::optional<ExecEvent> event = control_.receive();
        if (!event) {
            fail(ErrorCode::Internal, "the connection to the guest's program was lost: the VM or "
                                      "its supervisor has ended");
        }
        switch (event->kind) {
        case ExecEvent::Kind::Other:
            return;
        case ExecEvent::Kind::Failed:
            result_.status = status_of_failed_start(event->code);
            if (result_.status == exit_status::own_failure) {
                throw Error(event->code, event->message);
            }
            print_error(event->message);
            told_ = true;
            end();
            return;
        case ExecEvent::Kind::Ended:
            result_.status = event->status;
            told_ = true;
            end();
        }
    }

    void end() {
        ended_ = true;
        input_.close();
        for (const auto &output : outputs_) {
            output->program_ended();
        }
    }

    void hang_up() {
        hang_up_at_.reset();
        control_ = ExecControl{};
        end();
        outputs_.clear();
    }

    ExecControl control_;
    bool terminal_;
    InputPump input_;
    std::vector<std::unique_ptr<OutputCopier>> outputs_;
    ExecResult result_;
    bool ended_ = false;
    bool told_ = false;
    int interrupts_ = 0;
    std::optional<std::chrono::steady_clock::time_point> hang_up_at_;
};

Properties options_of(const ExecRequest &request) {
    Properties options;
    const auto put = [&](const char *name, const auto &value) {
        options[name] = sdbus::Variant{value};
    };
    if (request.entrypoint) {
        put("entrypoint", true);
    }
    if (!request.environment.empty()) {
        put("env", request.environment);
    }
    if (!request.working_directory.empty()) {
        put("cwd", request.working_directory);
    }
    if (!request.user.empty()) {
        put("user", request.user);
    }
    if (request.detach) {
        put("detach", true);
    }
    if (request.terminal) {
        const WindowSize size = window_size(STDIN_FILENO);
        const char *term = std::getenv("TERM");
        put("tty", true);
        put("term", std::string{term != nullptr && *term != '\0' ? term : "dumb"});
        put("rows", size.rows);
        put("cols", size.columns);
    }
    return options;
}

} // namespace

ExecResult run_in_guest(Client &client, const sdbus::ObjectPath &vm, const ExecRequest &request) {
    Properties options = options_of(request);
    FdPair input;
    FdPair output;
    FdPair error;
    const auto pass = [&](const char *name, const UniqueFd &fd) {
        options[name] = sdbus::Variant{sdbus::UnixFd{fd.get()}};
    };
    if (!request.detach) {
        if (request.pass_input) {
            input = make_pipe();
            pass("stdin", input.first);
        }
        output = make_pipe();
        pass("stdout", output.second);
        if (!request.terminal) {
            error = make_pipe();
            pass("stderr", error.second);
        }
    }
    auto [control_fd] = client.call_and_wait<sdbus::UnixFd>(vm, names::vm, "Exec", start_timeout,
                                                            request.argv, options);
    ExecControl control{adopt(std::move(control_fd))};
    if (request.detach) {
        control.wait_for_start();
        return {};
    }
    // Ours are gone now: the streams end when the guest's ends do.
    options.clear();
    input.first.reset();
    output.second.reset();
    error.second.reset();

    const SessionSignals signals;
    std::optional<RawMode> raw;
    if (request.terminal && is_terminal(STDIN_FILENO)) {
        raw.emplace(STDIN_FILENO);
    }
    Session session(std::move(control), request.terminal, std::move(input.second));
    session.add_output(std::move(output.first), STDOUT_FILENO);
    if (error.first) {
        session.add_output(std::move(error.first), STDERR_FILENO);
    }
    return session.run(signals);
}

} // namespace banger::cli
