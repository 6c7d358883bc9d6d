#pragma once

#include "daemon/bus/artifact_adaptors.hpp"
#include "daemon/bus/domain.hpp"
#include "daemon/bus/job_adaptor.hpp"
#include "daemon/bus/vm_adaptor.hpp"

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace banger::bus {

/// The objects below /org/banger/Manager: one for each VM, image, kernel and job, as long as that
/// is there. The domain must outlive it.
class Objects {
public:
    Objects(sdbus::IConnection &bus, Domain &domain, DomainAccess access);
    Objects(const Objects &) = delete;
    Objects &operator=(const Objects &) = delete;

    void add_job(const std::shared_ptr<job::Job> &job);
    void change_job(std::uint32_t id);
    void remove_job(std::uint32_t id);

private:
    void observe_vms();
    void observe_artifacts();
    void bury(std::shared_ptr<void> adaptor);
    template <typename Map, typename Key>
    void remove(Map &map, const Key &key) {
        if (auto node = map.extract(key)) {
            bury(std::move(node.mapped()));
        }
    }

    sdbus::IConnection &bus_;
    Domain &domain_;
    DomainAccess access_;
    std::map<std::string, std::shared_ptr<VmAdaptor>> vms_;
    std::map<std::string, std::shared_ptr<ImageAdaptor>> images_;
    std::map<std::string, std::shared_ptr<KernelAdaptor>> kernels_;
    std::map<std::uint32_t, std::shared_ptr<JobAdaptor>> jobs_;
    // An object may go while one of its own methods is being handled.
    std::vector<std::shared_ptr<void>> graveyard_;
    EventSource burial_;
};

} // namespace banger::bus
