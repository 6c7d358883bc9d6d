#include "daemon/image/worker/output_file.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

namespace banger::image {

OutputFile::OutputFile(std::filesystem::path path, bool replace)
    : path_(std::move(path)), replace_(replace) {
    if (!replace_ && std::filesystem::exists(std::filesystem::symlink_status(path_))) {
        fail(ErrorCode::AlreadyExists, "{} is there already", path_.string());
    }
    const auto directory =
        path_.has_parent_path() ? path_.parent_path() : std::filesystem::path{"."};
    fd_.reset(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (!fd_) {
        fd_ = open_file(name_before(), O_RDWR | O_CREAT | O_EXCL, 0600);
        named_ = true;
    }
}

OutputFile::~OutputFile() {
    if (named_ && !published_) {
        ::unlink(name_before().c_str());
    }
}

std::filesystem::path OutputFile::name_before() const {
    return replace_ ? path_.string() + fmt::format(".{}.new", ::getpid()) : path_.string();
}

void OutputFile::publish() {
    if (!named_) {
        const std::string source = fmt::format("/proc/self/fd/{}", fd_.get());
        if (::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, name_before().c_str(),
                     AT_SYMLINK_FOLLOW) != 0) {
            throw_errno("name the file " + path_.string());
        }
        named_ = true;
    }
    if (replace_ && ::rename(name_before().c_str(), path_.c_str()) != 0) {
        throw_errno("replace the file " + path_.string());
    }
    published_ = true;
}

} // namespace banger::image
