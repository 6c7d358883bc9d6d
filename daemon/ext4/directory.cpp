#include "daemon/ext4/directory.hpp"

#include "base/error.hpp"
#include "daemon/ext4/extent_tree.hpp"
#include "daemon/ext4/libext2fs.hpp"

#include <algorithm>
#include <numeric>
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

struct Hashed {
    std::uint32_t hash = 0;
    std::uint32_t minor = 0;
    const DirectoryEntry *entry = nullptr;
};

/// Blocks in memory, in the file's order, before they get their places.
class Builder {
public:
    Builder(const Checksum &checksum, InodeNumber self) : checksum_(checksum), self_(self) {}

    Block &add() {
        blocks_.emplace_back();
        blocks_.back().fill(std::byte{0});
        return blocks_.back();
    }
    Block &at(std::size_t index) { return blocks_[index]; }
    std::size_t count() const { return blocks_.size(); }

    /// The fake entry at a leaf's end that holds its checksum.
    void seal_leaf(Block &block) const {
        put(block, room_in_leaf + 4, static_cast<std::uint16_t>(tail_size));
        put(block, room_in_leaf + 7, std::uint8_t{0xDE});
        const auto crc = Checksum::add(checksum_.inode_seed(self_),
                                       std::span<const std::byte>{block}.first(room_in_leaf));
        put(block, room_in_leaf + 8, crc);
    }

    void put_index(Block &block, std::size_t at, std::size_t limit,
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
        auto crc = Checksum::add(checksum_.inode_seed(self_),
                                 std::span<const std::byte>{block}.first(offset));
        crc = Checksum::add(crc, std::span<const std::byte>{block}.subspan(tail, 8));
        put(block, tail + 4, crc);
    }

    WrittenDirectory write(BlockWriter &out, bool indexed) const {
        WrittenDirectory result;
        result.indexed = indexed;
        result.block_count = static_cast<std::uint32_t>(blocks_.size());
        for (std::uint32_t i = 0; i < result.block_count;) {
            const BlockWriter::Room room = out.next(result.block_count - i);
            const std::size_t count = room.memory.size() / block_size;
            std::memcpy(room.memory.data(), blocks_[i].data(), room.memory.size());
            append_blocks(result.extents, i, room.block, count);
            i += static_cast<std::uint32_t>(count);
        }
        return result;
    }

private:
    const Checksum &checksum_;
    InodeNumber self_;
    std::vector<Block> blocks_;
};

void put_linear(Builder &builder, InodeNumber self, InodeNumber parent,
                const std::vector<DirectoryEntry> &entries) {
    Block &block = builder.add();
    std::size_t offset = 0;
    std::size_t last = 0;
    const auto add = [&](InodeNumber inode, EntryType type, std::string_view name) {
        last = offset;
        put_entry(std::span{block}.subspan(offset), inode, record_size(name), type, name);
        offset += record_size(name);
    };
    add(self, EntryType::Directory, ".");
    add(parent, EntryType::Directory, "..");
    for (const auto &entry : entries) {
        add(entry.inode, entry.type, entry.name);
    }
    put(block, last + 4, static_cast<std::uint16_t>(room_in_leaf - last));
    builder.seal_leaf(block);
}

std::vector<Hashed> sorted_by_hash(const HashSeed &seed,
                                   const std::vector<DirectoryEntry> &entries) {
    std::vector<Hashed> hashed;
    hashed.reserve(entries.size());
    for (const auto &entry : entries) {
        Hashed one;
        one.entry = &entry;
        check(ext2fs_dirhash(EXT2_HASH_HALF_MD4, entry.name.data(),
                             static_cast<int>(entry.name.size()), seed.data(), &one.hash,
                             &one.minor),
              "hash a file name");
        hashed.push_back(one);
    }
    std::sort(hashed.begin(), hashed.end(), [](const Hashed &a, const Hashed &b) {
        return std::tuple{a.hash, a.minor, a.entry->name} <
               std::tuple{b.hash, b.minor, b.entry->name};
    });
    return hashed;
}

