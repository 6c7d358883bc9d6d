#include "daemon/image/pull.hpp"

#include "base/sha256.hpp"
#include "daemon/image/run_config_json.hpp"
#include "daemon/image/temporary.hpp"

#include <nlohmann/json.hpp>

#include <ctime>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view default_kernel = "debian";

} // namespace

Registry::Pull::Pull(Registry &registry, PullRequest request, std::shared_ptr<job::Job> job)
    : Making(registry, request.name, request.reference, std::move(job)),
      request_(std::move(request)) {}

Registry::Pull::~Pull() {
    job()->on_cancel({});
    worker_.reset();
    std::error_code ignored;
    if (!temporary_.empty()) {
        fs::remove_all(temporary_, ignored);
    }
}

void Registry::Pull::start() {
    try {
        run_worker();
    } catch (const Error &error) {
        conclude(error);
    } catch (const std::exception &error) {
        conclude(Error{ErrorCode::Internal, error.what()});
    }
}

void Registry::Pull::run_worker() {
    job()->stage("pulling " + request_.reference, 0);
    temporary_ = make_temporary_directory(registry().settings_.directory);
    std::vector<std::string> arguments{"oci-to-ext4", "--cache",
                                       registry().settings_.blobs.string(), "--output",
                                       (temporary_ / "rootfs.ext4").string()};
    const auto there = registry().find(request_.name);
    if (there && there->source == request_.reference) {
        arguments.insert(arguments.end(), {"--known", there->manifest});
    }
    for (const auto &one : request_.registries) {
        for (const auto &mirror : one.mirrors) {
            arguments.insert(arguments.end(), {"--mirror", one.host + "=" + mirror});
        }
        if (one.insecure) {
            arguments.insert(arguments.end(), {"--insecure", one.host});
        }
    }
    arguments.insert(arguments.end(), {"--", request_.reference});

    task::WorkerTask::Handlers handlers;
    handlers.bytes = [this](std::uint64_t done, std::uint64_t total) {
        job()->bytes(done, total);
        if (total > 0) {
            job()->progress(static_cast<double>(done) / static_cast<double>(total));
        }
    };
    handlers.ended = [weak = weak_from_this()](Outcome<nlohmann::json> result) {
        if (const auto self = weak.lock()) {
            self->worker_ended(std::move(result));
        }
    };
    worker_ =
        std::make_unique<task::WorkerTask>(registry().loop_, registry().settings_.worker,
                                           std::move(arguments), std::nullopt, std::move(handlers));
    job()->on_cancel([this] { worker_->stop(); });
}

void Registry::Pull::worker_ended(Outcome<nlohmann::json> result) {
    job()->on_cancel({});
    const auto ended = std::move(worker_);
    if (job()->cancel_requested()) {
        conclude(Error{ErrorCode::Cancelled, "cancelled"});
        return;
    }
    if (!result) {
        conclude(result.error());
        return;
    }
    try {
        const nlohmann::json made = std::move(result.value());
        if (!made.value("unchanged", false)) {
            publish(made);
        }
        conclude(std::nullopt);
    } catch (const Error &error) {
        conclude(error);
    } catch (const std::exception &error) {
        conclude(Error{ErrorCode::Internal, error.what()});
    }
}

void Registry::Pull::publish(const nlohmann::json &result) {
    Image image;
    image.run = run_config_from(result.at("run"));
    image.digest =
        sha256_of(result.at("digest").get<std::string>() + "\n" + to_json(image.run).dump());
    image.name = request_.name;
    image.source = request_.reference;
    image.manifest = result.at("manifest").get<std::string>();
    image.kernel = request_.kernel.empty() ? std::string(default_kernel) : request_.kernel;
    image.size = result.at("size").get<std::uint64_t>();
    image.created = std::time(nullptr);
    image.disk_bytes = disk_bytes_of(temporary_ / "rootfs.ext4");
    registry().publish(std::move(image), temporary_);
}

void Registry::Pull::conclude(std::optional<Error> error) {
    const auto self = shared_from_this();
    std::error_code ignored;
    fs::remove_all(temporary_, ignored);
    forget();
    if (error) {
        job()->failed(*error);
    } else {
        job()->done();
    }
}

} // namespace banger::image
