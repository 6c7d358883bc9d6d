#pragma once

#include "cli/client.hpp"

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace banger::cli {

/// A program to run in a guest, and how it is tied to this process.
struct ExecRequest {
    std::vector<std::string> argv; ///< empty: the login shell
    /// As `docker run`: argv are arguments of the image's entrypoint; empty: of its command.
    bool entrypoint = false;
    std::vector<std::string> environment;
    std::string working_directory; ///< empty: the user's home
    std::string user;              ///< empty: root
    bool terminal = false;
    bool pass_input = true;
    bool detach = false;
};

/// How it ended: an exit status, or 128 + the number of the signal that killed it.
struct ExecResult {
    int status = 0;
    /// The signal by which the user ended this process, 0 if it is none of that.
    int interrupted_by = 0;
};

/// Runs the program through the VM's agent with our standard streams, and waits for its end: bytes
/// and signals go in, a terminal of ours is in raw mode meanwhile and its size follows. Three times
/// Ctrl-C, or SIGTERM and five seconds, end it by hanging up. Throws Error when it cannot be
/// started, or is lost.
ExecResult run_in_guest(Client &client, const sdbus::ObjectPath &vm, const ExecRequest &request);

} // namespace banger::cli
