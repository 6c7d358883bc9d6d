#include "daemon/kernel/work.hpp"

#include "daemon/debian/apt_failure.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace banger::kernel {

Registry::Work::Work(Registry &registry, std::string key, std::shared_ptr<job::Job> job)
    : registry_(registry), key_(std::move(key)), job_(std::move(job)) {}

Registry::Work::~Work() {
    job_->on_cancel({});
}

void Registry::Work::start() {
    const auto self = shared_from_this();
    attempt([this] {
        temporary_.emplace(registry_.settings_.directory);
        first_step();
    });
}

void Registry::Work::attempt(const std::function<void()> &step) {
    try {
        step();
    } catch (const Error &error) {
        conclude(error);
    } catch (const std::exception &error) {
        conclude(Error{ErrorCode::Internal, error.what()});
    }
}

void Registry::Work::go_on() const {
    if (job_->cancel_requested()) {
        throw Error{ErrorCode::Cancelled, "cancelled"};
    }
}

void Registry::Work::run_worker(std::vector<std::string> arguments, double from, double to,
                                std::function<void(const nlohmann::json &)> next) {
    task::WorkerTask::Handlers handlers;
    handlers.bytes = [this, from, to](std::uint64_t done, std::uint64_t total) {
        job_->bytes(done, total);
        if (total > 0) {
            job_->progress(from +
                           static_cast<double>(done) / static_cast<double>(total) * (to - from));
        }
    };
    handlers.ended = [weak = weak_from_this(),
                      next = std::move(next)](Outcome<nlohmann::json> result) {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        const auto ended = std::move(self->worker_);
        self->attempt([&] {
            self->go_on();
            next(result.value());
        });
    };
    worker_ =
        std::make_unique<task::WorkerTask>(registry_.loop_, registry_.settings_.worker,
                                           std::move(arguments), std::nullopt, std::move(handlers));
    job_->on_cancel([this] {
        if (worker_) {
            worker_->stop();
        }
    });
}

void Registry::Work::conclude(const std::optional<Error> &error) {
    const auto self = shared_from_this();
    job_->on_cancel({});
    temporary_.reset();
    registry_.works_.erase(key_);
    if (error) {
        job_->failed(debian::with_least_room(*error, std::array{registry_.settings_.directory}));
    } else {
        job_->done();
    }
}

} // namespace banger::kernel
