#include "daemon/ext4/directory.hpp"

#include "base/error.hpp"
#include "daemon/ext4/extent_tree.hpp"
#include "daemon/ext4/libext2fs.hpp"
#include "daemon/ext4/tree.hpp"

#include <algorithm>
#include <tuple>

namespace banger::ext4 {
namespace {

constexpr std::size_t entry_header_size = 8;
constexpr std::size_t tail_size = 12;
constexpr std::size_t room_in_leaf = block_size - tail_size;

// Hash tree, see «Hash Tree Directories» in the format's documentation.
constexpr std::size_t root_entries_at = 32;
constexpr std::size_t node_entries_at = 8;
constexpr std::size_t index_entry_size = 8;
// One entry less than there is room for: the checksum's tail is as large as an entry.
constexpr std::size_t root_limit = (block_size - root_entries_at) / index_entry_size - 1;
constexpr std::size_t node_limit = (block_size - node_entries_at) / index_entry_size - 1;

std::size_t record_size(std::string_view name) {
    return (entry_header_size + name.size() + 3) & ~std::size_t{3};
}

void put_entry(std::span<std::byte> to, InodeNumber inode, std::size_t record, EntryType type,
               std::string_view name) {
    put(to, 0, inode);
    put(to, 4, static_cast<std::uint16_t>(record));
    put(to, 6, static_cast<std::uint8_t>(name.size()));
    put(to, 7, type);
    std::memcpy(to.subspan(entry_header_size, name.size()).data(), name.data(), name.size());
}

/// A name on its way into the directory; there may be millions of them.
struct Hashed {
    std::uint32_t hash = 0;
    std::uint32_t minor = 0;
    TextStore::Position name = 0;
    InodeNumber inode = 0;
};

/// Writes the blocks of one directory, in their order.
class DirectoryBlocks {
public:
    DirectoryBlocks(BlockWriter &out, const Checksum &checksum, InodeNumber self)
        : out_(out), seed_(checksum.inode_seed(self)) {}

    /// Zeros, to be filled before the next call.
    std::span<std::byte> add() {
        const BlockWriter::Room room = out_.next(1);
        append_blocks(extents_, count_++, room.block, 1);
        std::fill(room.memory.begin(), room.memory.end(), std::byte{0});
        return room.memory;
    }

    /// The fake entry at a leaf's end that holds its checksum.
    void seal_leaf(std::span<std::byte> block) const {
        put(block, room_in_leaf + 4, static_cast<std::uint16_t>(tail_size));
        put(block, room_in_leaf + 7, std::uint8_t{0xDE});
        put(block, room_in_leaf + 8, Checksum::add(seed_, block.first(room_in_leaf)));
    }

    void put_index(std::span<std::byte> block, std::size_t at, std::size_t limit,
                   std::span<const std::pair<std::uint32_t, std::uint32_t>> hash_and_block) const {
        std::size_t offset = at;
        for (const auto &[hash, number] : hash_and_block) {
            put(block, offset, hash);
            put(block, offset + 4, number);
            offset += index_entry_size;
        }
        // Limit and count stand in place of the first hash, which is always 0.
        put(block, at, static_cast<std::uint16_t>(limit));
        put(block, at + 2, static_cast<std::uint16_t>(hash_and_block.size()));
        const std::size_t tail = at + limit * index_entry_size;
        auto crc = Checksum::add(seed_, block.first(offset));
        crc = Checksum::add(crc, block.subspan(tail, 8));
        put(block, tail + 4, crc);
    }

