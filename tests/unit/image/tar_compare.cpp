#include "tests/unit/image/tar_compare.hpp"

#include "base/files.hpp"
#include "base/sha256.hpp"
#include "daemon/archive/archive_reader.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <map>
#include <set>

namespace banger::test {
namespace {

std::string plain(std::string_view path) {
    while (path.starts_with("./") || path.starts_with('/')) {
        path.remove_prefix(path.front() == '/' ? 1 : 2);
    }
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    return path == "." ? std::string{} : std::string(path);
}

/// What the last entry of a path says, because a later one replaces an earlier one.
struct Expected {
    std::uint16_t mode = 0;
    std::uint32_t uid = 0;
    std::uint32_t gid = 0;
    std::int64_t seconds = 0;
    std::uint32_t nanoseconds = 0;
    std::uint64_t size = 0;
    std::string digest;
    std::string target;
    std::uint32_t major = 0;
    std::uint32_t minor = 0;
    std::map<std::string, std::string> xattrs;
    bool has_acl = false;
    std::string link_to; ///< a hard link, and to what
};

std::string digest_of(ArchiveReader &tar, std::uint64_t size) {
    Sha256 hash;
    const std::string zeros(1U << 20U, '\0');
    std::uint64_t position = 0;
    const auto fill_to = [&](std::uint64_t end) {
        while (position < end) {
            const auto n = std::min<std::uint64_t>(end - position, zeros.size());
            hash.update(std::string_view{zeros}.substr(0, n));
            position += n;
        }
    };
    while (const auto piece = tar.data()) {
        fill_to(piece->offset);
        hash.update(piece->bytes);
        position += piece->bytes.size();
    }
    fill_to(size);
    return hash.hex_digest();
}

Expected expected_of(ArchiveReader &tar, archive_entry *entry) {
    Expected expected;
    if (const char *link = archive_entry_hardlink(entry); link != nullptr) {
        expected.link_to = plain(link);
        return expected;
    }
    expected.has_acl = archive_entry_acl_count(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS) > 3 ||
                       archive_entry_acl_count(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT) > 0;
    expected.mode = static_cast<std::uint16_t>(archive_entry_mode(entry));
    expected.uid = static_cast<std::uint32_t>(archive_entry_uid(entry));
    expected.gid = static_cast<std::uint32_t>(archive_entry_gid(entry));
    expected.seconds = archive_entry_mtime(entry);
    expected.nanoseconds = static_cast<std::uint32_t>(archive_entry_mtime_nsec(entry));
    if (expected.seconds < 0 && expected.nanoseconds > 0) {
        // In the tar the sign is that of the whole number; libarchive takes it for the seconds'.
        expected.seconds -= 1;
        expected.nanoseconds = 1'000'000'000 - expected.nanoseconds;
    }
    expected.major = static_cast<std::uint32_t>(archive_entry_rdevmajor(entry));
    expected.minor = static_cast<std::uint32_t>(archive_entry_rdevminor(entry));
    if (const char *target = archive_entry_symlink(entry); target != nullptr) {
        expected.target = target;
    }
    archive_entry_xattr_reset(entry);
    const char *name = nullptr;
    const void *value = nullptr;
    std::size_t size = 0;
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        expected.xattrs[name] = std::string(static_cast<const char *>(value), size);
    }
    if (archive_entry_filetype(entry) == AE_IFREG) {
        expected.size = static_cast<std::uint64_t>(archive_entry_size(entry));
        expected.digest = digest_of(tar, expected.size);
    }
    return expected;
}

class Comparison {
public:
    explicit Comparison(const std::filesystem::path &image) : read_(image) {}

    void compare(const std::string &path, const Expected &expected) {
        const auto found = read_.entries().find(path);
        if (found == read_.entries().end()) {
            say(path, "is missing");
            return;
        }
        const ReadEntry &is = found->second;
        if (!expected.link_to.empty()) {
            const auto original = read_.entries().find(expected.link_to);
            if (original == read_.entries().end() || original->second.inode != is.inode) {
                say(path, "is no hard link to " + expected.link_to);
            }
            return;
        }
        // With an ACL the group's bits are its mask: what the xattr says is compared instead.
        const unsigned compared = expected.has_acl ? ~070U : ~0U;
        if ((is.mode & compared) != (expected.mode & compared)) {
            say(path, "mode");
        }
        if (is.uid != expected.uid || is.gid != expected.gid) {
            say(path, "owner");
        }
        if (is.modified.seconds != expected.seconds ||
            is.modified.nanoseconds != expected.nanoseconds) {
            say(path, "time");
        }
        if (is.target != expected.target) {
            say(path, "target");
        }
        if ((S_ISCHR(is.mode) || S_ISBLK(is.mode)) &&
            (is.major != expected.major || is.minor != expected.minor)) {
            say(path, "device");
        }
        compare_xattrs(path, is, expected);
        if (S_ISREG(is.mode)) {
            compare_content(path, is, expected);
        }
    }

    void only_in_image(const std::map<std::string, Expected> &all) {
        for (const auto &[path, entry] : read_.entries()) {
            const auto below = all.lower_bound(path + "/");
            const bool is_parent = below != all.end() && below->first.starts_with(path + "/");
            if (!path.empty() && !all.contains(path) && !is_parent) {
                say(path, "is not in the tar");
            }
        }
    }

    std::vector<std::string> differences;

private:
    void say(const std::string &path, const std::string &what) {
        if (differences.size() < 20) {
            differences.push_back(path + ": " + what);
        }
    }

    void compare_xattrs(const std::string &path, const ReadEntry &is, const Expected &expected) {
        auto plain_xattrs = is.xattrs;
        std::size_t acls = 0;
        for (const char *name : {"system.posix_acl_access", "system.posix_acl_default"}) {
            // GNU tar may have one as an xattr: then it is compared as such.
            if (!expected.xattrs.contains(name)) {
                acls += plain_xattrs.erase(name);
            }
        }
        if ((acls > 0) != expected.has_acl) {
            say(path, "ACL");
        }
        if (plain_xattrs != expected.xattrs) {
            say(path, "xattrs");
        }
    }

    void compare_content(const std::string &path, const ReadEntry &is, const Expected &expected) {
        if (is.size != expected.size) {
            say(path, "size");
            return;
        }
        Sha256 hash;
        read_.read(path, [&](std::string_view piece) { hash.update(piece); });
        if (hash.hex_digest() != expected.digest) {
            say(path, "content");
        }
    }

    ReadBack read_;
};

} // namespace

std::vector<std::string> differences(const std::filesystem::path &tar,
                                     const std::filesystem::path &image, std::size_t &entries) {
    const UniqueFd file = open_file(tar, O_RDONLY);
    ArchiveReader reader{descriptor_source(file.get()), ArchiveReader::Format::Tar, tar.string()};
    std::map<std::string, Expected> all;
    while (archive_entry *entry = reader.next()) {
        const std::string path = plain(archive_entry_pathname(entry));
        all[path] = expected_of(reader, entry);
    }
    Comparison comparison{image};
    for (const auto &[path, expected] : all) {
        comparison.compare(path, expected);
    }
    comparison.only_in_image(all);
    entries = all.size();
    return comparison.differences;
}

} // namespace banger::test
