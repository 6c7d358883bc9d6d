#pragma once

#include "base/error.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace banger::vm {

enum class State { Created, Starting, Running, Stopping, Stopped, Failed };
/// "created", "starting" … as the bus has it.
std::string_view to_string(State state) noexcept;

/// All that is known of a VM at one moment; plain data for the bus, the zone and tests.
struct View {
    std::string name;
    std::string id;
    State state = State::Created;
    bool login_ready = false;
    bool boot_finished = false;
    std::string boot_status; ///< what the guest's init says it is doing
    std::string image;
    std::string image_digest;
    std::string kernel;
    std::string ip_address; ///< empty until this user has a network
    std::string host_name;  ///< "sandbox.vm"
    std::uint32_t vcpus = 0;
    std::uint64_t memory_mib = 0;
    std::uint64_t disk_bytes = 0;
    std::uint64_t overlay_bytes = 0;
    bool nat = false;
    bool allow_host = false;
    std::string unit; ///< "banger-vm@sandbox.service"
    std::string vmm;  ///< of the last start
    std::string vmm_reason;
    std::string workspace;
    std::uint64_t created_usec = 0;
    std::uint64_t started_usec = 0; ///< 0: never
    std::string error_kind;         ///< name of an ErrorCode; empty: no error
    std::string error_message;
    /// (stage, microseconds since the start of the unit)
    std::vector<std::pair<std::string, std::uint64_t>> boot_timings;
};

} // namespace banger::vm
