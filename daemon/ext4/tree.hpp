#pragma once

#include "daemon/ext4/format.hpp"
#include "daemon/ext4/inode.hpp"
#include "daemon/ext4/names.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace banger::ext4 {

/// The names and inodes of a file system under construction. Numbers are given in the order of
/// creation; one that was removed leaves a gap. All members throw Error as Writer says.
class Tree {
public:
    Tree(std::uint32_t max_inodes, std::uint64_t max_text_bytes);

    Inode &at(InodeNumber number) { return inodes_[number]; }
    const Inode &at(InodeNumber number) const { return inodes_[number]; }
    Directory &directory(InodeNumber number) { return std::get<Directory>(at(number).content); }
    const Directory &directory(InodeNumber number) const {
        return std::get<Directory>(at(number).content);
    }
    std::string_view target_of(InodeNumber symlink) const {
        return texts_.at(std::get<Symlink>(at(symlink).content).target);
    }
    bool has(InodeNumber number) const {
        return number < inodes_.size() && inodes_[number].type != EntryType::Unknown;
    }
    std::uint32_t count() const;
    bool has_xattr_values() const;
    /// One more than the highest number given.
    InodeNumber end() const noexcept { return static_cast<InodeNumber>(inodes_.size()); }

    /// Made where there is none.
    Extra &extra(InodeNumber number);
    const Extra *find_extra(InodeNumber number) const;
    /// The same for equal ones: most inodes that have any have those of others.
    const InodeXattrs &shared(const InodeXattrs &xattrs) { return *xattrs_.insert(xattrs).first; }

    const Names &names() const noexcept { return names_; }
    TextStore &texts() noexcept { return texts_; }
    const TextStore &texts() const noexcept { return texts_; }

    /// From here on names are those of a new layer, and parents that are symbolic links are
    /// followed; before the first layer they are refused.
    void begin_layer();

    /// 0: nothing there.
    InodeNumber find(std::string_view path) const;
    /// Makes or replaces the entry; a directory over a directory keeps its content.
    InodeNumber put(std::string_view path, Inode inode, WrittenXattrs xattrs);
    void link(std::string_view path, std::string_view target);
    /// For what has no name; goes with the inode that has it among its xattrs' values.
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
        std::string_view name;     ///< empty: the root itself
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
    void release_xattrs(InodeNumber number);
    void replace_metadata(InodeNumber number, const Inode &from, WrittenXattrs xattrs);
    void set_xattrs(InodeNumber number, WrittenXattrs xattrs);
    void remove_lower_in(InodeNumber directory);
    void forget_last_parent();

    std::uint32_t max_inodes_;
    std::uint32_t layer_ = 0;
    std::deque<Inode> inodes_;
    std::map<InodeNumber, Extra> extras_;
    std::set<InodeXattrs> xattrs_;
    TextStore texts_;
    Names names_{texts_};
    std::vector<Run> freed_;
    // Entries of one directory come one after the other.
    std::string last_parent_path_;
    InodeNumber last_parent_ = 0; ///< 0: nothing is remembered
};

} // namespace banger::ext4
