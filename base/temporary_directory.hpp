#pragma once

#include <filesystem>

namespace banger {

/// A new directory tmp.XXXXXX, gone with this object; what a killed bangerd leaves of them goes at
/// the next start.
class TemporaryDirectory {
public:
    /// Throws Error.
    explicit TemporaryDirectory(const std::filesystem::path &parent);
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;

    const std::filesystem::path &path() const noexcept { return path_; }

private:
    std::filesystem::path path_;
};

} // namespace banger
