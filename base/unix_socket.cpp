#include "base/unix_socket.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

namespace banger {
namespace {

/// unix(7): sun_path holds 107 bytes; through a descriptor of the directory every path is short.
struct Address {
    UniqueFd directory;
    sockaddr_un value{};

    explicit Address(const std::filesystem::path &path)
        : directory(open_file(path.parent_path(), O_PATH | O_DIRECTORY)) {
        const std::string text =
            fmt::format("/proc/self/fd/{}/{}", directory.get(), path.filename().string());
        if (text.size() >= sizeof value.sun_path) {
            fail(ErrorCode::InvalidArgument, "the name of the socket {} is too long",
                 path.string());
        }
        value.sun_family = AF_UNIX;
        text.copy(value.sun_path, sizeof value.sun_path - 1);
    }
    const sockaddr *pointer() const { return reinterpret_cast<const sockaddr *>(&value); }
};

UniqueFd make_socket(int type) {
    UniqueFd fd{::socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!fd) {
        throw_errno("make a unix socket");
    }
    return fd;
}

} // namespace

UniqueFd listen_at(const std::filesystem::path &path, int type) {
    const Address address(path);
    UniqueFd fd = make_socket(type);
    ::unlink(path.c_str());
    // The mode of the descriptor is the mode of the file that bind(2) makes.
    if (::fchmod(fd.get(), 0600) != 0 ||
        ::bind(fd.get(), address.pointer(), sizeof address.value) != 0 ||
        ::listen(fd.get(), 16) != 0) {
        throw_errno(fmt::format("listen at {}", path.string()));
    }
    return fd;
}

UniqueFd connect_to(const std::filesystem::path &path, int type) {
    const Address address(path);
    UniqueFd fd = make_socket(type);
    if (::connect(fd.get(), address.pointer(), sizeof address.value) != 0) {
        throw_errno(fmt::format("connect to {}", path.string()));
    }
    return fd;
}

} // namespace banger
