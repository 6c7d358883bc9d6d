#include "base/files.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace banger {

UniqueFd open_file(const std::filesystem::path &path, int flags, mode_t mode) {
    UniqueFd fd{::open(path.c_str(), flags | O_CLOEXEC, mode)};
    if (!fd) {
        throw_errno(fmt::format("open {}", path.string()));
    }
    return fd;
}

std::string read_file(const std::filesystem::path &path, std::size_t limit) {
    const UniqueFd fd = open_file(path, O_RDONLY);
    std::string content;
    constexpr std::size_t chunk = 65536;
    for (;;) {
        const std::size_t used = content.size();
        content.resize(used + chunk);
        const ssize_t n = ::read(fd.get(), content.data() + used, chunk);
        if (n < 0 && errno == EINTR) {
            content.resize(used);
            continue;
        }
        if (n < 0) {
            throw_errno(fmt::format("read {}", path.string()));
        }
        content.resize(used + static_cast<std::size_t>(n));
        if (n == 0) {
            return content;
        }
        if (content.size() > limit) {
            fail(ErrorCode::LimitsExceeded, "{} is larger than {} bytes", path.string(), limit);
        }
    }
}

void write_all(int fd, std::span<const std::byte> data, std::string_view what) {
    while (!data.empty()) {
        const ssize_t n = ::write(fd, data.data(), data.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            throw_errno(fmt::format("write {}", what));
        }
        data = data.subspan(static_cast<std::size_t>(n));
    }
}

void write_all(int fd, std::string_view data, std::string_view what) {
    write_all(fd, std::as_bytes(std::span{data}), what);
}

void write_file_atomically(const std::filesystem::path &path, std::string_view data, mode_t mode) {
    std::string temporary = path.string() + ".XXXXXX";
    UniqueFd fd{::mkostemp(temporary.data(), O_CLOEXEC)};
    if (!fd) {
        throw_errno(fmt::format("create a temporary file beside {}", path.string()));
    }
    try {
        write_all(fd.get(), data, temporary);
        if (::fchmod(fd.get(), mode) != 0 || ::fsync(fd.get()) != 0 ||
            ::rename(temporary.c_str(), path.c_str()) != 0) {
            throw_errno(fmt::format("write {}", path.string()));
        }
    } catch (...) {
        ::unlink(temporary.c_str());
        throw;
    }
}

void make_private_directories(const std::filesystem::path &path) {
    if (path.empty() || std::filesystem::is_directory(path)) {
        return;
    }
    make_private_directories(path.parent_path());
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        throw_errno(fmt::format("create the directory {}", path.string()));
    }
}

} // namespace banger
