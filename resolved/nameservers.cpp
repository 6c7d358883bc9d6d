#include "resolved/nameservers.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

#include <netdb.h>
#include <netinet/in.h>

#include <cstring>
#include <memory>
#include <string>

namespace banger::resolved {

namespace {

constexpr std::size_t max_servers = 3;         // MAXNS of glibc
constexpr std::size_t max_file_bytes = 65'536; // a long search list fits in many times

struct AddressesFree {
    void operator()(addrinfo *list) const noexcept { freeaddrinfo(list); }
};

// getaddrinfo(3) rather than inet_pton(3): it takes the scope of fe80::1%eth0.
std::optional<SocketAddress> parse_address(const std::string &text, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo *raw = nullptr;
    if (getaddrinfo(text.c_str(), std::to_string(port).c_str(), &hints, &raw) != 0) {
        return std::nullopt;
    }
    const std::unique_ptr<addrinfo, AddressesFree> list{raw};
    SocketAddress address;
    address.size = list->ai_addrlen;
    std::memcpy(&address.storage, list->ai_addr, list->ai_addrlen);
    return address;
}

std::int64_t nanoseconds(const timespec &time) {
    constexpr std::int64_t per_second = 1'000'000'000;
    return time.tv_sec * per_second + time.tv_nsec;
}

std::string_view take_line(std::string_view &text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    return line;
}

} // namespace

std::vector<SocketAddress> parse_resolv_conf(std::string_view text, std::uint16_t port) {
    constexpr std::string_view keyword = "nameserver";
    constexpr std::string_view blanks = " \t\r";
    std::vector<SocketAddress> servers;
    while (!text.empty() && servers.size() < max_servers) {
        std::string_view line = take_line(text);
        if (!line.starts_with(keyword)) {
            continue;
        }
        line.remove_prefix(keyword.size());
        const auto begin = line.find_first_not_of(blanks);
        if (begin == 0 || begin == std::string_view::npos) {
            continue;
        }
        line = line.substr(begin);
        const std::string word{line.substr(0, line.find_first_of(" \t\r;#"))};
        if (const auto address = parse_address(word, port)) {
            servers.push_back(*address);
        }
    }
    return servers;
}

Nameservers::Nameservers(std::filesystem::path resolv_conf, std::uint16_t port)
    : path_(std::move(resolv_conf)), port_(port) {}

const std::vector<SocketAddress> &Nameservers::current() {
    const auto now = stamp();
    if (!servers_.empty() && now == stamp_) {
        return servers_;
    }
    stamp_ = now;
    servers_.clear();
    try {
        if (now) {
            servers_ = parse_resolv_conf(read_file(path_, max_file_bytes), port_);
        }
    } catch (const Error &e) {
        log::warning(e.what());
    }
    if (servers_.empty()) {
        servers_.push_back(parse_address("127.0.0.1", port_).value());
    }
    return servers_;
}

std::optional<Nameservers::Stamp> Nameservers::stamp() const {
    struct stat status {};
    if (stat(path_.c_str(), &status) != 0) {
        return std::nullopt;
    }
    return Stamp{status.st_dev, status.st_ino, status.st_size, nanoseconds(status.st_mtim),
                 nanoseconds(status.st_ctim)};
}

} // namespace banger::resolved