    std::vector<Extent> take_extents() { return std::move(extents_); }

private:
    BlockWriter &out_;
    std::uint32_t seed_;
    std::uint32_t count_ = 0;
    std::vector<Extent> extents_;
};

void put_linear(DirectoryBlocks &blocks, const Tree &tree, InodeNumber self) {
    const std::span<std::byte> block = blocks.add();
    std::size_t offset = 0;
    std::size_t last = 0;
    const auto add = [&](InodeNumber inode, EntryType type, std::string_view name) {
        last = offset;
        put_entry(block.subspan(offset), inode, record_size(name), type, name);
        offset += record_size(name);
    };
    add(self, EntryType::Directory, ".");
    add(tree.directory(self).parent, EntryType::Directory, "..");
    tree.names().for_each(self, [&](TextStore::Position name, Link link) {
        add(link.inode, tree.at(link.inode).type, tree.texts().at(name));
    });
    put(block, last + 4, static_cast<std::uint16_t>(room_in_leaf - last));
    blocks.seal_leaf(block);
}

std::vector<Hashed> sorted_by_hash(const HashSeed &seed, const Tree &tree, InodeNumber self,
                                   std::size_t count) {
    std::vector<Hashed> hashed;
    hashed.reserve(count);
    tree.names().for_each(self, [&](TextStore::Position position, Link link) {
        const std::string_view name = tree.texts().at(position);
        Hashed one{.name = position, .inode = link.inode};
        check(ext2fs_dirhash(EXT2_HASH_HALF_MD4, name.data(), static_cast<int>(name.size()),
                             seed.data(), &one.hash, &one.minor),
              "hash a file name");
        hashed.push_back(one);
    });
    std::sort(hashed.begin(), hashed.end(), [&](const Hashed &a, const Hashed &b) {
        return std::pair{a.hash, a.minor} != std::pair{b.hash, b.minor}
                   ? std::pair{a.hash, a.minor} < std::pair{b.hash, b.minor}
                   : tree.texts().at(a.name) < tree.texts().at(b.name);
    });
    return hashed;
}

/// Where the leaves begin in the names, and at last their number.
std::vector<std::size_t> divide_into_leaves(const std::vector<Hashed> &hashed,
                                            const TextStore &texts) {
    std::vector<std::size_t> begins;
    std::size_t filled = room_in_leaf;
    for (std::size_t i = 0; i < hashed.size(); ++i) {
        const std::size_t size = record_size(texts.at(hashed[i].name));
        if (filled + size > room_in_leaf) {
            begins.push_back(i);
            filled = 0;
        }
        filled += size;
    }
    begins.push_back(hashed.size());
    return begins;
}

void put_leaf(DirectoryBlocks &blocks, const Tree &tree, std::span<const Hashed> names) {
    const std::span<std::byte> block = blocks.add();
    std::size_t offset = 0;
    std::size_t last = 0;
    for (const Hashed &one : names) {
        const std::string_view name = tree.texts().at(one.name);
        last = offset;
        put_entry(block.subspan(offset), one.inode, record_size(name), tree.at(one.inode).type,
                  name);
        offset += record_size(name);
    }
    put(block, last + 4, static_cast<std::uint16_t>(room_in_leaf - last));
    blocks.seal_leaf(block);
}

using Index = std::vector<std::pair<std::uint32_t, std::uint32_t>>;

/// The leaves' first hashes and blocks. Bit 0 is set where a leaf begins with the hash that the one
/// before ends with.
Index index_of(const std::vector<Hashed> &hashed, const std::vector<std::size_t> &begins) {
    Index index;
    for (std::uint32_t leaf = 0; leaf + 1 < begins.size(); ++leaf) {
        const std::size_t first = begins[leaf];
        const bool continues = first > 0 && hashed[first - 1].hash == hashed[first].hash;
        index.emplace_back(hashed[first].hash | (continues ? 1U : 0U), leaf + 1);
    }
    return index;
}

void put_root(DirectoryBlocks &blocks, InodeNumber self, InodeNumber parent, bool two_levels,
              const Index &index) {
    const std::span<std::byte> root = blocks.add();
    put_entry(root, self, 12, EntryType::Directory, ".");
    put_entry(root.subspan(12), parent, block_size - 12, EntryType::Directory, "..");
    constexpr std::size_t info = 24;
    put(root, info + 4, static_cast<std::uint8_t>(EXT2_HASH_HALF_MD4));
    put(root, info + 5, std::uint8_t{8});
    put(root, info + 6, static_cast<std::uint8_t>(two_levels ? 1 : 0));
    blocks.put_index(root, root_entries_at, root_limit, index);
}

/// The root, the leaves, and behind them what lies between, where one level is not enough.
void put_tree(DirectoryBlocks &blocks, const HashSeed &seed, const Tree &tree, InodeNumber self,
              std::size_t count) {
    const std::vector<Hashed> hashed = sorted_by_hash(seed, tree, self, count);
    const std::vector<std::size_t> begins = divide_into_leaves(hashed, tree.texts());
    const Index leaves = index_of(hashed, begins);
    const bool two_levels = leaves.size() > root_limit;
    Index nodes;
    if (two_levels) {
        for (std::size_t i = 0; i < leaves.size(); i += node_limit) {
            nodes.emplace_back(leaves[i].first,
                               static_cast<std::uint32_t>(1 + leaves.size() + nodes.size()));
        }
    }
    if (nodes.size() > root_limit) {
        fail(ErrorCode::Unsupported, "a directory of {} entries is too large", count);
    }
    put_root(blocks, self, tree.directory(self).parent, two_levels, two_levels ? nodes : leaves);
    for (std::size_t i = 0; i + 1 < begins.size(); ++i) {
        put_leaf(blocks, tree, std::span{hashed}.subspan(begins[i], begins[i + 1] - begins[i]));
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const std::size_t first = i * node_limit;
        const std::span<std::byte> node = blocks.add();
        put(node, 4, static_cast<std::uint16_t>(block_size));
        blocks.put_index(
            node, node_entries_at, node_limit,
            std::span{leaves}.subspan(first, std::min(node_limit, leaves.size() - first)));
    }
}

} // namespace

WrittenDirectory write_directory(BlockWriter &out, const Checksum &checksum, const HashSeed &seed,
                                 const Tree &tree, InodeNumber self) {
    WrittenDirectory written;
    std::size_t count = 0;
    std::size_t linear_size = record_size(".") + record_size("..");
    tree.names().for_each(self, [&](TextStore::Position name, Link link) {
        ++count;
        linear_size += record_size(tree.texts().at(name));
        written.subdirectories += tree.at(link.inode).is_directory() ? 1 : 0;
    });
    written.indexed = linear_size > room_in_leaf;
    DirectoryBlocks blocks{out, checksum, self};
    if (written.indexed) {
        put_tree(blocks, seed, tree, self, count);
    } else {
        put_linear(blocks, tree, self);
    }
    written.extents = blocks.take_extents();
    return written;
}

} // namespace banger::ext4
