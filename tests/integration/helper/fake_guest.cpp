#include "tests/integration/helper/fake_guest.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <system_error>

namespace banger::test {
namespace {

constexpr std::size_t vnet_header = 10; // struct virtio_net_hdr, legacy

[[noreturn]] void throw_system(const char *what) {
    throw std::system_error(errno, std::generic_category(), what);
}

int check(int result, const char *what) {
    if (result < 0) {
        throw_system(what);
    }
    return result;
}

UniqueFd attached_device(const std::string &tap) {
    UniqueFd fd(check(open("/dev/net/tun", O_RDWR | O_CLOEXEC), "open /dev/net/tun"));
    attach_tap(fd.get(), tap);
    return fd;
}

sockaddr_in name_of(const std::string &address, std::uint16_t port) {
    sockaddr_in name{};
    name.sin_family = AF_INET;
    name.sin_port = htons(port);
    name.sin_addr = Ipv4::parse(address).to_in_addr();
    return name;
}

bool wait_for(int fd, short events, std::chrono::milliseconds patience) {
    pollfd entry{fd, events, 0};
    return poll(&entry, 1, static_cast<int>(patience.count())) > 0;
}

UniqueFd bound(int type, const std::string &address, std::uint16_t port) {
    UniqueFd fd(check(socket(AF_INET, type | SOCK_CLOEXEC, 0), "socket"));
    const int on = 1;
    check(setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), "SO_REUSEADDR");
    const sockaddr_in name = name_of(address, port);
    check(bind(fd.get(), reinterpret_cast<const sockaddr *>(&name), sizeof name), "bind");
    return fd;
}

} // namespace

void attach_tap(int device, const std::string &tap) {
    ifreq request{};
    std::strncpy(request.ifr_name, tap.c_str(), IFNAMSIZ - 1);
    request.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;
    check(ioctl(device, TUNSETIFF, &request), "TUNSETIFF");
}

FakeGuest::FakeGuest(const std::string &tap, const std::string &mac, const Ipv4 &address,
                     const Ipv4 &gateway)
    : host_side_(attached_device(tap)), stop_(eventfd(0, EFD_CLOEXEC)) {
    guest_side_ = stack_.in([] { return attached_device("eth0"); });
    // No checksum may be left to a device that does not exist.
    check(ioctl(guest_side_.get(), TUNSETOFFLOAD, 0UL), "TUNSETOFFLOAD");
    stack_.ip({"link", "set", "eth0", "address", mac, "up"});
    stack_.ip({"address", "add", address.str() + "/24", "dev", "eth0"});
    stack_.ip({"route", "add", "default", "via", gateway.str()});
    relay_ = std::thread([this] { relay(); });
}

FakeGuest::~FakeGuest() {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(stop_.get(), &one, sizeof one);
    relay_.join();
}

