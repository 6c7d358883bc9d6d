#include "daemon/image/registration.hpp"

#include "base/sha256.hpp"
#include "daemon/image/temporary.hpp"

#include <nlohmann/json.hpp>

#include <ctime>

namespace banger::image {

namespace fs = std::filesystem;

std::string Registry::Registration::means_of(const RegisterRequest &request, Keep keep) {
    return (keep == Keep::Copy ? "a copy of " : "") + request.file.string();
}

Registry::Registration::Registration(Registry &registry, RegisterRequest request, Keep keep,
                                     std::shared_ptr<job::Job> job)
    : Making(registry, request.name, means_of(request, keep), std::move(job)),
      request_(std::move(request)), keep_(keep) {}

Registry::Registration::~Registration() {
    job()->on_cancel({});
    worker_.reset();
    std::error_code ignored;
    if (!temporary_.empty()) {
        fs::remove_all(temporary_, ignored);
    }
}

void Registry::Registration::start() {
    try {
        run_worker();
    } catch (const Error &error) {
        conclude(error);
    } catch (const std::exception &error) {
        conclude(Error{ErrorCode::Internal, error.what()});
    }
}

void Registry::Registration::run_worker() {
    job()->stage((keep_ == Keep::Copy ? "copying " : "reading ") + request_.file.string(), 0);
    temporary_ = make_temporary_directory(registry().settings_.directory);
    std::vector<std::string> arguments{"rootfs-file", "--file", request_.file.string()};
    if (keep_ == Keep::Copy) {
        arguments.insert(arguments.end(), {"--copy", (temporary_ / "rootfs.ext4").string()});
    }
    task::WorkerTask::Handlers handlers;
    handlers.bytes = [this](std::uint64_t done, std::uint64_t total) {
        job()->bytes(done, total);
        job()->progress(static_cast<double>(done) / static_cast<double>(total));
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

void Registry::Registration::worker_ended(Outcome<nlohmann::json> result) {
    job()->on_cancel({});
    const auto ended = std::move(worker_);
    if (job()->cancel_requested()) {
        conclude(Error{ErrorCode::Cancelled, "cancelled"});
        return;
    }
    try {
        publish(result.value());
        conclude(std::nullopt);
    } catch (const Error &error) {
        conclude(error);
    } catch (const std::exception &error) {
        conclude(Error{ErrorCode::Internal, error.what()});
    }
}

void Registry::Registration::publish(const nlohmann::json &result) {
    Image image;
    image.name = request_.name;
    image.source = request_.file.string();
    image.kernel = request_.kernel;
    image.size = result.at("size").get<std::uint64_t>();
    image.created = std::time(nullptr);
    image.digest = result.at("digest").get<std::string>();
    if (keep_ == Keep::Copy) {
        image.disk_bytes = disk_bytes_of(temporary_ / "rootfs.ext4");
    } else {
        // Not the same image as one of banger's own with that content: this one can be taken away.
        image.digest = sha256_of(image.digest + "\n" + request_.file.string());
        image.registered = {request_.file, file_identity_from(result.at("identity"))};
        image.disk_bytes = disk_bytes_of(request_.file);
    }
    registry().publish(std::move(image), temporary_);
}

void Registry::Registration::conclude(std::optional<Error> error) {
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
