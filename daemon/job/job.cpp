#include "daemon/job/job.hpp"

#include <algorithm>

namespace banger::job {

std::string_view to_string(State state) noexcept {
    switch (state) {
    case State::Running:
        return "running";
    case State::Done:
        return "done";
    case State::Failed:
        return "failed";
    case State::Cancelled:
        return "cancelled";
    }
    return "unknown";
}

Job::Job(std::uint32_t id, std::string kind, std::string subject)
    : stage_began_(std::chrono::steady_clock::now()) {
    snapshot_.id = id;
    snapshot_.kind = std::move(kind);
    snapshot_.subject = std::move(subject);
}

void Job::stage(std::string name, double progress_at_start) {
    const auto now = std::chrono::steady_clock::now();
    if (!snapshot_.stage.empty()) {
        snapshot_.stage_durations.emplace_back(
            snapshot_.stage,
            std::chrono::duration_cast<std::chrono::microseconds>(now - stage_began_));
    }
    stage_began_ = now;
    snapshot_.stage = std::move(name);
    snapshot_.bytes_done = 0;
    snapshot_.bytes_total = 0;
    progress(progress_at_start);
}

void Job::progress(double whole) {
    snapshot_.progress = std::max(snapshot_.progress, std::clamp(whole, 0.0, 1.0));
    notify();
}

void Job::bytes(std::uint64_t done, std::uint64_t total) {
    snapshot_.bytes_done = done;
    snapshot_.bytes_total = total;
    notify();
}

void Job::done() {
    if (!running()) {
        return;
    }
    snapshot_.progress = 1;
    finish(State::Done);
}

void Job::failed(const Error &error) {
    if (!running()) {
        return;
    }
    snapshot_.error = error;
    finish(error.code() == ErrorCode::Cancelled ? State::Cancelled : State::Failed);
}

void Job::cancel() {
    if (!running() || cancel_requested_) {
        return;
    }
    cancel_requested_ = true;
    if (const auto hook = cancel_hook_) {
        hook();
    }
}

void Job::on_cancel(std::function<void()> hook) {
    cancel_hook_ = std::move(hook);
}

void Job::observe(Observer observer) {
    observers_.push_back(std::move(observer));
}

void Job::notify() {
    // A copy: an observer may add another one.
    const auto observers = observers_;
    for (const auto &observer : observers) {
        observer(snapshot_);
    }
}

void Job::finish(State state) {
    if (!snapshot_.stage.empty()) {
        snapshot_.stage_durations.emplace_back(
            snapshot_.stage, std::chrono::duration_cast<std::chrono::microseconds>(
                                 std::chrono::steady_clock::now() - stage_began_));
    }
    snapshot_.state = state;
    cancel_hook_ = nullptr;
    notify();
    observers_.clear();
}

} // namespace banger::job
