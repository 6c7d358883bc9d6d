#pragma once

#include "daemon/bus/domain.hpp"
#include "dbus/compat.hpp"

#include <org.banger.Image_adaptor.hpp>
#include <org.banger.Kernel_adaptor.hpp>

namespace banger::bus {

/// One image on the bus, as long as it lives.
class ImageAdaptor final
    : public sdbus::AdaptorInterfaces<org::banger::Image_adaptor, sdbus::Properties_adaptor,
                                      sdbus::ManagedObject_adaptor> {
public:
    ImageAdaptor(sdbus::IConnection &bus, DomainAccess domain, image::Image image);
    ~ImageAdaptor();
    ImageAdaptor(const ImageAdaptor &) = delete;
    ImageAdaptor &operator=(const ImageAdaptor &) = delete;

    /// The name now means another build.
    void update(image::Image image);

private:
    void Delete() override;
    std::string Name() override { return image_.name; }
    std::string Digest() override { return "sha256:" + image_.digest; }
    std::string Source() override { return image_.source; }
    std::string Kernel() override { return image_.kernel; }
    std::vector<std::string> Environment() override { return image_.run.environment; }
    std::string WorkingDirectory() override { return image_.run.working_directory; }
    std::string User() override { return image_.run.user; }
    std::vector<std::string> Entrypoint() override { return image_.run.entrypoint; }
    std::vector<std::string> Command() override { return image_.run.command; }
    std::uint64_t SizeBytes() override { return image_.disk_bytes; }
    std::uint64_t CreatedAt() override;

    DomainAccess domain_;
    image::Image image_;
};

/// One kernel on the bus, as long as it lives.
class KernelAdaptor final
    : public sdbus::AdaptorInterfaces<org::banger::Kernel_adaptor, sdbus::Properties_adaptor,
                                      sdbus::ManagedObject_adaptor> {
public:
    KernelAdaptor(sdbus::IConnection &bus, DomainAccess domain, kernel::Kernel kernel);
    ~KernelAdaptor();
    KernelAdaptor(const KernelAdaptor &) = delete;
    KernelAdaptor &operator=(const KernelAdaptor &) = delete;

private:
    void Delete() override;
    std::string Name() override { return kernel_.name; }
    std::string Version() override { return kernel_.release; }
    std::string Digest() override { return "sha256:" + kernel_.digest; }
    std::string Source() override;
    std::uint64_t SizeBytes() override { return kernel_.size; }
    std::uint64_t CreatedAt() override;

    DomainAccess domain_;
    kernel::Kernel kernel_;
};

} // namespace banger::bus
