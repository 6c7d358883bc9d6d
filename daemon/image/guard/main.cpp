// banger-build-guard DIRECTORY COMMAND…: runs a build's command so that nothing of it outlives
// bangerd.
//
// The command has this process's standard streams and process group. When this process's parent
// dies, the group gets SIGKILL: with it goes what is the first process of a namespace of PIDs
// (pid_namespaces(7)), which no one else may be there to kill, and with that all that is in there.
// DIRECTORY is locked (flock(2)) as long as anything of the command runs. The exit status is the
// command's; a signal that killed the command kills this process, too.

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/process.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <span>

namespace banger::image {
namespace {

constexpr int parent_died = SIGHUP;
constexpr int lock_in_child = 3;

void kill_group(int /*signal*/) {
    ::kill(0, SIGKILL);
}

UniqueFd locked(const char *directory) {
    UniqueFd lock = open_file(directory, O_RDONLY | O_DIRECTORY);
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
        throw_errno(fmt::format("lock {}", directory));
    }
    return lock;
}

int run(const char *directory, std::span<char *> argv) {
    const pid_t parent = ::getppid();
    if (::signal(parent_died, kill_group) == SIG_ERR ||
        ::prctl(PR_SET_PDEATHSIG, parent_died) != 0) {
        throw_errno("be told of the parent's death");
    }
    if (::getppid() != parent) {
        kill_group(parent_died); // it died before prctl()
    }
    // bangerd stops the group by it; the command ends by that as it sees fit.
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    ::sigprocmask(SIG_BLOCK, &stop, nullptr);

    UniqueFd lock = locked(directory);
    Command command;
    command.argv.assign(argv.begin(), argv.end());
    command.standard_input = 0;
    command.descriptors = {{lock.get(), lock_in_child}};
    command.own_process_group = false;
    command.die_with_parent = true;
    ChildProcess child = spawn(command);
    lock.reset();
    sigset_t pending;
    if (::sigpending(&pending) == 0 && sigismember(&pending, SIGTERM) == 1) {
        child.kill(SIGTERM); // which may have come before there was a child
    }
    const int status = child.wait();
    if (WIFSIGNALED(status)) {
        ::signal(WTERMSIG(status), SIG_DFL);
        ::sigprocmask(SIG_UNBLOCK, &stop, nullptr);
        ::raise(WTERMSIG(status));
    }
    return WEXITSTATUS(status);
}

} // namespace
} // namespace banger::image

int main(int argc, char **argv) {
    if (argc < 3) {
        fmt::print(stderr, "usage: banger-build-guard DIRECTORY COMMAND…\n");
        return 2;
    }
    try {
        return banger::image::run(argv[1],
                                  std::span{argv, static_cast<std::size_t>(argc)}.subspan(2));
    } catch (const std::exception &error) {
        fmt::print(stderr, "E: {}\n", error.what()); // as mmdebstrap says it
        return 127;
    }
}
