#pragma once

#include "daemon/image/registry.hpp"

namespace banger::image {

/// The making of one image under a name, by whatever means. The registry keeps it until it has
/// ended, and its destructor leaves nothing behind.
class Registry::Making {
public:
    /// `means` says of what the image is made: "the recipe debian-trixie",
    /// "docker.io/library/alpine:3.20". Two makings of one name and the same means are one.
    Making(Registry &registry, std::string name, std::string means, std::shared_ptr<job::Job> job)
        : registry_(registry), name_(std::move(name)), means_(std::move(means)),
          job_(std::move(job)) {}
    virtual ~Making() = default;
    Making(const Making &) = delete;
    Making &operator=(const Making &) = delete;

    /// What goes wrong is the job's.
    virtual void start() = 0;

    const std::string &name() const noexcept { return name_; }
    const std::string &means() const noexcept { return means_; }
    const std::shared_ptr<job::Job> &job() const noexcept { return job_; }

protected:
    Registry &registry() const noexcept { return registry_; }
    /// Makes the registry forget it: the last step.
    void forget() { registry_.makings_.erase(name_); }

private:
    Registry &registry_;
    std::string name_;
    std::string means_;
    std::shared_ptr<job::Job> job_;
};

} // namespace banger::image
