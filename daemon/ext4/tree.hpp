#pragma once

#include "daemon/ext4/directory.hpp"
#include "daemon/ext4/format.hpp"
#include "daemon/ext4/metadata.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace banger::ext4 {

/// An inode before it is written.
struct Inode {
    EntryType type = EntryType::Regular;
    Metadata metadata;
    std::uint64_t size = 0;
    std::uint32_t links = 0;     ///< of non-directories; a directory's follows from the tree
    std::vector<Extent> extents; ///< of regular files
    std::string target;          ///< of symbolic links
    std::uint32_t major = 0;     ///< of devices
    std::uint32_t minor = 0;
    std::map<std::string, InodeNumber, std::less<>> entries; ///< of directories
    InodeNumber parent = 0;                                  ///< of directories

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

    /// 0: nothing there.
    InodeNumber find(std::string_view path) const;
    /// Makes or replaces the entry; a directory over a directory keeps its content.
    InodeNumber put(std::string_view path, Inode inode);
    void link(std::string_view path, std::string_view target);
    void remove(std::string_view path);

private:
    struct Place {
        InodeNumber directory;
        std::string name; ///< empty: the root itself
    };
    Place locate(std::string_view path);
    InodeNumber create(Inode inode);
    void unlink(InodeNumber directory, std::string_view name);
    void drop(InodeNumber number);

    std::uint32_t max_inodes_;
    std::vector<std::unique_ptr<Inode>> inodes_;
    // Entries of one directory come one after the other.
    std::string last_parent_path_;
    InodeNumber last_parent_ = root_inode;
};

} // namespace banger::ext4
