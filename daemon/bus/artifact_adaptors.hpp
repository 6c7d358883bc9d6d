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
    std::vector<std::string> Environment() override { return image_.run.environment; }
    std::string WorkingDirectory() override { return image_.run.working_directory; }
    std::string User() override { return image_.run.user; }
    std::vector<std::string> Entrypoint() override { return image_.run.entrypoint; }
    std::vector<std::string> Command() override { return image_.run.command; }
    std::string Manifest() override { return image_.manifest; }
    std::string RegisteredFile() override {
        return image_.registered ? image_.registered->file.string() : "";
    }
    std::string Kernel() override { return image_.kernel; }
    std::uint64_t FileSystemBytes() override { return image_.size; }
    std::string Recipe() override { return image_.build.recipe; }
    std::vector<std::string> Packages() override { return image_.packages; }
    std::vector<std::string> ExtraPackages() override { return image_.build.extra_packages; }
    std::vector<sdbus::Struct<std::string, bool, std::string>> Parts() override;
    std::uint64_t SizeBytes() override { return image_.disk_bytes; }
    std::uint64_t OwnBytes() override;
    std::uint64_t SharedBytes() override;
    std::vector<std::string> UsedBy() override;
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

    /// It has been replaced by another of its name.
    void update(kernel::Kernel kernel);

private:
    void Delete() override;
    std::string Name() override { return kernel_.name; }
    std::string Version() override { return kernel_.release; }
    std::string PackageVersion() override { return kernel_.package_version; }
    std::string Distro() override { return kernel_.distro; }
    std::string Suite() override { return kernel_.suite; }
    std::string Digest() override { return "sha256:" + kernel_.digest; }
    std::string Source() override;
    std::uint64_t SizeBytes() override { return kernel_.size; }
    std::uint64_t CreatedAt() override;
    bool HasModules() override { return kernel_.has_modules; }
    bool HasInitrd() override { return kernel_.has_initrd; }
    std::vector<std::string> Missing() override { return kernel_.missing; }
    bool FeaturesKnown() override { return kernel_.features_known; }
    std::vector<std::string> UsedBy() override;

    DomainAccess domain_;
    kernel::Kernel kernel_;
};

} // namespace banger::bus
