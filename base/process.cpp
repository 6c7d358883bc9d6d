#include "base/process.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <map>

namespace banger {
namespace {

std::vector<std::string> merged_environment(const std::vector<std::string> &changes) {
    std::map<std::string, std::string, std::less<>> variables;
    const auto put = [&](std::string_view entry) {
        const auto equals = entry.find('=');
        variables[std::string(entry.substr(0, equals))] = std::string(entry);
    };
    for (char **entry = environ; *entry != nullptr; ++entry) {
        put(*entry);
    }
    for (const auto &entry : changes) {
        put(entry);
    }
    std::vector<std::string> merged;
    merged.reserve(variables.size());
    for (auto &[name, entry] : variables) {
        merged.push_back(std::move(entry));
    }
    return merged;
}

std::vector<char *> pointers(std::vector<std::string> &strings) {
    std::vector<char *> result;
    result.reserve(strings.size() + 1);
    for (auto &s : strings) {
        result.push_back(s.data());
    }
    result.push_back(nullptr);
    return result;
}

struct ChildPlan {
    char *const *argv;
    char *const *environment;
    const char *working_directory;
    // Source descriptors, already above every target; targets in ascending order.
    const std::pair<int, int> *moves;
    std::size_t move_count;
    int highest_target;
    int error_pipe;
    bool own_process_group;
    bool die_with_parent;
    pid_t parent;
};

// Between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(const ChildPlan &plan) {
    const auto give_up = [&] {
        const int error = errno;
        [[maybe_unused]] const ssize_t n = ::write(plan.error_pipe, &error, sizeof error);
        ::_exit(127);
    };
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (plan.own_process_group) {
        ::setpgid(0, 0);
    }
    if (plan.die_with_parent &&
        (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || ::getppid() != plan.parent)) {
        give_up();
    }
    unsigned next = 0;
    for (std::size_t i = 0; i < plan.move_count; ++i) {
        const auto target = static_cast<unsigned>(plan.moves[i].second);
        if (::dup2(plan.moves[i].first, plan.moves[i].second) < 0) {
            give_up();
        }
        // Between the targets lies what we were started with ourselves.
        if (next < target) {
            ::close_range(next, target - 1, 0);
        }
        next = target + 1;
    }
    const int error_pipe = plan.highest_target + 1;
    if (::dup3(plan.error_pipe, error_pipe, O_CLOEXEC) < 0) {
        give_up();
    }
    ::close_range(static_cast<unsigned>(error_pipe) + 1, ~0U, 0);
    if (plan.working_directory != nullptr && ::chdir(plan.working_directory) != 0) {
        give_up();
    }
    ::execvpe(plan.argv[0], plan.argv, plan.environment);
    const int error = errno;
    [[maybe_unused]] const ssize_t n = ::write(error_pipe, &error, sizeof error);
    ::_exit(127);
}

} // namespace

