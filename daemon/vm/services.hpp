#pragma once

#include "base/event_loop.hpp"
#include "base/paths.hpp"
#include "daemon/config/config.hpp"
#include "daemon/config/shape.hpp"
#include "daemon/job/job_table.hpp"
#include "daemon/net/network_helper.hpp"
#include "daemon/store/store.hpp"
#include "daemon/vm/artifacts.hpp"
#include "daemon/vm/unit_manager.hpp"
#include "daemon/vmm/detect.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace banger::vm {

/// Whom the VMs' code works with. All outlive it.
struct Services {
    EventLoop &loop;
    Paths paths;
    store::Store &store;
    job::JobTable &jobs;
    UnitManager &units;
    net::NetworkHelper &network;
    Artifacts &artifacts;
    config::HostSize host;
    std::filesystem::path image_worker; ///< banger-image-worker
    /// Reads config.toml anew; throws Error{InvalidArgument}.
    std::function<config::Config()> config;
    /// Throws Error that says what to install or whom to ask.
    std::function<vmm::Selection(const config::Config &)> choose_vmm;
    /// CLOCK_REALTIME in microseconds.
    std::function<std::uint64_t()> now_usec;
};

} // namespace banger::vm
