#pragma once

#include "agent/agent/cgroup.hpp"
#include "agent/agent/environment.hpp"
#include "agent/agent/users.hpp"
#include "base/unique_fd.hpp"

#include <sys/types.h>

#include <functional>
#include <string>
#include <vector>

namespace banger::agent {

/// A program to start in the guest.
struct Launch {
    std::vector<std::string> argv;
    std::string file; ///< what to execute; empty: argv[0], looked up in the environment's PATH
    Environment environment;
    std::string cwd;
    User user;
    int standard_input = -1;
    int standard_output = -1;
    int standard_error = -1;
    bool controlling_terminal = false; ///< standard input is the slave of a terminal
    const Cgroup *cgroup = nullptr;
};

struct Launched {
    pid_t pid = -1;
    /// Becomes readable when the program has begun (end of file) or could not (a LaunchFailure).
    UniqueFd progress;
};

/// Why a child could not become its program.
struct LaunchFailure {
    int error_number = 0;
    char step[32] = {}; ///< "execute", "change to the directory" …
};

/// Forks; the child makes a session of its own. Throws Error.
Launched launch(const Launch &what);

/// Forks a child of the agent itself that runs `body` and exits with what it returns; it has the
/// listed descriptors only, besides 0, 1 and 2.
pid_t fork_helper(const std::vector<int> &keep, const std::function<int()> &body);

/// "INT" → SIGINT, also numbers; 0 for a name that is not known.
int signal_number(std::string_view name);
/// SIGINT → "INT".
std::string signal_name(int number);

} // namespace banger::agent
