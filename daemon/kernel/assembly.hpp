#pragma once

#include "daemon/kernel/registry.hpp"
#include "daemon/task/worker_task.hpp"

namespace banger::kernel {

/// The making of one initramfs, and all who wait for it.
class Registry::Assembly {
public:
    Assembly(Registry &registry, const Kernel &kernel, std::filesystem::path target);

    void wait(InitramfsReady ready) { waiting_.push_back(std::move(ready)); }

private:
    void finish(const Outcome<nlohmann::json> &result);

    Registry &registry_;
    std::filesystem::path target_;
    std::vector<InitramfsReady> waiting_;
    std::unique_ptr<task::WorkerTask> worker_;
    EventSource later_;
};

} // namespace banger::kernel
