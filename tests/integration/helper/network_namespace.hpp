#pragma once

#include "base/process.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <string>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace banger::test {

/// Runs a program of the test's and returns what it prints. Throws Error when it fails.
inline std::string run_program(std::vector<std::string> arguments) {
    Command command;
    command.argv = std::move(arguments);
    return run_and_read(std::move(command));
}

/// A network namespace that lives as long as this and what is in it.
class NetworkNamespace {
public:
    NetworkNamespace() {
        std::thread maker([this] {
            if (unshare(CLONE_NEWNET) == 0) {
                fd_ = UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
                // A new namespace takes this over from the machine, which may forward.
                std::ofstream("/proc/sys/net/ipv4/ip_forward") << "0\n";
            }
        });
        maker.join();
        if (!fd_) {
            throw std::system_error(errno, std::generic_category(), "make a network namespace");
        }
        ip({"link", "set", "lo", "up"});
    }

    /// Runs `body` with this thread in the namespace; sockets that it makes stay there.
    template <typename Body>
    auto in(Body &&body) {
        const Visit visit(fd_.get());
        return std::forward<Body>(body)();
    }

    /// Runs ip(8) with these arguments in it.
    std::string ip(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), "ip");
        return in([&] { return run_program(std::move(arguments)); });
    }

    int fd() const { return fd_.get(); }
    /// For ip(8), as its argument of `netns`.
    std::string path() const { return fmt::format("/proc/{}/fd/{}", getpid(), fd_.get()); }

private:
    class Visit {
    public:
        explicit Visit(int fd) : home_(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC)) {
            enter(fd);
        }
        ~Visit() { setns(home_.get(), CLONE_NEWNET); }
        Visit(const Visit &) = delete;
        Visit &operator=(const Visit &) = delete;

    private:
        static void enter(int fd) {
            if (setns(fd, CLONE_NEWNET) != 0) {
                throw std::system_error(errno, std::generic_category(), "enter a namespace");
            }
        }
        UniqueFd home_;
    };

    UniqueFd fd_;
};

} // namespace banger::test
