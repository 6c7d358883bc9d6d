#pragma once

#include "base/unique_fd.hpp"

#include <cstddef>
#include <thread>

namespace banger::cli {

/// Copies one stream of a remote program to a descriptor of ours, in a thread of its own: a reader
/// of ours that has stalled holds back that stream alone, not the signals.
class OutputCopier {
public:
    /// `to` stays the caller's.
    OutputCopier(UniqueFd from, int to);
    /// Joins.
    ~OutputCopier();
    OutputCopier(const OutputCopier &) = delete;
    OutputCopier &operator=(const OutputCopier &) = delete;

    /// Becomes readable when everything is copied.
    int done_fd() const noexcept { return done_.get(); }
    /// The program has ended: what a process it left behind may still write is waited for only
    /// while it flows.
    void program_ended() noexcept;
    /// Copies nothing more.
    void abandon() noexcept;

private:
    void run(int to) noexcept;
    bool write_whole(int to, const char *data, std::size_t size) noexcept;

    UniqueFd from_;
    // eventfd(2)s, raised once and never read.
    UniqueFd ended_;
    UniqueFd abandoned_;
    UniqueFd done_;
    std::thread thread_;
};

} // namespace banger::cli
