#pragma once

#include "daemon/bus/domain.hpp"
#include "dbus/compat.hpp"
#include "dbus/options.hpp"

#include <org.banger.VM_adaptor.hpp>

namespace banger::bus {

/// One VM on the bus, as long as it lives.
class VmAdaptor final
    : public sdbus::AdaptorInterfaces<org::banger::VM_adaptor, sdbus::Properties_adaptor,
                                      sdbus::ManagedObject_adaptor> {
public:
    VmAdaptor(sdbus::IConnection &bus, DomainAccess domain, vm::View view);
    ~VmAdaptor();
    VmAdaptor(const VmAdaptor &) = delete;
    VmAdaptor &operator=(const VmAdaptor &) = delete;

    /// Takes over the view and tells which properties have changed.
    void update(vm::View view);

private:
    sdbus::ObjectPath Start(const Options &options) override;
    sdbus::ObjectPath Stop(const Options &options) override;
    sdbus::ObjectPath Delete(const Options &options) override;
    void Exec(sdbus::Result<sdbus::UnixFd> &&result, std::vector<std::string> argv,
              Options options) override;
    void OpenStream(sdbus::Result<sdbus::UnixFd> &&result, Options options) override;
    void PutFiles(sdbus::Result<std::uint64_t, std::uint64_t> &&result, std::string directory,
                  sdbus::UnixFd archive, Options options) override;

    std::string Name() override { return view_.name; }
    std::string State() override { return std::string(vm::to_string(view_.state)); }
    bool LoginReady() override { return view_.login_ready; }
    bool BootFinished() override { return view_.boot_finished; }
    std::string BootStatus() override { return view_.boot_status; }
    std::string Image() override { return view_.image; }
    std::string ImageDigest() override { return view_.image_digest; }
    std::string Kernel() override { return view_.kernel; }
    std::string IPAddress() override { return view_.ip_address; }
    std::string HostName() override { return view_.host_name; }
    std::uint32_t VCPUs() override { return view_.vcpus; }
    std::uint64_t MemoryMiB() override { return view_.memory_mib; }
    std::uint64_t DiskBytes() override { return view_.disk_bytes; }
    std::uint64_t OverlayBytes() override { return view_.overlay_bytes; }
    bool NAT() override { return view_.nat; }
    bool AllowHost() override { return view_.allow_host; }
    std::string Unit() override { return view_.unit; }
    std::string VMM() override { return view_.vmm; }
    std::string VMMReason() override { return view_.vmm_reason; }
    std::string Workspace() override { return view_.workspace; }
    std::uint64_t CreatedAt() override { return view_.created_usec; }
    std::uint64_t StartedAt() override { return view_.started_usec; }
    sdbus::Struct<std::string, std::string> LastError() override;
    std::vector<sdbus::Struct<std::string, std::uint64_t>> BootTimings() override;

    DomainAccess domain_;
    vm::View view_;
};

/// StopVM's options. Throws Error{InvalidArgument}.
bool take_force(const Options &options);

} // namespace banger::bus
