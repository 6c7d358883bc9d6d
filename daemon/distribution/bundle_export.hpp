#pragma once

#include "daemon/distribution/catalog_service.hpp"
#include "daemon/image/registry.hpp"
#include "daemon/kernel/registry.hpp"

#include <filesystem>
#include <string>

namespace banger::distribution {

struct ExportRequest {
    std::string name;             ///< of an image or a kernel that is there
    std::filesystem::path output; ///< absolute
    bool replace = false;         ///< also where `output` is there
};

/// Makes bundles, for others to pull.
class BundleExport {
public:
    /// All must outlive it.
    BundleExport(const image::Registry &images, const kernel::Registry &kernels,
                 JobWorkers &workers, JobFactory new_job);

    /// Throw Error{NotFound}, InvalidArgument for a path that is not absolute, AlreadyExists.
    std::shared_ptr<job::Job> export_image(const ExportRequest &request);
    std::shared_ptr<job::Job> export_kernel(const ExportRequest &request);

private:
    std::shared_ptr<job::Job> pack(const std::string &kind, const std::filesystem::path &directory,
                                   const ExportRequest &request);

    const image::Registry &images_;
    const kernel::Registry &kernels_;
    JobWorkers &workers_;
    JobFactory new_job_;
};

} // namespace banger::distribution
