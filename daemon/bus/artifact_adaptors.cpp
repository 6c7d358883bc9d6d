#include "daemon/bus/artifact_adaptors.hpp"

#include "daemon/bus/object_paths.hpp"
#include "dbus/guard.hpp"

namespace banger::bus {
namespace {

std::uint64_t usec(std::int64_t seconds) {
    constexpr std::uint64_t usec_per_sec = 1'000'000;
    return seconds < 0 ? 0 : static_cast<std::uint64_t>(seconds) * usec_per_sec;
}

} // namespace

ImageAdaptor::ImageAdaptor(sdbus::IConnection &bus, DomainAccess domain, image::Image image)
    : AdaptorInterfaces(bus, image_path(image.name)), domain_(std::move(domain)),
      image_(std::move(image)) {
    registerAdaptor();
    emitInterfacesAddedSignal();
}

ImageAdaptor::~ImageAdaptor() {
    emitInterfacesRemovedSignal();
    unregisterAdaptor();
}

void ImageAdaptor::update(image::Image image) {
    image_ = std::move(image);
    emitPropertiesChangedSignal(
        InterfaceName{"org.banger.Image"},
        {PropertyName{"Digest"}, PropertyName{"Source"}, PropertyName{"Environment"},
         PropertyName{"WorkingDirectory"}, PropertyName{"User"}, PropertyName{"Entrypoint"},
         PropertyName{"Command"}, PropertyName{"Manifest"}, PropertyName{"RegisteredFile"},
         PropertyName{"Kernel"}, PropertyName{"Recipe"}, PropertyName{"Packages"},
         PropertyName{"ExtraPackages"}, PropertyName{"Parts"}, PropertyName{"FileSystemBytes"},
         PropertyName{"SizeBytes"}, PropertyName{"CreatedAt"}});
}

std::vector<sdbus::Struct<std::string, bool, std::string>> ImageAdaptor::Parts() {
    std::vector<sdbus::Struct<std::string, bool, std::string>> parts;
    for (const image::Part &part : image_.build.parts) {
        parts.push_back(sdbus::make_struct(part.name, part.included, part.reason));
    }
    return parts;
}

void ImageAdaptor::Delete() {
    guard([&] { domain_().images.remove(image_.name); });
}

std::uint64_t ImageAdaptor::OwnBytes() {
    return guard([&] { return domain_().images.usage_of(image_.name).own; });
}

std::uint64_t ImageAdaptor::SharedBytes() {
    return guard([&] { return domain_().images.usage_of(image_.name).shared; });
}

std::vector<std::string> ImageAdaptor::UsedBy() {
    return guard([&] { return domain_().images.usage_of(image_.name).vms; });
}

std::uint64_t ImageAdaptor::CreatedAt() {
    return usec(image_.created);
}

KernelAdaptor::KernelAdaptor(sdbus::IConnection &bus, DomainAccess domain, kernel::Kernel kernel)
    : AdaptorInterfaces(bus, kernel_path(kernel.name)), domain_(std::move(domain)),
      kernel_(std::move(kernel)) {
    registerAdaptor();
    emitInterfacesAddedSignal();
}

KernelAdaptor::~KernelAdaptor() {
    emitInterfacesRemovedSignal();
    unregisterAdaptor();
}

void KernelAdaptor::update(kernel::Kernel kernel) {
    kernel_ = std::move(kernel);
    emitPropertiesChangedSignal(
        InterfaceName{"org.banger.Kernel"},
        {PropertyName{"Version"}, PropertyName{"PackageVersion"}, PropertyName{"Distro"},
         PropertyName{"Suite"}, PropertyName{"Source"}, PropertyName{"Digest"},
         PropertyName{"SizeBytes"}, PropertyName{"CreatedAt"}, PropertyName{"HasModules"},
         PropertyName{"HasInitrd"}, PropertyName{"Missing"}, PropertyName{"FeaturesKnown"}});
}

void KernelAdaptor::Delete() {
    guard([&] { domain_().kernels.remove(kernel_.name); });
}

std::string KernelAdaptor::Source() {
    // 0.1 wrote none, and had none but Debian's.
    return kernel_.source.empty()
               ? fmt::format("Debian {}, linux-image-{}", kernel_.suite, kernel_.release)
               : kernel_.source;
}

std::vector<std::string> KernelAdaptor::UsedBy() {
    return guard([&] { return domain_().kernels.users(kernel_.name); });
}

std::uint64_t KernelAdaptor::CreatedAt() {
    return usec(kernel_.created);
}

} // namespace banger::bus
