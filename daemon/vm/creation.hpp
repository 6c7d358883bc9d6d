#pragma once

#include "daemon/vm/fleet.hpp"

#include <functional>
#include <optional>
#include <string>

namespace banger::vm {

/// What CreateVM is asked for; what is not given comes from the configuration.
struct CreateRequest {
    std::string name;                  ///< empty: a generated one
    std::optional<std::string> image;  ///< a name, or an OCI reference
    std::optional<std::string> kernel; ///< none: the image's
    std::optional<std::uint32_t> vcpus;
    std::optional<std::uint64_t> memory_mib;
    std::optional<std::uint64_t> disk_bytes;
    std::optional<std::uint64_t> overlay_bytes;
    std::optional<bool> nat;
    std::optional<bool> allow_host;
    std::string workspace;
    bool start = false;
};

/// Checks all that can be checked (throws Error; then nothing has changed), then reserves name and
/// address and goes on in a job: image and kernel where they are missing, keys, record. When the
/// VM is there, `start` is called with the job, or the job ends. On failure or cancellation
/// everything is taken back.
std::shared_ptr<job::Job>
create(Services &services, Fleet &fleet, const CreateRequest &request,
       std::function<void(const VmName &, std::shared_ptr<job::Job>)> start);

/// Removes what is left of a VM that never came to be: files, then record.
void discard(Services &services, const VmName &name);

} // namespace banger::vm
