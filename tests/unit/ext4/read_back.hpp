#pragma once

#include "daemon/ext4/metadata.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>

/// Reads a file system with libext2fs alone, which knows nothing of what wrote it.
namespace banger::test {

struct ReadEntry {
    std::uint32_t inode = 0;
    std::uint16_t mode = 0; ///< as st_mode
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::uint64_t size = 0;
    std::uint64_t blocks = 0; ///< of 512 bytes
    std::uint32_t links = 0;
    ext4::Time modified;
    ext4::Time accessed;
    std::map<std::string, std::string> xattrs; ///< ACLs in the form of Linux
    std::string target;                        ///< of a symbolic link
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    bool indexed = false; ///< a directory with a hash tree
};

class ReadBack {
public:
    explicit ReadBack(const std::filesystem::path &image);
    ~ReadBack();

    /// Every entry under its path without a leading '/'; the root is "".
    const std::map<std::string, ReadEntry> &entries() const { return entries_; }
    const ReadEntry &at(const std::string &path) const { return entries_.at(path); }
    std::string content(const std::string &path) const;
    std::string content_at(const std::string &path, std::uint64_t offset, unsigned size) const;
    /// In pieces, for files that are larger than memory should hold.
    void read(const std::string &path, const std::function<void(std::string_view)> &take) const;
    std::string label() const;
    bool has_journal() const;

private:
    struct Handle;
    std::unique_ptr<Handle> handle_;
    std::map<std::string, ReadEntry> entries_;
};

/// The output of `e2fsck -fn` when it finds anything wrong, else "".
std::string e2fsck_complaint(const std::filesystem::path &image);

/// A directory that goes with the object.
class TemporaryDirectory {
public:
    TemporaryDirectory();
    ~TemporaryDirectory();
    TemporaryDirectory(const TemporaryDirectory &) = delete;
    TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;

    const std::filesystem::path &path() const { return path_; }
    std::filesystem::path operator/(const std::string &name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

} // namespace banger::test
