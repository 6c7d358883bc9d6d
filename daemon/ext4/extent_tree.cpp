#include "daemon/ext4/extent_tree.hpp"

#include "daemon/ext4/libext2fs.hpp"

#include <algorithm>

namespace banger::ext4 {
namespace {

constexpr std::size_t header_size = sizeof(ext3_extent_header);
constexpr std::size_t entry_size = sizeof(ext3_extent);
static_assert(entry_size == sizeof(ext3_extent_idx));
constexpr std::size_t entries_in_root = 4;
constexpr std::size_t entries_in_block = (block_size - header_size) / entry_size;
constexpr std::size_t tail_offset = header_size + entries_in_block * entry_size;

/// An entry of either kind, in the 12 bytes that it has on the disk.
struct Entry {
    std::uint32_t logical;
    std::array<std::byte, entry_size> bytes;
};

Entry leaf_entry(const Extent &extent) {
    ext3_extent raw{};
    raw.ee_block = extent.logical;
    raw.ee_len = static_cast<std::uint16_t>(extent.length);
    raw.ee_start = static_cast<std::uint32_t>(extent.physical);
    raw.ee_start_hi = static_cast<std::uint16_t>(extent.physical >> 32U);
    return {extent.logical, std::bit_cast<std::array<std::byte, entry_size>>(raw)};
}

Entry index_entry(std::uint32_t logical, std::uint64_t block) {
    ext3_extent_idx raw{};
    raw.ei_block = logical;
    raw.ei_leaf = static_cast<std::uint32_t>(block);
    raw.ei_leaf_hi = static_cast<std::uint16_t>(block >> 32U);
    return {logical, std::bit_cast<std::array<std::byte, entry_size>>(raw)};
}

void put_node(std::span<std::byte> to, std::span<const Entry> entries, std::size_t max,
              std::uint16_t depth) {
    ext3_extent_header header{};
    header.eh_magic = EXT3_EXT_MAGIC;
    header.eh_entries = static_cast<std::uint16_t>(entries.size());
    header.eh_max = static_cast<std::uint16_t>(max);
    header.eh_depth = depth;
    put(to, 0, header);
    std::size_t offset = header_size;
    for (const auto &entry : entries) {
        put(to, offset, entry.bytes);
        offset += entry_size;
    }
}

} // namespace

ExtentTree write_extent_tree(BlockWriter &blocks, const Checksum &checksum, InodeNumber inode,
                             const std::vector<Extent> &extents) {
    std::vector<Entry> level;
    level.reserve(extents.size());
    std::transform(extents.begin(), extents.end(), std::back_inserter(level), leaf_entry);

    ExtentTree tree;
    std::uint16_t depth = 0;
    while (level.size() > entries_in_root) {
        std::vector<Entry> above;
        for (std::size_t i = 0; i < level.size(); i += entries_in_block) {
            const std::span node =
                std::span{level}.subspan(i, std::min(entries_in_block, level.size() - i));
            const BlockWriter::Room room = blocks.next(1);
            std::fill(room.memory.begin(), room.memory.end(), std::byte{0});
            put_node(room.memory, node, entries_in_block, depth);
            put(room.memory, tail_offset,
                Checksum::add(checksum.inode_seed(inode), room.memory.first(tail_offset)));
            tree.blocks.push_back({room.block, 1});
            above.push_back(index_entry(node.front().logical, room.block));
        }
        level = std::move(above);
        ++depth;
    }
    put_node(tree.root, level, entries_in_root, depth);
    return tree;
}

ExtentRoot extent_root(const Extent &extent) {
    ExtentRoot root{};
    const Entry entry = leaf_entry(extent);
    put_node(root, {&entry, extent.length == 0 ? 0U : 1U}, entries_in_root, 0);
    return root;
}

void append_blocks(std::vector<Extent> &extents, std::uint32_t logical, std::uint64_t physical,
                   std::uint64_t count) {
    while (count > 0) {
        if (!extents.empty()) {
            Extent &last = extents.back();
            if (last.logical + last.length == logical && last.physical + last.length == physical &&
                last.length < max_extent_blocks) {
                const auto more = static_cast<std::uint32_t>(
                    std::min<std::uint64_t>(count, max_extent_blocks - last.length));
                last.length += more;
                logical += more;
                physical += more;
                count -= more;
                continue;
            }
        }
        extents.push_back({logical, 0, physical});
    }
}

} // namespace banger::ext4
