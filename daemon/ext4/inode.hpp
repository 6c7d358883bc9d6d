#pragma once

#include "daemon/ext4/extent_tree.hpp"
#include "daemon/ext4/format.hpp"
#include "daemon/ext4/metadata.hpp"
#include "daemon/ext4/names.hpp"
#include "daemon/ext4/xattr.hpp"

#include <cstdint>
#include <memory>
#include <variant>
#include <vector>

namespace banger::ext4 {

/// As the disk has it: 32 bits of seconds; two bits of epoch and thirty of nanoseconds.
struct DiskTime {
    std::uint32_t seconds = 0;
    std::uint32_t extra = 0;
};
DiskTime disk_time(Time time);

/// Where a file's blocks are, if they are one piece from its beginning, as nearly always. A disk
/// has at most 2^28.
struct Data {
    std::uint32_t start = 0;  ///< 0: none, or in Extra::pieces
    std::uint32_t blocks = 0; ///< without those of an extent tree
};

struct RegularFile {
    std::uint64_t size = 0;
    Data data;
};
struct Directory {
    InodeNumber parent = 0;
    std::uint32_t only_of_layer = 0; ///< the layer that all in it is known to be of
    Data data;                       ///< once it is written
};
struct Symlink {
    TextStore::Position target = 0;
    Data data; ///< of a long target
};
struct Device {
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
};
struct NoContent {};

/// An inode before its record is written. There may be millions of them: what only some need is in
/// an Extra.
struct Inode {
    EntryType type = EntryType::Unknown; ///< Unknown: not in use
    bool has_extra = false;
    bool is_xattr_value = false; ///< has no name; its access time is the value's hash
    bool indexed = false;        ///< a directory with a hash tree
    std::uint16_t permissions = 0755;
    std::uint16_t links = 0; ///< of a directory: once it is written
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    DiskTime modified;
    DiskTime accessed;
    std::variant<NoContent, RegularFile, Directory, Symlink, Device> content;

    bool is_directory() const noexcept { return type == EntryType::Directory; }
};

/// nullptr: an inode of this type has no blocks.
Data *data_of(Inode &inode);
const Data *data_of(const Inode &inode);

/// Of a file whose data is not one piece from its beginning.
struct Pieces {
    ExtentRoot root{};
    std::vector<Run> runs; ///< data and the tree's own blocks
};

struct Extra {
    WrittenXattrs xattrs;
    std::unique_ptr<Pieces> pieces;
};

} // namespace banger::ext4
