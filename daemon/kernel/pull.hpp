#pragma once

#include "daemon/kernel/apt_work.hpp"
#include "daemon/kernel/origin.hpp"

namespace banger::kernel {

/// One pull: package lists → which package → download → unpack → publish.
class Registry::Pull final : public Registry::AptWork {
public:
    /// The newest kernel of a suite.
    Pull(Registry &registry, const Origin &origin, bool anew, std::shared_ptr<job::Job> job);
    /// The kernel of that release, of whichever suite has it.
    Pull(Registry &registry, const std::string &release, bool anew, std::shared_ptr<job::Job> job);

private:
    void first_step() override;
    void find_newest();
    void search(std::size_t suite);
    void take(const Package &package);
    void unpack();
    void publish(const nlohmann::json &findings);

    std::string release_;
    std::string_view suite_;
    bool newest_ = false; ///< what the suite's name means from now on
    bool anew_;
    Package package_;
    std::vector<ArchiveKernel> seen_;
};

} // namespace banger::kernel
