#include "tests/unit/ext4/read_back.hpp"

#include "base/error.hpp"
#include "base/process.hpp"
#include "daemon/ext4/libext2fs.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <vector>

namespace banger::test {

namespace fs = std::filesystem;

struct ReadBack::Handle {
    ext2_filsys fs = nullptr;
    ~Handle() { ext2fs_free(fs); }

    ReadEntry entry(ext2_ino_t number);
    std::map<std::string, std::string> xattrs(ext2_ino_t number);
    void walk(ext2_ino_t directory, const std::string &path, std::map<std::string, ReadEntry> &to);
};

namespace {

ext4::Time time_of(std::uint32_t seconds, std::uint32_t extra) {
    return {static_cast<std::int32_t>(seconds) + (static_cast<std::int64_t>(extra & 3U) << 32),
            extra >> 2U};
}

/// From ext4's form (version 1, an id for named users and groups alone) to that of Linux.
std::string linux_acl(const std::string &value) {
    std::string result("\2\0\0\0", 4);
    for (std::size_t at = 4; at + 4 <= value.size();) {
        const bool named = value[at] == 0x02 || value[at] == 0x08;
        result += value.substr(at, 4);
        result += named ? value.substr(at + 4, 4) : std::string(4, '\xff');
        at += named ? 8 : 4;
    }
    return result;
}

} // namespace

std::map<std::string, std::string> ReadBack::Handle::xattrs(ext2_ino_t number) {
    std::map<std::string, std::string> result;
    ext2_xattr_handle *handle = nullptr;
    ext4::check(ext2fs_xattrs_open(fs, number, &handle), "open xattrs");
    ext4::check(ext2fs_xattrs_read(handle), "read xattrs");
    ext2fs_xattrs_iterate(
        handle,
        [](char *name, char *value, std::size_t size, void *to) {
            (*static_cast<std::map<std::string, std::string> *>(to))[name] =
                std::string(value, size);
            return 0;
        },
        &result);
    ext2fs_xattrs_close(&handle);
    for (auto &[name, value] : result) {
        if (name.starts_with("system.posix_acl_")) {
            value = linux_acl(value);
        }
    }
    return result;
}

ReadEntry ReadBack::Handle::entry(ext2_ino_t number) {
    ext2_inode_large raw{};
    ext4::check(
        ext2fs_read_inode_full(fs, number, reinterpret_cast<ext2_inode *>(&raw), sizeof raw),
        "read an inode");
    ReadEntry entry;
    entry.inode = number;
    entry.mode = raw.i_mode;
    entry.uid = raw.i_uid | static_cast<std::uint32_t>(raw.osd2.linux2.l_i_uid_high) << 16U;
    entry.gid = raw.i_gid | static_cast<std::uint32_t>(raw.osd2.linux2.l_i_gid_high) << 16U;
    entry.size = raw.i_size | static_cast<std::uint64_t>(raw.i_size_high) << 32U;
    entry.blocks = raw.i_blocks;
    entry.links = raw.i_links_count;
    entry.modified = time_of(raw.i_mtime, raw.i_mtime_extra);
    entry.accessed = time_of(raw.i_atime, raw.i_atime_extra);
    entry.indexed = (raw.i_flags & EXT2_INDEX_FL) != 0;
    entry.xattrs = xattrs(number);
    if (S_ISCHR(raw.i_mode) || S_ISBLK(raw.i_mode)) {
        if (raw.i_block[0] != 0) {
            entry.major = raw.i_block[0] >> 8U;
            entry.minor = raw.i_block[0] & 0xffU;
        } else {
            entry.major = (raw.i_block[1] & 0xfff00U) >> 8U;
            entry.minor = (raw.i_block[1] & 0xffU) | ((raw.i_block[1] >> 12U) & 0xfff00U);
        }
    }
    if (S_ISLNK(raw.i_mode)) {
        if (entry.size < 60) {
            entry.target.assign(reinterpret_cast<const char *>(raw.i_block), entry.size);
        } else {
            std::vector<char> block(fs->blocksize);
            blk64_t physical = 0;
            ext4::check(ext2fs_bmap2(fs, number, nullptr, nullptr, 0, 0, nullptr, &physical),
                        "bmap");
            ext4::check(io_channel_read_blk64(fs->io, physical, 1, block.data()), "read");
            entry.target.assign(block.data(), entry.size);
        }
    }
    return entry;
}

void ReadBack::Handle::walk(ext2_ino_t directory, const std::string &path,
                            std::map<std::string, ReadEntry> &to) {
    std::map<std::string, ext2_ino_t> children;
    ext4::check(ext2fs_dir_iterate(
                    fs, directory, 0, nullptr,
                    [](ext2_dir_entry *entry, int, int, char *, void *list) {
                        const std::string name(entry->name, ext2fs_dirent_name_len(entry));
                        if (name != "." && name != "..") {
                            (*static_cast<std::map<std::string, ext2_ino_t> *>(list))[name] =
                                entry->inode;
                        }
                        return 0;
                    },
                    &children),
                "list a directory");
    for (const auto &[name, number] : children) {
        const std::string child = path.empty() ? name : fmt::format("{}/{}", path, name);
        to[child] = entry(number);
        if (S_ISDIR(to[child].mode)) {
            walk(number, child, to);
        }
    }
}

ReadBack::ReadBack(const fs::path &image) : handle_(std::make_unique<Handle>()) {
    ext4::check(ext2fs_open(image.c_str(), EXT2_FLAG_64BITS, 0, 0, unix_io_manager, &handle_->fs),
                "open " + image.string());
    entries_[""] = handle_->entry(EXT2_ROOT_INO);
    handle_->walk(EXT2_ROOT_INO, "", entries_);
}

ReadBack::~ReadBack() = default;

void ReadBack::read(const std::string &path,
                    const std::function<void(std::string_view)> &take) const {
    ext2_file_t file = nullptr;
    ext4::check(ext2fs_file_open(handle_->fs, at(path).inode, 0, &file), "open " + path);
    std::vector<char> buffer(1U << 20U);
    unsigned got = 0;
    do {
        ext4::check(
            ext2fs_file_read(file, buffer.data(), static_cast<unsigned>(buffer.size()), &got),
            "read " + path);
        take({buffer.data(), got});
    } while (got > 0);
    ext2fs_file_close(file);
}

std::string ReadBack::content(const std::string &path) const {
    std::string all;
    read(path, [&](std::string_view piece) { all += piece; });
    return all;
}

std::string ReadBack::content_at(const std::string &path, std::uint64_t offset,
                                 unsigned size) const {
    ext2_file_t file = nullptr;
    ext4::check(ext2fs_file_open(handle_->fs, at(path).inode, 0, &file), "open " + path);
    ext4::check(ext2fs_file_llseek(file, offset, EXT2_SEEK_SET, nullptr), "seek in " + path);
    std::string content(size, '\0');
    unsigned got = 0;
    ext4::check(ext2fs_file_read(file, content.data(), size, &got), "read " + path);
    content.resize(got);
    ext2fs_file_close(file);
    return content;
}

std::string ReadBack::label() const {
    const auto &name = handle_->fs->super->s_volume_name;
    return {reinterpret_cast<const char *>(name),
            ::strnlen(reinterpret_cast<const char *>(name), sizeof name)};
}

bool ReadBack::has_journal() const {
    return ext2fs_has_feature_journal(handle_->fs->super) != 0;
}

std::string e2fsck_complaint(const fs::path &image) {
    Command command;
    command.argv = {"/usr/sbin/e2fsck", "-fn", image.string()};
    FdPair output = make_pipe();
    command.standard_output = output.second.get();
    command.standard_error = output.second.get();
    ChildProcess child = spawn(command);
    output.second.reset();
    std::string text;
    std::array<char, 4096> buffer{};
    for (ssize_t n = 0; (n = ::read(output.first.get(), buffer.data(), buffer.size())) > 0;) {
        text.append(buffer.data(), static_cast<std::size_t>(n));
    }
    return child.wait() == 0 ? std::string{} : text;
}

TemporaryDirectory::TemporaryDirectory() {
    std::string pattern = (fs::temp_directory_path() / "banger-test.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw_errno("make a temporary directory");
    }
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
}

} // namespace banger::test
