#pragma once

#include "daemon/kernel/apt_work.hpp"

namespace banger::kernel {

/// Asks Debian's archive which kernels it has, suite by suite.
class Registry::ArchiveUpdate final : public Registry::AptWork {
public:
    static constexpr const char *only_key = "archive";

    ArchiveUpdate(Registry &registry, std::shared_ptr<job::Job> job)
        : AptWork(registry, only_key, std::move(job)) {}

private:
    void first_step() override { ask_suite(0); }
    void ask_suite(std::size_t index);

    std::vector<ArchiveKernel> found_;
};

} // namespace banger::kernel
