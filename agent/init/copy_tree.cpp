#include "agent/init/copy_tree.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <vector>

namespace banger::init {
namespace {

namespace fs = std::filesystem;

void copy_content(const fs::path &from, const fs::path &to) {
    constexpr std::size_t chunk = 1U << 20U;
    const UniqueFd source = open_file(from, O_RDONLY | O_NOFOLLOW);
    const UniqueFd target = open_file(to, O_WRONLY | O_CREAT | O_EXCL, 0600);
    for (;;) {
        const ssize_t n = ::sendfile(target.get(), source.get(), nullptr, chunk);
        if (n < 0 && errno != EINTR) {
            throw_errno(fmt::format("copy {}", from.string()));
        }
        if (n == 0) {
            return;
        }
    }
}

void copy_attributes(const fs::path &from, const fs::path &to) {
    std::vector<char> names(65536);
    const ssize_t size = ::llistxattr(from.c_str(), names.data(), names.size());
    for (ssize_t at = 0; at < size;) {
        const std::string name = names.data() + at;
        at += static_cast<ssize_t>(name.size()) + 1;
        std::vector<char> value(65536);
        const ssize_t length = ::lgetxattr(from.c_str(), name.c_str(), value.data(), value.size());
        if (length >= 0) {
            ::lsetxattr(to.c_str(), name.c_str(), value.data(), static_cast<std::size_t>(length),
                        0);
        }
    }
}

void copy_metadata(const struct stat &source, const fs::path &from, const fs::path &to) {
    if (::lchown(to.c_str(), source.st_uid, source.st_gid) != 0) {
        throw_errno(fmt::format("set the owner of {}", to.string()));
    }
    if (!S_ISLNK(source.st_mode) && ::chmod(to.c_str(), source.st_mode & 07777U) != 0) {
        throw_errno(fmt::format("set the mode of {}", to.string()));
    }
    copy_attributes(from, to);
    const timespec times[2] = {source.st_atim, source.st_mtim};
    ::utimensat(AT_FDCWD, to.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

void copy_one(const fs::path &from, const fs::path &to, const struct stat &source) {
    if (S_ISDIR(source.st_mode)) {
        if (::mkdir(to.c_str(), 0700) != 0 && errno != EEXIST) {
            throw_errno(fmt::format("create {}", to.string()));
        }
        copy_tree(from, to);
        return;
    }
    std::error_code ignored;
    fs::remove_all(to, ignored);
    if (S_ISREG(source.st_mode)) {
        copy_content(from, to);
    } else if (S_ISLNK(source.st_mode)) {
        fs::copy_symlink(from, to);
    } else if (::mknod(to.c_str(), source.st_mode, source.st_rdev) != 0) {
        throw_errno(fmt::format("make the node {}", to.string()));
    }
    copy_metadata(source, from, to);
}

} // namespace

void copy_tree(const fs::path &from, const fs::path &to) {
    struct stat directory {};
    if (::lstat(from.c_str(), &directory) != 0) {
        throw_errno(fmt::format("look at {}", from.string()));
    }
    std::error_code error;
    for (const auto &entry : fs::directory_iterator(from, error)) {
        struct stat source {};
        if (::lstat(entry.path().c_str(), &source) != 0) {
            throw_errno(fmt::format("look at {}", entry.path().string()));
        }
        copy_one(entry.path(), to / entry.path().filename(), source);
    }
    if (error) {
        throw_errno(fmt::format("read {}", from.string()), error.value());
    }
    copy_metadata(directory, from, to);
}

} // namespace banger::init
