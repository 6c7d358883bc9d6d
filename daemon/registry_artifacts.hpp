#pragma once

#include "daemon/vm/artifacts.hpp"

namespace banger {

/// vm::Artifacts by the two registries.
class RegistryArtifacts final : public vm::Artifacts {
public:
    /// Both must outlive it. They are set after construction, because they ask the VMs who uses
    /// what.
    void connect(image::Registry &images, kernel::Registry &kernels) {
        images_ = &images;
        kernels_ = &kernels;
    }
    /// Reads the configuration anew: how registries are reached.
    explicit RegistryArtifacts(std::function<config::Config()> config)
        : config_(std::move(config)) {}

    std::optional<image::Image> find_image(std::string_view wanted) const override;
    std::optional<image::Image> find_image_digest(std::string_view digest) const override;
    std::string check_image(std::string_view wanted) const override;
    std::shared_ptr<job::Job> make_image(std::string_view wanted) override;
    std::optional<kernel::Kernel> find_kernel(std::string_view name) const override;
    void check_kernel(std::string_view name) const override;
    std::shared_ptr<job::Job> pull_kernel(std::string_view name) override;
    void initramfs(const kernel::Kernel &kernel,
                   std::function<void(Outcome<std::filesystem::path>)> done) override;
    void collect_garbage() override;

private:
    std::function<config::Config()> config_;
    image::Registry *images_ = nullptr;
    kernel::Registry *kernels_ = nullptr;
};

} // namespace banger
