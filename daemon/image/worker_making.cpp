#include "daemon/image/worker_making.hpp"

#include "daemon/debian/apt_failure.hpp"
#include "daemon/image/disk_bytes.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <ctime>

namespace banger::image {

Registry::WorkerMaking::~WorkerMaking() {
    job()->on_cancel({});
    worker_.reset();
}

void Registry::WorkerMaking::start() {
    try {
        run_worker();
    } catch (const Error &error) {
        conclude(error);
    } catch (const std::exception &error) {
        conclude(Error{ErrorCode::Internal, error.what()});
    }
}

void Registry::WorkerMaking::run_worker() {
    job()->stage(stage(), 0);
    temporary_.emplace(registry().settings_.directory);
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
    worker_ = std::make_unique<task::WorkerTask>(registry().loop_, registry().settings_.worker,
                                                 arguments(), std::nullopt, std::move(handlers));
    job()->on_cancel([this] { worker_->stop(); });
}

void Registry::WorkerMaking::worker_ended(Outcome<nlohmann::json> result) {
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
        take(result.value());
        conclude(std::nullopt);
    } catch (const Error &error) {
        conclude(error);
    } catch (const std::exception &error) {
        conclude(Error{ErrorCode::Internal, error.what()});
    }
}

void Registry::WorkerMaking::publish(Image image) {
    image.name = name();
    image.created = std::time(nullptr);
    image.disk_bytes =
        disk_bytes_of(image.registered ? image.registered->file : temporary() / "rootfs.ext4");
    registry().publish(std::move(image), temporary());
}

void Registry::WorkerMaking::conclude(std::optional<Error> error) {
    const auto self = shared_from_this();
    temporary_.reset();
    forget();
    if (error) {
        job()->failed(debian::with_least_room(
            *error, std::array{registry().settings_.directory, registry().settings_.blobs}));
    } else {
        job()->done();
    }
}

} // namespace banger::image
