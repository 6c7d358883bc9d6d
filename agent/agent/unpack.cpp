#include "agent/agent/unpack.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <vector>

namespace banger::agent {
namespace {

constexpr mode_t permission_bits = 0777;

struct ArchiveDeleter {
    void operator()(archive *opened) const noexcept { archive_read_free(opened); }
};
using ArchivePtr = std::unique_ptr<archive, ArchiveDeleter>;

/// A name inside the directory: relative, without "..". Empty is the directory itself.
std::string checked(const char *name) {
    if (name == nullptr) {
        fail(ErrorCode::InvalidArgument, "the archive holds an entry without a name");
    }
    std::string out;
    std::string_view rest = name;
    if (rest.starts_with('/')) {
        fail(ErrorCode::InvalidArgument, "the archive holds the absolute name '{}'", name);
    }
    while (!rest.empty()) {
        const std::string_view part = rest.substr(0, rest.find('/'));
        rest.remove_prefix(std::min(part.size() + 1, rest.size()));
        if (part == "..") {
            fail(ErrorCode::InvalidArgument, "the name '{}' leaves the directory", name);
        }
        if (!part.empty() && part != ".") {
            out += (out.empty() ? "" : "/") + std::string(part);
        }
    }
    return out;
}

const char *name_of(archive_entry *entry) {
    const char *name = archive_entry_pathname(entry);
    return name != nullptr ? name : archive_entry_pathname_utf8(entry);
}

void make_parents(const std::string &path) {
    for (std::size_t at = path.find('/'); at != std::string::npos; at = path.find('/', at + 1)) {
        ::mkdir(path.substr(0, at).c_str(), 0755);
    }
}

void set_times(const std::string &path, archive_entry *entry) {
    const timespec modified{archive_entry_mtime(entry), archive_entry_mtime_nsec(entry)};
    const timespec times[2] = {modified, modified};
    ::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW);
}

void write_file(archive *in, archive_entry *entry, const std::string &path, Unpacked &done) {
    const UniqueFd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (!fd) {
        throw_errno(fmt::format("create {}", path));
    }
    for (;;) {
        const void *data = nullptr;
        std::size_t size = 0;
        la_int64_t offset = 0;
        const int result = archive_read_data_block(in, &data, &size, &offset);
        if (result == ARCHIVE_EOF) {
            break;
        }
        if (result != ARCHIVE_OK) {
            fail(ErrorCode::InvalidArgument, "the archive is damaged at {}: {}", path,
                 archive_error_string(in));
        }
        if (::lseek(fd.get(), offset, SEEK_SET) < 0) {
            throw_errno(fmt::format("write {}", path));
        }
        write_all(fd.get(), std::span{static_cast<const std::byte *>(data), size}, path);
        done.bytes += size;
    }
    if (::ftruncate(fd.get(), archive_entry_size(entry)) != 0 ||
        ::fchmod(fd.get(), archive_entry_perm(entry) & permission_bits) != 0) {
        throw_errno(fmt::format("write {}", path));
    }
}

/// Takes away what is in the way of something that is no directory.
void clear(const std::string &path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT && ::rmdir(path.c_str()) != 0) {
        throw_errno(fmt::format("replace {}", path));
    }
}

void make_directory(const std::string &path, mode_t mode) {
    struct stat now {};
    const bool there = ::lstat(path.c_str(), &now) == 0;
    if (there && !S_ISDIR(now.st_mode)) {
        clear(path);
    }
    if ((!there || !S_ISDIR(now.st_mode)) && ::mkdir(path.c_str(), 0700) != 0) {
        throw_errno(fmt::format("create the directory {}", path));
    }
    // Writable for us until the end; the wanted mode has it, or the entries in it could not come.
    if (::chmod(path.c_str(), mode & permission_bits) != 0) {
        throw_errno(fmt::format("set the mode of {}", path));
    }
}

void unpack_entry(archive *in, archive_entry *entry, Unpacked &done) {
    const std::string path = checked(name_of(entry));
    if (path.empty()) {
        return;
    }
    make_parents(path);
    const char *hard_link = archive_entry_hardlink(entry);
    if (hard_link != nullptr) {
        clear(path);
        if (::link(checked(hard_link).c_str(), path.c_str()) != 0) {
            throw_errno(fmt::format("link {} to {}", path, hard_link));
        }
    } else if (archive_entry_filetype(entry) == AE_IFDIR) {
        make_directory(path, archive_entry_perm(entry));
    } else if (archive_entry_filetype(entry) == AE_IFLNK) {
        const char *target = archive_entry_symlink(entry);
        if (target == nullptr) {
            target = archive_entry_symlink_utf8(entry);
        }
        clear(path);
        if (target == nullptr || ::symlink(target, path.c_str()) != 0) {
            throw_errno(fmt::format("make the symbolic link {}", path));
        }
    } else if (archive_entry_filetype(entry) == AE_IFREG) {
        clear(path);
        write_file(in, entry, path, done);
    } else {
        fail(ErrorCode::InvalidArgument, "{} in the archive is neither file, directory nor link",
             path);
    }
    set_times(path, entry);
    ++done.entries;
}

} // namespace

Unpacked unpack_tar(int fd) {
    constexpr std::size_t block = 65536;
    const ArchivePtr in{archive_read_new()};
    archive_read_support_format_tar(in.get());
    if (archive_read_open_fd(in.get(), fd, block) != ARCHIVE_OK) {
        fail(ErrorCode::InvalidArgument, "no tar archive: {}", archive_error_string(in.get()));
    }
    Unpacked done;
    for (;;) {
        archive_entry *entry = nullptr;
        const int result = archive_read_next_header(in.get(), &entry);
        if (result == ARCHIVE_EOF) {
            return done;
        }
        // ARCHIVE_WARN: a name that is no valid text; it is used as it is.
        if (result != ARCHIVE_OK && result != ARCHIVE_WARN) {
            fail(ErrorCode::InvalidArgument, "the archive is damaged: {}",
                 archive_error_string(in.get()));
        }
        unpack_entry(in.get(), entry, done);
    }
}

} // namespace banger::agent
