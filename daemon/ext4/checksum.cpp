#include "daemon/ext4/checksum.hpp"

#include "daemon/ext4/libext2fs.hpp"

namespace banger::ext4 {

Checksum::Checksum(const Uuid &uuid) : seed_(add(~0U, std::as_bytes(std::span{uuid}))) {}

std::uint32_t Checksum::inode_seed(InodeNumber inode) const {
    const std::array<std::uint32_t, 2> inode_and_generation{inode, 0};
    return add(seed_, std::as_bytes(std::span{inode_and_generation}));
}

std::uint32_t Checksum::add(std::uint32_t crc, std::span<const std::byte> data) {
    return ext2fs_crc32c_le(crc, reinterpret_cast<const unsigned char *>(data.data()), data.size());
}

} // namespace banger::ext4
