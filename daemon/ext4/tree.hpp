#pragma once

#include "daemon/ext4/directory.hpp"
#include "daemon/ext4/format.hpp"
#include "daemon/ext4/metadata.hpp"
#include "daemon/ext4/xattr.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace banger::ext4 {

/// A name in a directory. `layer` is the latest that has put the name, or something below it.
struct Link {
    InodeNumber inode = 0;
    std::uint32_t layer = 0;
};

/// An inode before it is written.
struct Inode {
    EntryType type = EntryType::Regular;
    Metadata metadata;
    ValueInodes value_inodes;    ///< of the xattrs in `metadata`
    bool is_xattr_value = false; ///< has no name; its access time is the value's hash
    std::uint64_t size = 0;
    std::uint32_t links = 0;     ///< of non-directories; a directory's follows from the tree
    std::vector<Extent> extents; ///< of regular files
    std::string target;          ///< of symbolic links
    std::uint32_t major = 0;     ///< of devices
    std::uint32_t minor = 0;
    std::map<std::string, Link, std::less<>> entries; ///< of directories
    InodeNumber parent = 0;                           ///< of directories
    std::uint32_t only_of_layer = 0; ///< of directories: the layer that all in it is known to be of

    bool is_directory() const noexcept { return type == EntryType::Directory; }
};

/// The names and inodes of a file system under construction. Numbers are given in the order of
/// creation; one that was removed leaves a gap. All members throw Error as Writer says.
class Tree {
public:
    explicit Tree(std::uint32_t max_inodes);

    Inode &at(InodeNumber number) { return *inodes_[number]; }
    const Inode &at(InodeNumber number) const { return *inodes_[number]; }
    bool has(InodeNumber number) const {
        return number < inodes_.size() && inodes_[number] != nullptr;
    }
    /// One more than the highest number given.
    InodeNumber end() const noexcept { return static_cast<InodeNumber>(inodes_.size()); }

    /// From here on names are those of a new layer, and parents that are symbolic links are
    /// followed; before the first layer they are refused.
    void begin_layer();

    /// 0: nothing there.
    InodeNumber find(std::string_view path) const;
    /// Makes or replaces the entry; a directory over a directory keeps its content.
    InodeNumber put(std::string_view path, Inode inode);
    void link(std::string_view path, std::string_view target);
    /// For what has no name; goes with the inode that has it among its `value_inodes`.
    InodeNumber create(Inode inode);
    void remove(std::string_view path);
    /// Removes the entry and what is below it, except what the current layer has put there.
    void remove_lower(std::string_view path);
    /// The same for all that is in a directory.
    void remove_lower_content(std::string_view directory);

    /// The blocks of files that are no longer there.
    const std::vector<Run> &freed() const noexcept { return freed_; }

private:
    struct Place {
        InodeNumber directory = 0; ///< 0: it does not exist
        std::string name;          ///< empty: the root itself
    };
    /// Makes the parents that are missing; all of them become part of the current layer.
    Place locate(std::string_view path);
    Place look_up(std::string_view path) const;
    Place look_up_to_remove(std::string_view path) const;
    InodeNumber look_up_directory(std::vector<std::string_view> names,
                                  std::string_view whole) const;
    std::vector<std::string_view> resolve(std::vector<std::string_view> directories,
                                          std::string_view whole) const;
    const Link *child(InodeNumber directory, std::string_view name) const;
    InodeNumber create_parent(InodeNumber in);
    void unlink(InodeNumber directory, std::string_view name);
    void drop(InodeNumber number);
    void release(InodeNumber number);
    void release_value_inodes(InodeNumber number);
    void replace_metadata(InodeNumber number, Inode &from);
    void remove_lower_in(InodeNumber directory);
    void forget_last_parent();

    std::uint32_t max_inodes_;
    std::uint32_t layer_ = 0;
    std::vector<std::unique_ptr<Inode>> inodes_;
    std::vector<Run> freed_;
    // Entries of one directory come one after the other.
    std::string last_parent_path_;
    InodeNumber last_parent_ = 0; ///< 0: nothing is remembered
};

} // namespace banger::ext4
