#pragma once

#include <sys/socket.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace banger::resolved {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    int family() const noexcept { return storage.ss_family; }
    const sockaddr *get() const noexcept { return reinterpret_cast<const sockaddr *>(&storage); }
};

/// The `nameserver` lines of resolv.conf(5), IPv4 or IPv6, in their order; at most three, as glibc
/// has it. What cannot be read is left out.
std::vector<SocketAddress> parse_resolv_conf(std::string_view text, std::uint16_t port);

/// The host's resolvers. Like glibc, compares the file's identity and times at each use: so no kind
/// of replacement is missed, through whatever symbolic links, and nothing happens in between.
class Nameservers {
public:
    Nameservers(std::filesystem::path resolv_conf, std::uint16_t port);

    /// Without a file, or without a line in it, 127.0.0.1 as resolv.conf(5) says. Never empty.
    const std::vector<SocketAddress> &current();

private:
    struct Stamp {
        dev_t device;
        ino_t inode;
        off_t size;
        std::int64_t modified_ns;
        std::int64_t changed_ns;

        bool operator==(const Stamp &) const = default;
    };

    std::optional<Stamp> stamp() const;

    std::filesystem::path path_;
    std::uint16_t port_;
    std::optional<Stamp> stamp_;
    std::vector<SocketAddress> servers_;
};

} // namespace banger::resolved
