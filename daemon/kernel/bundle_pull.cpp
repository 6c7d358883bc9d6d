#include "daemon/kernel/bundle_pull.hpp"

#include "daemon/debian/apt_failure.hpp"

#include <nlohmann/json.hpp>
#include <stdlib.h>

#include <array>
#include <ctime>

namespace banger::kernel {

namespace fs = std::filesystem;

Registry::BundlePull::BundlePull(Registry &registry, catalog::KernelEntry entry,
                                 std::shared_ptr<job::Job> job)
    : registry_(registry), entry_(std::move(entry)), job_(std::move(job)) {}

Registry::BundlePull::~BundlePull() {
    job_->on_cancel({});
    worker_.reset();
    std::error_code ignored;
    if (!temporary_.empty()) {
        fs::remove_all(temporary_, ignored);
    }
}

std::string Registry::BundlePull::bundle_of(const catalog::KernelEntry &entry) {
    return "sha256:" + entry.bundle.sha256;
}

void Registry::BundlePull::start() {
    try {
        run_worker();
    } catch (const Error &error) {
        conclude(error);
    } catch (const std::exception &error) {
        conclude(Error{ErrorCode::Internal, error.what()});
    }
}

void Registry::BundlePull::run_worker() {
    job_->stage("pulling " + entry_.bundle.url, 0);
    std::string pattern = (registry_.settings_.directory / "tmp.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw_errno("make a directory in " + registry_.settings_.directory.string());
    }
    temporary_ = pattern;
    task::WorkerTask::Handlers handlers;
    handlers.bytes = [this](std::uint64_t done, std::uint64_t total) {
        job_->bytes(done, total);
        if (total > 0) {
            job_->progress(static_cast<double>(done) / static_cast<double>(total));
        }
    };
    handlers.ended = [weak = weak_from_this()](Outcome<nlohmann::json> result) {
        if (const auto self = weak.lock()) {
            self->worker_ended(std::move(result));
        }
    };
    worker_ = std::make_unique<task::WorkerTask>(
        registry_.loop_, registry_.settings_.worker,
        std::vector<std::string>{"kernel-bundle", "--sha256", entry_.bundle.sha256, "--size",
                                 std::to_string(entry_.bundle.size), "--cache",
                                 registry_.settings_.blobs.string(), "--output",
                                 temporary_.string(), "--", entry_.bundle.url},
        std::nullopt, std::move(handlers));
    job_->on_cancel([this] { worker_->stop(); });
}

void Registry::BundlePull::worker_ended(Outcome<nlohmann::json> result) {
    job_->on_cancel({});
    const auto ended = std::move(worker_);
    if (job_->cancel_requested()) {
        conclude(Error{ErrorCode::Cancelled, "cancelled"});
        return;
    }
    try {
        publish(result.value());
        conclude(std::nullopt);
    } catch (const Error &error) {
        conclude(error);
    } catch (const std::exception &error) {
        conclude(Error{ErrorCode::ImageCorrupt,
                       fmt::format("the bundle {} says too little of its kernel: {}",
                                   entry_.bundle.url, error.what())});
    }
}

void Registry::BundlePull::publish(const nlohmann::json &result) {
    const nlohmann::json &about = result.at("about");
    Kernel kernel;
    kernel.name = entry_.name;
    kernel.release = about.at("release").get<std::string>();
    kernel.package_version = about.value("package_version", "");
    kernel.distro = about.value("distro", "");
    kernel.suite = about.value("suite", "");
    kernel.bundle = bundle_of(entry_);
    kernel.digest = result.at("digest").get<std::string>();
    kernel.size = result.at("size").get<std::uint64_t>();
    kernel.created = std::time(nullptr);
    registry_.publish(std::move(kernel), temporary_);
}

void Registry::BundlePull::conclude(const std::optional<Error> &error) {
    const auto self = shared_from_this();
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
    registry_.bundle_pulls_.erase(entry_.name);
    if (error) {
        job_->failed(debian::with_least_room(
            *error, std::array{registry_.settings_.directory, registry_.settings_.blobs}));
    } else {
        job_->done();
    }
}

} // namespace banger::kernel
