#pragma once

#include "agent/channel/messages.hpp"
#include "base/error.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// What is said on `supervisor.sock` (docs/architecture.md), as values.
namespace banger::supervisor {

constexpr int control_version = 1;

struct SubscribeRequest {};
struct ExecRequest {
    channel::ExecSpec spec; ///< attach_… as `streams` says
    /// "stdin", "stdout", "stderr": one descriptor each, in this order.
    std::vector<std::string> streams;
};
struct OpenRequest {
    std::string target; ///< "tcp:22", "unix:/path"
};
struct PutFilesRequest {
    std::string directory;
};
struct IdentityRequest {
    std::string identity; ///< JSON
};
using Operation =
    std::variant<SubscribeRequest, ExecRequest, OpenRequest, PutFilesRequest, IdentityRequest>;

/// The id of a request, and 0 for what has none: enough to answer one that is wrong otherwise.
std::uint64_t request_id(std::string_view text) noexcept;
/// Throws Error{InvalidArgument} for what is no request, Error{Unsupported} for an unknown `op`.
Operation parse_operation(std::string_view text);

enum class Stage { Preparing, VmmStarted, AgentReady, Stopping };
std::string_view to_string(Stage stage) noexcept;

/// What a subscriber is told, at once and at each change.
struct MachineState {
    Stage stage = Stage::Preparing;
    bool login_ready = false;
    bool boot_finished = false;
    std::string status;
    /// Stage names and the microseconds from the supervisor's start to their beginning.
    std::vector<std::pair<std::string, std::uint64_t>> timings;
};

std::string hello_packet(std::string_view name);
std::string state_packet(const MachineState &state);
std::string ok_packet(std::uint64_t id);
/// `ok` for put-files.
std::string ok_packet(std::uint64_t id, std::uint64_t entries, std::uint64_t bytes);
std::string error_packet(std::uint64_t id, const Error &error);

/// On an exec's control socket.
std::string lost_packet(std::string_view why);

} // namespace banger::supervisor