void FakeGuest::relay() {
    std::array<pollfd, 3> entries{
        {{host_side_.get(), POLLIN, 0}, {guest_side_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
    while (poll(entries.data(), entries.size(), -1) >= 0 && entries[2].revents == 0) {
        // A tap that was released hangs up.
        if (((entries[0].revents | entries[1].revents) & (POLLERR | POLLHUP)) != 0) {
            return;
        }
        if (entries[0].revents != 0) {
            copy(host_side_.get(), guest_side_.get(), true);
        }
        if (entries[1].revents != 0) {
            copy(guest_side_.get(), host_side_.get(), false);
        }
    }
}

void FakeGuest::copy(int from, int to, bool record) {
    Bytes buffer(70000);
    const auto size = read(from, buffer.data(), buffer.size());
    if (size < static_cast<ssize_t>(vnet_header)) {
        return;
    }
    buffer.resize(static_cast<std::size_t>(size));
    [[maybe_unused]] const auto written = write(to, buffer.data(), buffer.size());
    if (record) {
        const std::lock_guard lock(mutex_);
        frames_.emplace_back(buffer.begin() + vnet_header, buffer.end());
    }
}

void FakeGuest::send_frame(const Bytes &ethernet) {
    Bytes packet(vnet_header, 0);
    packet.insert(packet.end(), ethernet.begin(), ethernet.end());
    if (write(host_side_.get(), packet.data(), packet.size()) !=
        static_cast<ssize_t>(packet.size())) {
        throw_system("write a frame");
    }
}

bool FakeGuest::received(const std::function<bool(const Bytes &)> &matches,
                         std::chrono::milliseconds patience) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    for (;;) {
        {
            const std::lock_guard lock(mutex_);
            for (const Bytes &frame : frames_) {
                if (matches(frame)) {
                    return true;
                }
            }
        }
        if (std::chrono::steady_clock::now() > deadline) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
}

bool ping(NetworkNamespace &from, const std::string &address, std::chrono::milliseconds patience) {
    const UniqueFd fd = from.in([] {
        return UniqueFd(check(socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP), "socket"));
    });
    icmphdr request{};
    request.type = ICMP_ECHO;
    request.un.echo.id = htons(4711);
    request.checksum = static_cast<std::uint16_t>(~(request.type + htons(4711)) & 0xffff);
    const sockaddr_in name = name_of(address, 0);
    if (sendto(fd.get(), &request, sizeof request, 0, reinterpret_cast<const sockaddr *>(&name),
               sizeof name) < 0) {
        return false;
    }
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (std::chrono::steady_clock::now() < deadline) {
        std::array<std::uint8_t, 1500> answer{};
        if (wait_for(fd.get(), POLLIN, std::chrono::milliseconds(50)) &&
            recv(fd.get(), answer.data(), answer.size(), 0) >= 28 && answer[20] == ICMP_ECHOREPLY) {
            return true;
        }
    }
    return false;
}

int connect_tcp(const std::string &address, std::uint16_t port,
                std::chrono::milliseconds patience) {
    const UniqueFd fd(
        check(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    const sockaddr_in name = name_of(address, port);
    if (connect(fd.get(), reinterpret_cast<const sockaddr *>(&name), sizeof name) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS) {
        return errno;
    }
    if (!wait_for(fd.get(), POLLOUT, patience)) {
        return ETIMEDOUT;
    }
    int error = 0;
    socklen_t size = sizeof error;
    check(getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &error, &size), "SO_ERROR");
    return error;
}

EchoServer::EchoServer(std::uint16_t port, const std::string &address)
    : tcp_(bound(SOCK_STREAM, address, port)), udp_(bound(SOCK_DGRAM, address, port)) {
    check(listen(tcp_.get(), 8), "listen");
}

std::string EchoServer::answer(std::chrono::milliseconds patience) {
    if (!wait_for(udp_.get(), POLLIN, patience)) {
        return "";
    }
    std::array<char, 2048> buffer{};
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto length = recvfrom(udp_.get(), buffer.data(), buffer.size(), 0,
                                 reinterpret_cast<sockaddr *>(&from), &size);
    check(static_cast<int>(length), "recvfrom");
    sendto(udp_.get(), buffer.data(), static_cast<std::size_t>(length), 0,
           reinterpret_cast<const sockaddr *>(&from), size);
    return Ipv4::from(from.sin_addr).str();
}

bool ask_udp(const std::function<int()> &make_socket, EchoServer &server,
             const std::string &address, std::uint16_t port) {
    const UniqueFd fd(check(make_socket(), "socket"));
    const sockaddr_in name = name_of(address, port);
    sendto(fd.get(), "?", 1, 0, reinterpret_cast<const sockaddr *>(&name), sizeof name);
    server.answer(std::chrono::milliseconds(500));
    char answer = 0;
    return wait_for(fd.get(), POLLIN, std::chrono::milliseconds(500)) &&
           recv(fd.get(), &answer, 1, 0) == 1;
}

} // namespace banger::test
