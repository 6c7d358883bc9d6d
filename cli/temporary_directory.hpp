#pragma once

#include <filesystem>

namespace banger::cli {

/// A private directory below $TMPDIR (or /tmp), removed with all that is in it.
class TemporaryDirectory {
public:
    /// Throws Error.
    TemporaryDirectory();
    TemporaryDirectory(TemporaryDirectory &&other) noexcept;
    TemporaryDirectory &operator=(TemporaryDirectory &&) = delete;
    ~TemporaryDirectory();

    const std::filesystem::path &path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

} // namespace banger::cli
