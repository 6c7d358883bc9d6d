#include "daemon/distribution/bundle_export.hpp"

namespace banger::distribution {

namespace fs = std::filesystem;

BundleExport::BundleExport(const image::Registry &images, const kernel::Registry &kernels,
                           JobWorkers &workers, JobFactory new_job)
    : images_(images), kernels_(kernels), workers_(workers), new_job_(std::move(new_job)) {}

std::shared_ptr<job::Job> BundleExport::export_image(const ExportRequest &request) {
    const auto image = images_.find(request.name);
    if (!image) {
        fail(ErrorCode::NotFound, "there is no image {:?}; `banger image list` shows what there is",
             request.name);
    }
    if (image->registered) {
        fail(ErrorCode::InvalidState,
             "the image {0} is the file {1}, which is not banger's: `banger image promote {0}` "
             "makes it so",
             image->name, image->registered->file.string());
    }
    return pack("image", image->directory, request);
}

std::shared_ptr<job::Job> BundleExport::export_kernel(const ExportRequest &request) {
    const auto kernel = kernels_.find(request.name);
    if (!kernel) {
        fail(ErrorCode::NotFound,
             "there is no kernel {:?}; `banger kernel list` shows what there is", request.name);
    }
    return pack("kernel", kernel->directory, request);
}

std::shared_ptr<job::Job> BundleExport::pack(const std::string &kind, const fs::path &directory,
                                             const ExportRequest &request) {
    if (!request.output.is_absolute() || !request.output.has_filename()) {
        fail(ErrorCode::InvalidArgument, "the output {:?} is no absolute path of a file",
             request.output.string());
    }
    std::error_code ignored;
    if (!request.replace && fs::exists(fs::symlink_status(request.output, ignored))) {
        fail(ErrorCode::AlreadyExists, "{} is there already; --force replaces it",
             request.output.string());
    }
    std::vector<std::string> arguments{"pack-bundle",          "--kind",           kind,
                                       "--directory",          directory.string(), "--output",
                                       request.output.string()};
    if (request.replace) {
        arguments.emplace_back("--replace");
    }
    auto job = new_job_("export-" + kind, request.name);
    job->stage("packing " + request.name, 0);
    workers_.run(job, std::move(arguments));
    return job;
}

} // namespace banger::distribution
