#pragma once

#include "base/event_loop.hpp"
#include "base/outcome.hpp"
#include "base/unique_fd.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace banger::vm {

/// How far a guest is, as its supervisor tells it.
struct GuestState {
    std::string stage; ///< "preparing", "vmm-started", "agent-ready", "stopping"
    bool login_ready = false;
    bool boot_finished = false;
    std::string status;                                         ///< what the guest's init says
    std::vector<std::pair<std::string, std::uint64_t>> timings; ///< (stage, microseconds)

    bool agent_ready() const { return stage == "agent-ready"; }
    bool operator==(const GuestState &) const = default;
};

struct Terminal {
    std::uint16_t rows = 24;
    std::uint16_t cols = 80;
    std::string term;
};

/// A program to run in the guest. Descriptors that are not given: no input, output to the unit's
/// journal.
struct ExecRequest {
    std::vector<std::string> argv; ///< empty: the login shell
    bool entrypoint = false;       ///< argv are arguments of the image's entrypoint
    std::vector<std::string> env;  ///< NAME=VALUE
    std::string cwd;
    std::string user;
    std::optional<Terminal> tty;
    bool detach = false;
    UniqueFd standard_input;
    UniqueFd standard_output;
    UniqueFd standard_error;
};

struct PutFilesResult {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
};

/// The client's end of supervisor.sock (docs/architecture.md). Never blocks. The supervisor is
/// another process: its packets are checked.
class SupervisorLink {
public:
    template <typename T>
    using Callback = std::function<void(Outcome<T>)>;
    struct Events {
        std::function<void(const GuestState &)> state;
        /// The connection has ended; all requests have been answered with an error.
        std::function<void()> closed;
    };

    /// Connects and subscribes. Throws Error when nobody listens.
    SupervisorLink(EventLoop &loop, const std::filesystem::path &socket, std::string vm,
                   Events events);
    ~SupervisorLink();
    SupervisorLink(const SupervisorLink &) = delete;
    SupervisorLink &operator=(const SupervisorLink &) = delete;

    /// Calls back with the control socket.
    void exec(ExecRequest request, Callback<UniqueFd> done);
    /// `target` is "tcp:22" or "unix:/path"; calls back with the stream.
    void open(const std::string &target, Callback<UniqueFd> done);
    /// Calls back when the whole archive is there.
    void put_files(const std::string &directory, UniqueFd archive, Callback<PutFilesResult> done);
    /// `identity_json` as identity::to_json() has it.
    void set_identity(const std::string &identity_json, Callback<void> done);

private:
    struct Impl;
    std::shared_ptr<Impl> impl_;
};

} // namespace banger::vm
