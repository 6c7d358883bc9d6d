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
    emitPropertiesChangedSignal(InterfaceName{"org.banger.Image"},
                                {PropertyName{"Digest"}, PropertyName{"Source"},
                                 PropertyName{"Kernel"}, PropertyName{"Environment"},
                                 PropertyName{"WorkingDirectory"}, PropertyName{"User"},
                                 PropertyName{"Entrypoint"}, PropertyName{"Command"},
                                 PropertyName{"SizeBytes"}, PropertyName{"CreatedAt"}});
}

void ImageAdaptor::Delete() {
    guard([&] { domain_().images.remove(image_.name); });
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

void KernelAdaptor::Delete() {
    guard([&] { domain_().kernels.remove(kernel_.name); });
}

std::string KernelAdaptor::Source() {
    return fmt::format("{}:{} {}", kernel_.distro, kernel_.suite, kernel_.package_version);
}

std::uint64_t KernelAdaptor::CreatedAt() {
    return usec(kernel_.created);
}

} // namespace banger::bus
