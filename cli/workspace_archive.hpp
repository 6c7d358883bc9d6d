#pragma once

#include "cli/temporary_directory.hpp"
#include "cli/workspace.hpp"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace banger::cli {

/// A workspace made ready to be sent: its .git is built, its files are known.
class WorkspaceArchive {
public:
    /// Throws Error; then nothing is left behind.
    explicit WorkspaceArchive(const Workspace &workspace);

    std::uint64_t entries() const noexcept { return files_.size() + git_files_.size(); }
    /// Roughly what write() will write.
    std::uint64_t bytes() const noexcept { return bytes_; }

    /// Writes one pax tar stream with everything in it: files as they are now (one that has gone is
    /// left out), owner root, names byte by byte. `written` counts along; it ends early when `stop`
    /// becomes readable. Throws Error; EPIPE is one, so SIGPIPE must be ignored.
    void write(int fd, int stop, std::atomic<std::uint64_t> &written) const;

private:
    void check_out();

    const Workspace &workspace_;
    TemporaryDirectory temporary_;
    std::filesystem::path git_directory_;
    std::filesystem::path source_; ///< where tracked files are read: the root, or a checkout
    std::vector<std::string> files_;
    std::vector<std::string> git_files_; ///< relative to the parent of git_directory_
    std::uint64_t bytes_ = 0;
};

} // namespace banger::cli
