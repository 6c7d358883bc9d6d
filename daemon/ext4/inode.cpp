#include "daemon/ext4/inode.hpp"

#include <algorithm>

namespace banger::ext4 {

DiskTime disk_time(Time time) {
    constexpr std::int64_t first = -(std::int64_t{1} << 31);
    constexpr std::int64_t last = first + (std::int64_t{1} << 34) - 1;
    const std::int64_t seconds = std::clamp(time.seconds, first, last);
    const auto low = static_cast<std::uint32_t>(static_cast<std::uint64_t>(seconds));
    const std::int64_t epoch = (seconds - static_cast<std::int32_t>(low)) >> 32;
    return {low, static_cast<std::uint32_t>(epoch & 3) | time.nanoseconds << 2U};
}

const Data *data_of(const Inode &inode) {
    if (const auto *file = std::get_if<RegularFile>(&inode.content); file != nullptr) {
        return &file->data;
    }
    if (const auto *directory = std::get_if<Directory>(&inode.content); directory != nullptr) {
        return &directory->data;
    }
    const auto *symlink = std::get_if<Symlink>(&inode.content);
    return symlink != nullptr ? &symlink->data : nullptr;
}

Data *data_of(Inode &inode) {
    return const_cast<Data *>(data_of(std::as_const(inode)));
}

} // namespace banger::ext4
