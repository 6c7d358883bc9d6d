#pragma once

#include "daemon/debian/apt_failure.hpp"
#include "daemon/debian/private_apt.hpp"
#include "daemon/kernel/package.hpp"
#include "daemon/kernel/work.hpp"

namespace banger::kernel {

/// Work that asks Debian's archive, by an apt of its own.
class Registry::AptWork : public Registry::Work {
public:
    ~AptWork() override;

protected:
    using Work::Work;

    const debian::PrivateApt &apt() const { return *apt_; }

    /// Fetches the lists of one suite's packages, as the job's progress from `from` to `to`.
    void read_lists(std::string_view suite, double from, double to, std::function<void()> next);
    /// What the lists that were read have.
    void ask_package(const std::string &package, std::function<void(const Package &)> next);
    /// Sorted by release.
    void ask_kernels(std::string_view suite, std::function<void(std::vector<ArchiveKernel>)> next);
    void run_apt(std::string_view doing, Command command, task::ChildTask::Handlers handlers,
                 std::function<void()> next);

private:
    /// Runs apt for what it prints.
    void ask(std::string_view doing, Command command, std::function<void()> next);

    std::optional<debian::PrivateApt> apt_;
    std::string output_;
    debian::UnreachableArchive archive_;
    std::optional<Error> unreachable_; ///< why nothing more is asked of the archive
    std::unique_ptr<task::ChildTask> child_;
};

} // namespace banger::kernel
