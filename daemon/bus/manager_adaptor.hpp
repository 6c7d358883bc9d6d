#pragma once

#include "daemon/bus/diagnosis.hpp"
#include "daemon/bus/domain.hpp"
#include "dbus/compat.hpp"
#include "dbus/options.hpp"

#include <org.banger.Manager_adaptor.hpp>

namespace banger::bus {

/// /org/banger/Manager: the entry, and the ObjectManager of all below it.
class ManagerAdaptor final
    : public sdbus::AdaptorInterfaces<org::banger::Manager_adaptor, sdbus::ObjectManager_adaptor,
                                      sdbus::Properties_adaptor> {
public:
    ManagerAdaptor(sdbus::IConnection &bus, DomainAccess domain, Diagnosis diagnosis);
    ~ManagerAdaptor();
    ManagerAdaptor(const ManagerAdaptor &) = delete;
    ManagerAdaptor &operator=(const ManagerAdaptor &) = delete;

    void tell_new_job(std::uint32_t id);
    void tell_ended_job(const job::Snapshot &job);

private:
    sdbus::ObjectPath CreateVM(const std::string &name, const Options &options) override;
    sdbus::ObjectPath StartVM(const std::string &name, const Options &options) override;
    sdbus::ObjectPath StopVM(const std::string &name, const Options &options) override;
    sdbus::ObjectPath DeleteVM(const std::string &name, const Options &options) override;
    sdbus::ObjectPath GetVM(const std::string &name) override;
    std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> ListVMs() override;
    sdbus::ObjectPath BuildImage(const std::string &name, const Options &options) override;
    sdbus::ObjectPath PullImage(const std::string &reference, const Options &options) override;
    sdbus::ObjectPath RegisterImage(const std::string &name, const Options &options) override;
    sdbus::ObjectPath PromoteImage(const std::string &name, const Options &options) override;
    void ListImageCache(
        sdbus::Result<std::vector<sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>>>
            &&result) override;
    sdbus::ObjectPath PruneImageCache(const Options &options) override;
    void DeleteImage(const std::string &name) override;
    std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> ListImages() override;
    std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>>
    ListAvailableImages() override;
    sdbus::ObjectPath RefreshCatalog(const Options &options) override;
    sdbus::ObjectPath ExportImage(const std::string &name, const Options &options) override;
    sdbus::ObjectPath ExportKernel(const std::string &name, const Options &options) override;
    sdbus::ObjectPath PullKernel(const std::string &name, const Options &options) override;
    sdbus::ObjectPath ImportKernel(const std::string &name, const Options &options) override;
    sdbus::ObjectPath UpdateKernelList(const Options &options) override;
    std::vector<sdbus::Struct<std::string, std::string, std::string, bool>>
    ListAvailableKernels() override;
    sdbus::ObjectPath GetKernel(const std::string &name) override;
    void DeleteKernel(const std::string &name) override;
    std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> ListKernels() override;
    std::vector<
        sdbus::Struct<std::uint32_t, sdbus::ObjectPath, std::string, std::string, std::string>>
    ListJobs() override;
    void Diagnose(sdbus::Result<
                  std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>>>
                      &&result) override;
    std::string Version() override { return BANGER_VERSION; }
    std::string VMM() override;
    std::string VMMReason() override;
    std::vector<std::string> CatalogProblems() override;

    DomainAccess domain_;
    Diagnosis diagnosis_;
};

} // namespace banger::bus
