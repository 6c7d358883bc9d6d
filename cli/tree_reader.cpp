#include "cli/tree_reader.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "cli/format.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

namespace banger::cli {
namespace {

std::string leaf_of(std::string_view path) {
    return std::string(path.substr(path.rfind('/') + 1));
}

} // namespace

TreeReader::TreeReader(const std::filesystem::path &root)
    : root_(open_file(root, O_PATH | O_DIRECTORY)) {}

int TreeReader::parent_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    if (slash == std::string_view::npos) {
        return root_.get();
    }
    const std::string_view directory = path.substr(0, slash);
    if (last_ && directory == last_directory_) {
        return last_.get();
    }
    UniqueFd current;
    for (std::string_view rest = directory; !rest.empty();) {
        const std::size_t end = std::min(rest.find('/'), rest.size());
        const std::string component{rest.substr(0, end)};
        rest.remove_prefix(std::min(end + 1, rest.size()));
        UniqueFd next{::openat(current ? current.get() : root_.get(), component.c_str(),
                               O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)};
        if (!next) {
            if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP) {
                return -1;
            }
            throw_errno(fmt::format("open {}", quote_path(directory)));
        }
        current = std::move(next);
    }
    last_directory_ = directory;
    last_ = std::move(current);
    return last_.get();
}

std::optional<struct stat> TreeReader::stat(const std::string &path) {
    const int parent = parent_of(path);
    if (parent < 0) {
        return std::nullopt;
    }
    struct stat status {};
    if (::fstatat(parent, leaf_of(path).c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) {
            return std::nullopt;
        }
        throw_errno(fmt::format("read {}", quote_path(path)));
    }
    return status;
}

UniqueFd TreeReader::open(const std::string &path) {
    const int parent = parent_of(path);
    // O_NONBLOCK: the file may have become a FIFO since it was looked at.
    UniqueFd fd{parent < 0 ? -1
                           : ::openat(parent, leaf_of(path).c_str(),
                                      O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)};
    if (!fd) {
        throw_errno(fmt::format("open {}", quote_path(path)), parent < 0 ? ENOENT : errno);
    }
    return fd;
}

std::string TreeReader::read_link(const std::string &path) {
    const int parent = parent_of(path);
    std::string target(PATH_MAX, '\0');
    const ssize_t n =
        parent < 0 ? -1 : ::readlinkat(parent, leaf_of(path).c_str(), target.data(), target.size());
    if (n < 0) {
        throw_errno(fmt::format("read the link {}", quote_path(path)), parent < 0 ? ENOENT : errno);
    }
    target.resize(static_cast<std::size_t>(n));
    return target;
}

} // namespace banger::cli
