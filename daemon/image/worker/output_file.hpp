#pragma once

#include "base/unique_fd.hpp"

#include <filesystem>

namespace banger::image {

/// A new file that has no name before publish(), so that a killed process leaves nothing behind.
/// Where the file system cannot make such files it has its name at once, and loses it unless
/// published.
class OutputFile {
public:
    /// Throws Error{AlreadyExists} when `path` is there, unless publish() is to `replace` it.
    explicit OutputFile(std::filesystem::path path, bool replace = false);
    ~OutputFile();
    OutputFile(const OutputFile &) = delete;
    OutputFile &operator=(const OutputFile &) = delete;

    int fd() const noexcept { return fd_.get(); }
    void publish();

private:
    /// Until it is published, where it needs a name for that.
    std::filesystem::path name_before() const;

    std::filesystem::path path_;
    bool replace_;
    UniqueFd fd_;
    bool named_ = false;
    bool published_ = false;
};

} // namespace banger::image
