#pragma once

#include "base/outcome.hpp"
#include "daemon/image/registry.hpp"
#include "daemon/job/job.hpp"
#include "daemon/kernel/registry.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

namespace banger::vm {

/// The images and kernels that VMs are made from, seen from the VMs.
class Artifacts {
public:
    virtual ~Artifacts() = default;

    /// `wanted` is an image's name, or an OCI reference.
    virtual std::optional<image::Image> find_image(std::string_view wanted) const = 0;
    virtual std::optional<image::Image> find_image_digest(std::string_view digest) const = 0;
    /// The name that it has, or will have. Throws Error{NotFound} that lists what there is when it
    /// is neither there nor can be made.
    virtual std::string check_image(std::string_view wanted) const = 0;
    /// Builds or fetches it; Throws Error.
    virtual std::shared_ptr<job::Job> make_image(std::string_view wanted) = 0;

    virtual std::optional<kernel::Kernel> find_kernel(std::string_view name) const = 0;
    virtual void check_kernel(std::string_view name) const = 0;
    virtual std::shared_ptr<job::Job> pull_kernel(std::string_view name) = 0;
    /// Calls back later.
    virtual void initramfs(const kernel::Kernel &kernel,
                           std::function<void(Outcome<std::filesystem::path>)> done) = 0;

    /// A VM was deleted: what only it used may go.
    virtual void collect_garbage() = 0;
};

} // namespace banger::vm
