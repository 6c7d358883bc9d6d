#pragma once

#include "daemon/distribution/bundle_export.hpp"
#include "daemon/image/layer_cache.hpp"
#include "daemon/image/registry.hpp"
#include "daemon/job/job_table.hpp"
#include "daemon/kernel/registry.hpp"
#include "daemon/vm/vm_manager.hpp"

#include <functional>

namespace banger::bus {

/// What the adaptors translate to.
struct Domain {
    EventLoop &loop;
    vm::VmManager &vms;
    job::JobTable &jobs;
    image::Registry &images;
    image::LayerCache &layer_cache;
    kernel::Registry &kernels;
    vm::Artifacts &artifacts;
    distribution::CatalogService &catalogs;
    distribution::BundleExport &exports;
    /// Reads config.toml anew; throws Error{InvalidArgument}.
    std::function<config::Config()> config;
};

/// Every handler asks for the domain first: this counts as use of the daemon, and throws
/// Error{StateCorrupt} when the records cannot be read.
using DomainAccess = std::function<Domain &()>;

} // namespace banger::bus
