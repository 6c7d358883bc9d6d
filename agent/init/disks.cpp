#include "agent/init/disks.hpp"

#include "agent/init/console.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace banger::init {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr std::size_t start_size = 4096;

/// EXT4_IOC_RESIZE_FS of the kernel's fs/ext4/ext4.h, which has no public header.
constexpr unsigned long ext4_resize = _IOW('f', 16, std::uint64_t);

std::string start_of(const fs::path &device) {
    const UniqueFd fd = open_file(device, O_RDONLY);
    std::string start(start_size, '\0');
    const ssize_t n = ::pread(fd.get(), start.data(), start.size(), 0);
    start.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return start;
}

void classify(const fs::path &device, Disks &disks) {
    const std::string start = start_of(device);
    if (start.starts_with("BANGER-IDENTITY\n")) {
        disks.config = device;
        return;
    }
    const auto ext4 = parse_ext4(start);
    if (!ext4) {
        return;
    }
    if (ext4->label == "banger-modules") {
        disks.modules = device;
    } else if (ext4->label == "banger-overlay") {
        disks.overlay = device;
    } else if (ext4->label == "banger-work") {
        disks.work = device;
    } else {
        disks.image = device;
    }
}

Disks look() {
    Disks disks;
    std::error_code ignored;
    for (const auto &entry : fs::directory_iterator("/sys/class/block", ignored)) {
        const std::string name = entry.path().filename();
        if (!name.starts_with("vd")) {
            continue;
        }
        try {
            classify(fs::path("/dev") / name, disks);
        } catch (const Error &) {
            // Its node is not there yet: another event comes.
        }
    }
    return disks;
}

template <typename T>
T little_endian(std::string_view bytes, std::size_t at) {
    T value = 0;
    for (std::size_t i = 0; i < sizeof(T); ++i) {
        value = static_cast<T>(value | (T{static_cast<unsigned char>(bytes[at + i])} << (i * 8U)));
    }
    return value;
}

} // namespace

std::optional<Ext4> parse_ext4(std::string_view start) {
    constexpr std::size_t superblock = 1024;
    constexpr std::size_t label_length = 16;
    constexpr std::uint16_t magic = 0xef53;
    constexpr std::uint32_t has_64bit = 0x80;
    constexpr std::uint32_t largest_block_shift = 6;
    if (start.size() < start_size ||
        little_endian<std::uint16_t>(start, superblock + 56) != magic) {
        return std::nullopt;
    }
    Ext4 ext4;
    ext4.blocks = little_endian<std::uint32_t>(start, superblock + 4);
    if ((little_endian<std::uint32_t>(start, superblock + 96) & has_64bit) != 0) {
        ext4.blocks |= std::uint64_t{little_endian<std::uint32_t>(start, superblock + 0x150)}
                       << 32U;
    }
    const auto shift = little_endian<std::uint32_t>(start, superblock + 24);
    if (shift > largest_block_shift) {
        return std::nullopt;
    }
    ext4.block_size = 1024U << shift;
    const std::string_view label = start.substr(superblock + 120, label_length);
    ext4.label = label.substr(0, label.find('\0'));
    return ext4;
}

Disks find_disks(std::chrono::milliseconds deadline) {
    // Open before the first look, so that no event is missed.
    const UniqueFd events{
        ::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT)};
    sockaddr_nl address{};
    address.nl_family = AF_NETLINK;
    address.nl_groups = 1;
    if (!events ||
        ::bind(events.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0) {
        throw_errno("listen to device events");
    }
    const auto until = Clock::now() + deadline;
    for (;;) {
        Disks disks = look();
        if (disks.complete()) {
            return disks;
        }
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
        pollfd waiting{events.get(), POLLIN, 0};
        if (left <= 0 || ::poll(&waiting, 1, static_cast<int>(left)) == 0) {
            fail(ErrorCode::NotFound, "the VM has no {} disk",
                 disks.image.empty()     ? "image"
                 : disks.overlay.empty() ? "overlay"
                                         : "config");
        }
        std::array<char, 8192> message{};
        while (::recv(events.get(), message.data(), message.size(), 0) > 0) {
        }
    }
}

identity::Identity read_identity(const fs::path &config) {
    constexpr std::size_t limit = 2U << 20U;
    const auto identity = identity::identity_from_config_disk(read_file(config, limit));
    if (!identity) {
        fail(ErrorCode::StateCorrupt, "the config disk holds no identity");
    }
    return *identity;
}

void grow(const fs::path &device, const fs::path &mount_point) {
    try {
        const auto ext4 = parse_ext4(start_of(device));
        const UniqueFd disk = open_file(device, O_RDONLY);
        std::uint64_t size = 0;
        if (!ext4 || ::ioctl(disk.get(), BLKGETSIZE64, &size) != 0) {
            throw_errno(fmt::format("read the size of {}", device.string()));
        }
        std::uint64_t blocks = size / ext4->block_size;
        if (blocks <= ext4->blocks) {
            return;
        }
        const UniqueFd root = open_file(mount_point, O_RDONLY | O_DIRECTORY);
        if (::ioctl(root.get(), ext4_resize, &blocks) != 0) {
            throw_errno(fmt::format("grow the file system on {}", device.string()));
        }
    } catch (const Error &error) {
        warn(error.what());
    }
}

} // namespace banger::init
