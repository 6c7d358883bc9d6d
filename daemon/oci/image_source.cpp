#include "daemon/oci/image_source.hpp"

#include "daemon/oci/docker_archive.hpp"
#include "daemon/oci/layout.hpp"
#include "daemon/oci/registry_source.hpp"

namespace banger::oci {
namespace {

struct Open {
    const Settings &settings;

    std::unique_ptr<ImageSource> operator()(const RegistryReference &reference) const {
        return std::make_unique<RegistrySource>(reference, settings);
    }
    std::unique_ptr<ImageSource> operator()(const OciDirectoryReference &reference) const {
        return std::make_unique<OciDirectory>(reference);
    }
    std::unique_ptr<ImageSource> operator()(const DockerArchiveReference &reference) const {
        return std::make_unique<DockerArchive>(reference, settings);
    }
};

} // namespace

std::unique_ptr<ImageSource> open_source(const Reference &reference, const Settings &settings) {
    return std::visit(Open{settings}, reference);
}

} // namespace banger::oci
