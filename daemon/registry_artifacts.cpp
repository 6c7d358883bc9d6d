#include "daemon/registry_artifacts.hpp"

#include "daemon/image/recipe.hpp"

namespace banger {

std::optional<image::Image> RegistryArtifacts::find_image(std::string_view name) const {
    return images_->find(name);
}

std::optional<image::Image> RegistryArtifacts::find_image_digest(std::string_view digest) const {
    return images_->find_digest(digest);
}

void RegistryArtifacts::check_image(std::string_view name) const {
    if (images_->find(name) || image::find_recipe(name) != nullptr) {
        return;
    }
    std::string known;
    for (const auto &recipe : image::recipes()) {
        known += fmt::format("{}{}", known.empty() ? "" : ", ", recipe.name);
    }
    fail(ErrorCode::NotFound, "there is no image '{}', and the catalog has only: {}", name, known);
}

std::shared_ptr<job::Job> RegistryArtifacts::make_image(std::string_view name) {
    check_image(name);
    return images_->build(name);
}

std::optional<kernel::Kernel> RegistryArtifacts::find_kernel(std::string_view name) const {
    return kernels_->find(name);
}

void RegistryArtifacts::check_kernel(std::string_view name) const {
    if (kernels_->find(name) || kernel::Registry::can_pull(name)) {
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