/// The leaves' first hashes, with bit 0 set where a leaf begins with the hash that the one before
/// ends with.
std::vector<std::uint32_t> put_leaves(Builder &builder, const std::vector<Hashed> &hashed) {
    std::vector<std::uint32_t> first_hashes;
    std::size_t i = 0;
    while (i < hashed.size()) {
        const bool continues = i > 0 && hashed[i - 1].hash == hashed[i].hash;
        first_hashes.push_back(hashed[i].hash | (continues ? 1U : 0U));
        Block &block = builder.add();
        std::size_t offset = 0;
        std::size_t last = 0;
        while (i < hashed.size() && offset + record_size(hashed[i].entry->name) <= room_in_leaf) {
            const DirectoryEntry &entry = *hashed[i].entry;
            last = offset;
            put_entry(std::span{block}.subspan(offset), entry.inode, record_size(entry.name),
                      entry.type, entry.name);
            offset += record_size(entry.name);
            ++i;
        }
        put(block, last + 4, static_cast<std::uint16_t>(room_in_leaf - last));
        builder.seal_leaf(block);
    }
    return first_hashes;
}

void put_root(Builder &builder, InodeNumber self, InodeNumber parent, bool two_levels,
              std::span<const std::pair<std::uint32_t, std::uint32_t>> index) {
    Block &root = builder.at(0);
    put_entry(root, self, 12, EntryType::Directory, ".");
    put_entry(std::span{root}.subspan(12), parent, block_size - 12, EntryType::Directory, "..");
    constexpr std::size_t info = 24;
    put(root, info + 4, static_cast<std::uint8_t>(EXT2_HASH_HALF_MD4));
    put(root, info + 5, std::uint8_t{8});
    put(root, info + 6, static_cast<std::uint8_t>(two_levels ? 1 : 0));
    builder.put_index(root, root_entries_at, root_limit, index);
}

void put_tree(Builder &builder, const HashSeed &seed, InodeNumber self, InodeNumber parent,
              const std::vector<DirectoryEntry> &entries) {
    using Index = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
    builder.add(); // the root, filled in at the end
    const std::vector<std::uint32_t> first_hashes =
        put_leaves(builder, sorted_by_hash(seed, entries));
    Index leaves;
    for (std::uint32_t i = 0; i < first_hashes.size(); ++i) {
        leaves.emplace_back(first_hashes[i], i + 1);
    }
    if (leaves.size() <= root_limit) {
        put_root(builder, self, parent, false, leaves);
        return;
    }
    Index nodes;
    for (std::size_t i = 0; i < leaves.size(); i += node_limit) {
        const std::span part =
            std::span{leaves}.subspan(i, std::min(node_limit, leaves.size() - i));
        nodes.emplace_back(part.front().first, static_cast<std::uint32_t>(builder.count()));
        Block &node = builder.add();
        put(node, 4, static_cast<std::uint16_t>(block_size));
        builder.put_index(node, node_entries_at, node_limit, part);
    }
    if (nodes.size() > root_limit) {
        fail(ErrorCode::Unsupported, "a directory of {} entries is too large", entries.size());
    }
    put_root(builder, self, parent, true, nodes);
}

} // namespace

WrittenDirectory write_directory(BlockWriter &blocks, const Checksum &checksum,
                                 const HashSeed &seed, InodeNumber self, InodeNumber parent,
                                 const std::vector<DirectoryEntry> &entries) {
    const std::size_t linear_size = std::accumulate(
        entries.begin(), entries.end(), std::size_t{24},
        [](std::size_t sum, const DirectoryEntry &e) { return sum + record_size(e.name); });
    Builder builder{checksum, self};
    const bool indexed = linear_size > room_in_leaf;
    if (indexed) {
        put_tree(builder, seed, self, parent, entries);
    } else {
        put_linear(builder, self, parent, entries);
    }
    return builder.write(blocks, indexed);
}

} // namespace banger::ext4
