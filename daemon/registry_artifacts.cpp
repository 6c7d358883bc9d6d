#include "daemon/registry_artifacts.hpp"

namespace banger {

std::optional<image::Image> RegistryArtifacts::find_image(std::string_view wanted) const {
    return images_->find_wanted(wanted);
}

std::optional<image::Image> RegistryArtifacts::find_image_digest(std::string_view digest) const {
    return images_->find_digest(digest);
}

std::string RegistryArtifacts::check_image(std::string_view wanted) const {
    const auto image = images_->find_wanted(wanted);
    return image ? image->name : images_->name_of({std::string(wanted), {}, {}, {}, false});
}

std::shared_ptr<job::Job> RegistryArtifacts::make_image(std::string_view wanted) {
    return images_->pull({std::string(wanted), {}, {}, config_().registries, true});
}

std::optional<kernel::Kernel> RegistryArtifacts::find_kernel(std::string_view name) const {
    return kernels_->find(name);
}

void RegistryArtifacts::check_kernel(std::string_view name) const {
    if (kernels_->find(name) || kernels_->can_pull(name)) {
        return;
    }
    fail(ErrorCode::NotFound,
         "there is no kernel '{}'; what can be pulled: {}, and what 'banger kernel list "
         "--available' shows",
         name, fmt::join(kernel::Registry::available(), ", "));
}

std::shared_ptr<job::Job> RegistryArtifacts::pull_kernel(std::string_view name) {
    return kernels_->pull(name);
}

void RegistryArtifacts::initramfs(const kernel::Kernel &kernel,
                                  std::function<void(Outcome<std::filesystem::path>)> done) {
    kernels_->initramfs(kernel, [done = std::move(done)](std::optional<Error> error,
                                                         const std::filesystem::path &initramfs) {
        if (error) {
            done(*error);
        } else {
            done(initramfs);
        }
    });
}

void RegistryArtifacts::collect_garbage() {
    images_->collect_garbage();
}

} // namespace banger
