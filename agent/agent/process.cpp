#include "agent/agent/process.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>

namespace banger::agent {
namespace {

std::vector<char *> pointers(const std::vector<std::string> &words) {
    std::vector<char *> out;
    out.reserve(words.size() + 1);
    for (const std::string &word : words) {
        out.push_back(const_cast<char *>(word.c_str()));
    }
    out.push_back(nullptr);
    return out;
}

void reset_signals() noexcept {
    for (int number = 1; number < NSIG; ++number) {
        ::signal(number, SIG_DFL);
    }
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

/// The agent itself is not to be killed when memory is short; what it starts is.
void reset_oom_score() noexcept {
    const UniqueFd fd{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)};
    if (fd) {
        [[maybe_unused]] const ssize_t ignored = ::write(fd.get(), "0", 1);
    }
}

[[noreturn]] void give_up(int progress, const char *step) noexcept {
    LaunchFailure failure;
    failure.error_number = errno;
    std::strncpy(failure.step, step, sizeof(failure.step) - 1);
    [[maybe_unused]] const ssize_t ignored = ::write(progress, &failure, sizeof(failure));
    ::_exit(127);
}

/// dup2(2) of three descriptors that may be each other's targets.
void place(std::array<int, 3> wanted) noexcept {
    for (int &fd : wanted) {
        fd = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
    }
    for (int target = 0; target < 3; ++target) {
        ::dup2(wanted.at(static_cast<std::size_t>(target)), target);
    }
}

void execute(const Launch &what) noexcept {
    const std::vector<char *> argv = pointers(what.argv);
    const std::vector<char *> environment = pointers(what.environment);
    const std::string &file = what.file.empty() ? what.argv.front() : what.file;
    if (file.find('/') != std::string::npos) {
        ::execve(file.c_str(), argv.data(), environment.data());
        return;
    }
    int remembered = ENOENT;
    std::string_view path = variable(what.environment, "PATH");
    while (!path.empty()) {
        const std::string_view directory = path.substr(0, path.find(':'));
        path.remove_prefix(std::min(directory.size() + 1, path.size()));
        const std::string candidate = std::string(directory) + "/" + file;
        ::execve(candidate.c_str(), argv.data(), environment.data());
        if (errno != ENOENT && errno != ENOTDIR) {
            remembered = errno;
        }
    }
    errno = remembered;
}

[[noreturn]] void become(const Launch &what, int progress) noexcept {
    ::setsid();
    if (what.cgroup != nullptr) {
        what.cgroup->enter();
    }
    reset_oom_score();
    place({what.standard_input, what.standard_output, what.standard_error});
    if (what.controlling_terminal && ::ioctl(0, TIOCSCTTY, 0) != 0) {
        give_up(progress, "take the terminal");
    }
    if (::setgroups(what.user.groups.size(), what.user.groups.data()) != 0 ||
        ::setgid(what.user.gid) != 0 || ::setuid(what.user.uid) != 0) {
        give_up(progress, "become the user");
    }
    if (::chdir(what.cwd.c_str()) != 0) {
        give_up(progress, "change to the directory");
    }
    ::umask(022);
    reset_signals();
    execute(what);
    give_up(progress, "execute");
}

constexpr std::array<std::pair<std::string_view, int>, 28> signals{{
    {"HUP", SIGHUP},   {"INT", SIGINT},       {"QUIT", SIGQUIT},   {"ILL", SIGILL},
    {"TRAP", SIGTRAP}, {"ABRT", SIGABRT},     {"BUS", SIGBUS},     {"FPE", SIGFPE},
    {"KILL", SIGKILL}, {"USR1", SIGUSR1},     {"SEGV", SIGSEGV},   {"USR2", SIGUSR2},
    {"PIPE", SIGPIPE}, {"ALRM", SIGALRM},     {"TERM", SIGTERM},   {"CHLD", SIGCHLD},
    {"CONT", SIGCONT}, {"STOP", SIGSTOP},     {"TSTP", SIGTSTP},   {"TTIN", SIGTTIN},
    {"TTOU", SIGTTOU}, {"URG", SIGURG},       {"XCPU", SIGXCPU},   {"XFSZ", SIGXFSZ},
    {"PROF", SIGPROF}, {"VTALRM", SIGVTALRM}, {"WINCH", SIGWINCH}, {"SYS", SIGSYS},
}};

} // namespace

Launched launch(const Launch &what) {
    FdPair progress = make_pipe();
    const pid_t pid = ::fork();
    if (pid < 0) {
        throw_errno("start a process in the guest");
    }
    if (pid == 0) {
        become(what, progress.second.get());
    }
    set_nonblocking(progress.first.get());
    return {pid, std::move(progress.first)};
}

pid_t fork_helper(const std::vector<int> &keep, const std::function<int()> &body) {
    const pid_t pid = ::fork();
    if (pid < 0) {
        throw_errno("start a helper process in the guest");
    }
    if (pid == 0) {
        ::setsid();
        reset_signals();
        std::vector<int> sorted = keep;
        std::sort(sorted.begin(), sorted.end());
        unsigned from = 3;
        for (const int fd : sorted) {
            if (static_cast<unsigned>(fd) > from) {
                ::close_range(from, static_cast<unsigned>(fd) - 1, 0);
            }
            from = static_cast<unsigned>(fd) + 1;
        }
        ::close_range(from, ~0U, 0);
        int status = 1;
        try {
            status = body();
        } catch (...) {
            status = 1;
        }
        ::_exit(status);
    }
    return pid;
}

int signal_number(std::string_view name) {
    if (name.starts_with("SIG")) {
        name.remove_prefix(3);
    }
    for (const auto &[known, number] : signals) {
        if (known == name) {
            return number;
        }
    }
    int number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    const bool right =
        error == std::errc() && end == name.data() + name.size() && number > 0 && number < NSIG;
    return right ? number : 0;
}

std::string signal_name(int number) {
    for (const auto &[name, known] : signals) {
        if (known == number) {
            return std::string(name);
        }
    }
    return std::to_string(number);
}

} // namespace banger::agent