ChildProcess spawn(const Command &command) {
    std::vector<std::string> argv = command.argv;
    std::vector<std::string> environment = merged_environment(command.environment);
    const std::vector<char *> argv_pointers = pointers(argv);
    const std::vector<char *> environment_pointers = pointers(environment);

    UniqueFd null_input;
    std::vector<std::pair<int, int>> wanted = command.descriptors;
    if (command.standard_input) {
        wanted.emplace_back(*command.standard_input, 0);
    } else {
        null_input = UniqueFd{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
        wanted.emplace_back(null_input.get(), 0);
    }
    wanted.emplace_back(command.standard_output.value_or(1), 1);
    wanted.emplace_back(command.standard_error.value_or(2), 2);
    std::sort(wanted.begin(), wanted.end(),
              [](const auto &a, const auto &b) { return a.second < b.second; });
    const int highest = wanted.back().second;

    // Copies above every target, so that no dup2 overwrites a source that is still needed.
    std::vector<UniqueFd> copies;
    std::vector<std::pair<int, int>> moves;
    for (const auto &[source, target] : wanted) {
        UniqueFd copy{::fcntl(source, F_DUPFD_CLOEXEC, highest + 2)};
        if (!copy) {
            throw_errno(fmt::format("pass a descriptor to {}", argv.front()));
        }
        moves.emplace_back(copy.get(), target);
        copies.push_back(std::move(copy));
    }
    FdPair raw = make_pipe();
    UniqueFd error_out{::fcntl(raw.second.get(), F_DUPFD_CLOEXEC, highest + 2)};
    raw.second.reset();

    const ChildPlan plan{
        .argv = argv_pointers.data(),
        .environment = environment_pointers.data(),
        .working_directory =
            command.working_directory.empty() ? nullptr : command.working_directory.c_str(),
        .moves = moves.data(),
        .move_count = moves.size(),
        .highest_target = highest,
        .error_pipe = error_out.get(),
        .own_process_group = command.own_process_group,
        .die_with_parent = command.die_with_parent,
        .parent = ::getpid(),
    };
    const pid_t pid = ::fork();
    if (pid < 0) {
        throw_errno(fmt::format("start {}", argv.front()));
    }
    if (pid == 0) {
        become(plan);
    }
    error_out.reset();
    int error = 0;
    ssize_t n = 0;
    do {
        n = ::read(raw.first.get(), &error, sizeof error);
    } while (n < 0 && errno == EINTR);
    if (n == static_cast<ssize_t>(sizeof error)) {
        ::waitpid(pid, nullptr, 0);
        throw_errno(fmt::format("start {}", argv.front()), error);
    }
    return ChildProcess{pid, command.own_process_group};
}

ChildProcess::ChildProcess(ChildProcess &&other) noexcept
    : pid_(std::exchange(other.pid_, -1)), group_(other.group_), watch_(std::move(other.watch_)),
      dead_(std::move(other.dead_)) {}

ChildProcess &ChildProcess::operator=(ChildProcess &&other) noexcept {
    if (this != &other) {
        abandon();
        pid_ = std::exchange(other.pid_, -1);
        group_ = other.group_;
        watch_ = std::move(other.watch_);
        dead_ = std::move(other.dead_);
    }
    return *this;
}

ChildProcess::~ChildProcess() {
    abandon();
}

void ChildProcess::abandon() noexcept {
    watch_.reset();
    if (pid_ > 0 && dead_ && !*dead_) {
        kill(SIGKILL);
        while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
        }
    }
    pid_ = -1;
}

void ChildProcess::kill(int signal_number) noexcept {
    if (pid_ > 0 && dead_ && !*dead_) {
        ::kill(group_ ? -pid_ : pid_, signal_number);
    }
}

int ChildProcess::wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
        if (errno != EINTR) {
            throw_errno("wait for a child process");
        }
    }
    *dead_ = true;
    return status;
}

void ChildProcess::on_exit(EventLoop &loop, std::function<void(int)> callback) {
    watch_ = std::make_unique<EventSource>(
        loop.add_child(pid_, [dead = dead_, callback = std::move(callback)](int status) {
            *dead = true;
            callback(status);
        }));
}

std::string describe_exit(int status) {
    if (WIFSIGNALED(status)) {
        const char *name = ::sigabbrev_np(WTERMSIG(status));
        return name != nullptr ? fmt::format("was killed by SIG{}", name)
                               : fmt::format("was killed by signal {}", WTERMSIG(status));
    }
    return fmt::format("exited with status {}", WEXITSTATUS(status));
}

std::string run_and_read(Command command, std::size_t limit) {
    FdPair out = make_pipe();
    FdPair err = make_pipe();
    command.standard_output = out.second.get();
    command.standard_error = err.second.get();
    ChildProcess child = spawn(command);
    out.second.reset();
    err.second.reset();

    std::string output;
    std::string complaint;
    std::array<pollfd, 2> polls{{{out.first.get(), POLLIN, 0}, {err.first.get(), POLLIN, 0}}};
    std::array<char, 65536> buffer{};
    while (polls[0].fd >= 0 || polls[1].fd >= 0) {
        if (::poll(polls.data(), polls.size(), -1) < 0 && errno != EINTR) {
            throw_errno(fmt::format("read from {}", command.argv.front()));
        }
        for (std::size_t i = 0; i < polls.size(); ++i) {
            if (polls[i].fd < 0 || polls[i].revents == 0) {
                continue;
            }
            const ssize_t n = ::read(polls[i].fd, buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR) {
                continue;
            }
            if (n <= 0) {
                polls[i].fd = -1;
                continue;
            }
            std::string &sink = i == 0 ? output : complaint;
            sink.append(buffer.data(), static_cast<std::size_t>(n));
            if (i == 1 && complaint.size() > 4096) {
                complaint.erase(0, complaint.size() - 4096);
            }
            if (output.size() > limit) {
                fail(ErrorCode::LimitsExceeded, "{} wrote more than {} bytes", command.argv.front(),
                     limit);
            }
        }
    }
    if (const int status = child.wait(); status != 0) {
        while (!complaint.empty() && complaint.back() == '\n') {
            complaint.pop_back();
        }
        fail(ErrorCode::Internal, "{} {}: {}", command.argv.front(), describe_exit(status),
             complaint);
    }
    return output;
}

} // namespace banger
