#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace banger::agent {

/// A cgroup (v2) of ours beside the tree of the guest's init, so that nothing escapes: below
/// /sys/fs/cgroup/banger. In a guest without cgroup v2 it is nothing and holds nobody.
class Cgroup {
public:
    Cgroup() = default;
    /// Makes it.
    explicit Cgroup(std::string_view name);
    /// Removes it if it is empty.
    ~Cgroup();
    Cgroup(Cgroup &&other) noexcept : path_(std::exchange(other.path_, {})) {}
    Cgroup &operator=(Cgroup &&other) noexcept {
        std::swap(path_, other.path_);
        return *this;
    }
    Cgroup(const Cgroup &) = delete;
    Cgroup &operator=(const Cgroup &) = delete;

    /// The calling process moves into it. Async-signal-unsafe, for a forked single-threaded child.
    void enter() const noexcept;
    void signal_all(int signal_number) const;
    void kill_all() const;
    bool populated() const;

private:
    std::filesystem::path path_;
};

} // namespace banger::agent
