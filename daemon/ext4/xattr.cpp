#include "daemon/ext4/xattr.hpp"

#include "base/error.hpp"
#include "daemon/ext4/libext2fs.hpp"

#include <algorithm>
#include <bit>
#include <numeric>
#include <string_view>
#include <tuple>

namespace banger::ext4 {
namespace {

struct NameClass {
    std::string_view prefix;
    std::uint8_t index;
    bool whole; ///< the prefix is the whole name
};

// fs/ext4/xattr.h. An ACL's name is its index alone.
constexpr std::array<NameClass, 6> name_classes{{
    {"system.posix_acl_access", 2, true},
    {"system.posix_acl_default", 3, true},
    {"user.", 1, false},
    {"trusted.", 4, false},
    {"security.", 6, false},
    {"system.", 7, false},
}};

struct Encoded {
    const Xattr *source;
    std::uint8_t index;
    std::string name;
    std::string value;
    std::optional<ValueInode> value_inode;

    std::size_t entry_size() const {
        return (sizeof(ext2_ext_attr_entry) + name.size() + 3) & ~std::size_t{3};
    }
    std::size_t value_size() const { return (value.size() + 3) & ~std::size_t{3}; }
    std::size_t size() const { return entry_size() + value_size(); }
};

template <typename T>
T take(std::string_view &from) {
    T value{};
    std::memcpy(&value, from.data(), sizeof value);
    from.remove_prefix(sizeof value);
    return value;
}

template <typename T>
void append(std::string &to, T value) {
    to.append(reinterpret_cast<const char *>(&value), sizeof value);
}

/// From the xattr of Linux (each entry: tag, permissions, id) to ext4's, where only named users and
/// groups have an id.
std::string encode_acl(const Xattr &xattr) {
    constexpr std::uint32_t linux_version = 2;
    constexpr std::uint32_t ext4_version = 1;
    constexpr std::uint16_t named_user = 0x02;
    constexpr std::uint16_t named_group = 0x08;
    std::string_view rest = xattr.value;
    if (rest.size() < 4 || (rest.size() - 4) % 8 != 0 ||
        take<std::uint32_t>(rest) != linux_version) {
        fail(ErrorCode::InvalidArgument, "the ACL {} is damaged", xattr.name);
    }
    std::string result;
    append(result, ext4_version);
    while (!rest.empty()) {
        const auto tag = take<std::uint16_t>(rest);
        const auto permissions = take<std::uint16_t>(rest);
        const auto id = take<std::uint32_t>(rest);
        append(result, tag);
        append(result, permissions);
        if (tag == named_user || tag == named_group) {
            append(result, id);
        }
    }
    return result;
}

Encoded encode(const Xattr &xattr) {
    for (const auto &known : name_classes) {
        if (known.whole ? xattr.name == known.prefix : xattr.name.starts_with(known.prefix)) {
            std::string name = xattr.name.substr(known.prefix.size());
            if (known.whole != name.empty() || name.size() > 255) {
                break;
            }
            return {&xattr, known.index, std::move(name),
                    known.whole ? encode_acl(xattr) : xattr.value, std::nullopt};
        }
    }
    fail(ErrorCode::InvalidArgument, "ext4 has no extended attribute of the name {:?}", xattr.name);
}

/// As if the value were the one word of its own hash.
std::uint32_t hash_with_value_inode(ext2_ext_attr_entry &entry, std::uint32_t hash) {
    constexpr int value_hash_shift = 16;
    return std::rotl(ext2fs_ext_attr_hash_entry(&entry, nullptr), value_hash_shift) ^ hash;
}

/// Entries from `entries_at` on, values from the end; offsets count from `base`.
void put_entries(std::span<std::byte> to, std::size_t entries_at, std::size_t base,
                 std::span<const Encoded> all) {
    std::size_t entry_at = entries_at;
    std::size_t value_at = to.size();
    for (const auto &one : all) {
        value_at -= one.value_size();
        std::memcpy(to.subspan(value_at, one.value.size()).data(), one.value.data(),
                    one.value.size());
        // A buffer of its own, aligned, because libext2fs hashes by words.
        alignas(8) std::array<std::byte, sizeof(ext2_ext_attr_entry) + 256> entry_bytes{};
        auto *entry = reinterpret_cast<ext2_ext_attr_entry *>(entry_bytes.data());
        entry->e_name_len = static_cast<std::uint8_t>(one.name.size());
        entry->e_name_index = one.index;
        std::memcpy(entry_bytes.data() + sizeof *entry, one.name.data(), one.name.size());
        if (one.value_inode) {
            entry->e_value_size = one.value_inode->size;
            entry->e_value_inum = one.value_inode->inode;
            entry->e_hash = hash_with_value_inode(*entry, one.value_inode->hash);
        } else {
            entry->e_value_size = static_cast<std::uint32_t>(one.value.size());
            entry->e_value_offs =
                one.value.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(value_at - base);
            entry->e_hash = ext2fs_ext_attr_hash_entry(
                entry, one.value.empty() ? nullptr : to.subspan(value_at).data());
        }
        std::memcpy(to.subspan(entry_at, one.entry_size()).data(), entry_bytes.data(),
                    one.entry_size());
        entry_at += one.entry_size();
    }
}

std::vector<Encoded> encode_all(const std::vector<Xattr> &xattrs) {
    std::vector<Encoded> all;
    all.reserve(xattrs.size());
    std::transform(xattrs.begin(), xattrs.end(), std::back_inserter(all), encode);
    // The order in which the kernel looks them up in a block.
    const auto key = [](const Encoded &x) {
        return std::tuple{x.index, x.name.size(), std::string_view{x.name}};
    };
    std::sort(all.begin(), all.end(),
              [&](const auto &a, const auto &b) { return key(a) < key(b); });
    if (std::adjacent_find(all.begin(), all.end(), [&](const auto &a, const auto &b) {
            return key(a) == key(b);
        }) != all.end()) {
        fail(ErrorCode::InvalidArgument, "an extended attribute is there twice");
    }
    return all;
}

constexpr std::size_t magic_size = 4;
constexpr std::size_t end_marker = 4;

struct Division {
    std::vector<Encoded> inside;
    std::vector<Encoded> outside;
    std::size_t outside_size = sizeof(ext2_ext_attr_header) + end_marker;
};

Division divide(std::vector<Encoded> all) {
    Division result;
    std::size_t inside_size = magic_size + end_marker;
    for (auto &one : all) {
        if (inside_size + one.size() <= inode_xattr_size) {
            inside_size += one.size();
            result.inside.push_back(std::move(one));
        } else {
            result.outside_size += one.size();
            result.outside.push_back(std::move(one));
        }
    }
    return result;
}

} // namespace

std::vector<std::string> values_for_inodes(const std::vector<Xattr> &xattrs) {
    std::vector<Encoded> all = encode_all(xattrs);
    const std::size_t least =
        std::accumulate(all.begin(), all.end(), std::size_t{0},
                        [](std::size_t sum, const Encoded &one) { return sum + one.entry_size(); });
    std::vector<std::string> names;
    while (divide(all).outside_size > block_size) {
        const auto largest =
            std::max_element(all.begin(), all.end(), [](const Encoded &a, const Encoded &b) {
                return a.value.size() < b.value.size();
            });
        if (least > inode_xattr_size + block_size || largest->value.empty()) {
            fail(ErrorCode::Unsupported,
                 "{} extended attributes do not fit into a block of {} bytes, even without values",
                 all.size(), block_size);
        }
        names.push_back(largest->source->name);
        largest->value.clear();
    }
    return names;
}

EncodedXattrs encode_xattrs(const std::vector<Xattr> &xattrs, const ValueInodes &value_inodes) {
    std::vector<Encoded> all = encode_all(xattrs);
    for (Encoded &one : all) {
        const auto found = value_inodes.find(one.source->name);
        if (found != value_inodes.end()) {
            one.value.clear();
            one.value_inode = found->second;
        }
    }
    const auto [inside, outside, outside_size] = divide(std::move(all));
    EncodedXattrs result;
    if (!inside.empty()) {
        put(result.in_inode, 0, std::uint32_t{EXT2_EXT_ATTR_MAGIC});
        put_entries(result.in_inode, magic_size, magic_size, inside);
    }
    if (!outside.empty()) {
        Block &block = result.block.emplace();
        block.fill(std::byte{0});
        ext2_ext_attr_header header{};
        header.h_magic = EXT2_EXT_ATTR_MAGIC;
        header.h_refcount = 1;
        header.h_blocks = 1;
        put(block, 0, header);
        put_entries(block, sizeof header, 0, outside);
        auto *in_place = reinterpret_cast<ext2_ext_attr_header *>(block.data());
        ext2fs_ext_attr_block_rehash(
            in_place, reinterpret_cast<ext2_ext_attr_entry *>(block.data() + block.size()));
    }
    return result;
}

void seal_xattr_block(Block &block, std::uint64_t number, const Checksum &checksum) {
    put(block, offsetof(ext2_ext_attr_header, h_checksum), std::uint32_t{0});
    const std::uint32_t crc = Checksum::add(checksum.seed(), std::as_bytes(std::span{&number, 1}));
    put(block, offsetof(ext2_ext_attr_header, h_checksum), Checksum::add(crc, block));
}

} // namespace banger::ext4
