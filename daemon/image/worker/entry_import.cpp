#include "daemon/image/worker/entry_import.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace banger::image {
namespace {

constexpr std::size_t max_xattr_value = 65536;

template <typename T>
void append(std::string &to, T value) {
    to.append(reinterpret_cast<const char *>(&value), sizeof value);
}

std::uint32_t checked_id(la_int64_t id, std::string_view what) {
    if (id < 0 || id > 0xffffffffLL) {
        fail(ErrorCode::ImageCorrupt, "{} {} is out of range", what, id);
    }
    return static_cast<std::uint32_t>(id);
}

/// libarchive reads the sign of a pax time for the seconds alone: "-5.5" is -5 s and 500 ms for it.
ext4::Time checked_time(time_t seconds, long nanoseconds) {
    const auto fraction = static_cast<std::uint32_t>(std::clamp(nanoseconds, 0L, 999'999'999L));
    if (seconds < 0 && fraction > 0) {
        return {seconds - 1, 1'000'000'000U - fraction};
    }
    return {seconds, fraction};
}

std::uint32_t checked_device_number(dev_t number) {
    if (number > 0xffffffffULL) {
        fail(ErrorCode::ImageCorrupt, "the device number {} is out of range", number);
    }
    return static_cast<std::uint32_t>(number);
}

/// One POSIX.1e ACL in the form of Linux' xattr; empty where there is none beyond the mode.
std::string acl_value(archive_entry *entry, int type, std::uint16_t *permissions) {
    struct Entry {
        std::uint16_t tag;
        std::uint16_t permissions;
        std::uint32_t id;
    };
    std::vector<Entry> entries;
    int entry_type = 0;
    int permset = 0;
    int tag = 0;
    int id = 0;
    const char *name = nullptr;
    bool extended = type == ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;
    while (archive_entry_acl_next(entry, type, &entry_type, &permset, &tag, &id, &name) ==
           ARCHIVE_OK) {
        // linux/posix_acl.h
        std::uint16_t linux_tag = 0;
        switch (tag) {
        case ARCHIVE_ENTRY_ACL_USER_OBJ:
            linux_tag = 0x01;
            break;
        case ARCHIVE_ENTRY_ACL_USER:
            linux_tag = 0x02;
            break;
        case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
            linux_tag = 0x04;
            break;
        case ARCHIVE_ENTRY_ACL_GROUP:
            linux_tag = 0x08;
            break;
        case ARCHIVE_ENTRY_ACL_MASK:
            linux_tag = 0x10;
            break;
        case ARCHIVE_ENTRY_ACL_OTHER:
            linux_tag = 0x20;
            break;
        default:
            fail(ErrorCode::Unsupported, "an ACL entry of the kind {} has no place in ext4", tag);
        }
        const bool named = linux_tag == 0x02 || linux_tag == 0x08;
        const auto bits = static_cast<std::uint16_t>(permset & 7);
        extended = extended || named || linux_tag == 0x10;
        if (linux_tag == 0x10 && permissions != nullptr) {
            // What stat(2) shows as the group's permissions is the mask.
            *permissions = static_cast<std::uint16_t>((*permissions & ~070U) | bits * 010U);
        }
        entries.push_back({linux_tag, bits, named ? checked_id(id, "the id of an ACL") : ~0U});
    }
    if (!extended || entries.empty()) {
        return {};
    }
    std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
        return std::pair{a.tag, a.id} < std::pair{b.tag, b.id};
    });
    std::string value;
    append(value, std::uint32_t{2});
    for (const auto &one : entries) {
        append(value, one.tag);
        append(value, one.permissions);
        append(value, one.id);
    }
    return value;
}

void add_acl(archive_entry *entry, int type, std::string_view name, ext4::Metadata &metadata) {
    if (archive_entry_acl_reset(entry, type) == 0) {
        return;
    }
    const bool access = type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
    std::string value = acl_value(entry, type, access ? &metadata.permissions : nullptr);
    if (!value.empty()) {
        std::erase_if(metadata.xattrs, [&](const ext4::Xattr &x) { return x.name == name; });
        metadata.xattrs.push_back({std::string(name), std::move(value)});
    }
}

void import_file(ArchiveReader &tar, archive_entry *entry, const std::string &path,
                 const ext4::Metadata &metadata, ext4::Writer &to) {
    const la_int64_t size = archive_entry_size(entry);
    if (size < 0) {
        fail(ErrorCode::ImageCorrupt, "a file has the size {}", size);
    }
    to.begin_file(path, metadata, static_cast<std::uint64_t>(size));
    std::uint64_t end = 0;
    while (const auto piece = tar.data()) {
        to.write_data(piece->offset, piece->bytes);
        end = piece->offset + piece->bytes.size();
    }
    const bool sparse = archive_entry_sparse_count(entry) > 0;
    if (!sparse && end != static_cast<std::uint64_t>(size)) {
        fail(ErrorCode::ImageCorrupt, "a file of {} bytes has data of {}", size, end);
    }
}

} // namespace

ext4::Metadata metadata_of(archive_entry *entry) {
    ext4::Metadata metadata;
    metadata.permissions = static_cast<std::uint16_t>(archive_entry_perm(entry) & 07777U);
    metadata.uid = checked_id(archive_entry_uid(entry), "the owner");
    metadata.gid = checked_id(archive_entry_gid(entry), "the group");
    metadata.modified = checked_time(archive_entry_mtime(entry), archive_entry_mtime_nsec(entry));
    if (archive_entry_atime_is_set(entry) != 0) {
        metadata.accessed =
            checked_time(archive_entry_atime(entry), archive_entry_atime_nsec(entry));
    }
    archive_entry_xattr_reset(entry);
    const char *name = nullptr;
    const void *value = nullptr;
    std::size_t size = 0;
    while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
        if (size > max_xattr_value) {
            fail(ErrorCode::LimitsExceeded, "the extended attribute {} has {} bytes", name, size);
        }
        // libarchive's own archives hold each one twice, in two encodings.
        std::erase_if(metadata.xattrs, [&](const ext4::Xattr &x) { return x.name == name; });
        metadata.xattrs.push_back({name, std::string(static_cast<const char *>(value), size)});
    }
    add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", metadata);
    add_acl(entry, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default", metadata);
    return metadata;
}

void import_inode(ArchiveReader &tar, archive_entry *entry, const std::string &path,
                  const ext4::Metadata &metadata, ext4::Writer &to) {
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
        import_file(tar, entry, path, metadata, to);
        break;
    case AE_IFDIR:
        to.add_directory(path, metadata);
        break;
    case AE_IFLNK: {
        const char *target = archive_entry_symlink(entry);
        to.add_symlink(path, metadata, target != nullptr ? target : "");
        break;
    }
    case AE_IFCHR:
        to.add_character_device(path, metadata,
                                checked_device_number(archive_entry_rdevmajor(entry)),
                                checked_device_number(archive_entry_rdevminor(entry)));
        break;
    case AE_IFBLK:
        to.add_block_device(path, metadata, checked_device_number(archive_entry_rdevmajor(entry)),
                            checked_device_number(archive_entry_rdevminor(entry)));
        break;
    case AE_IFIFO:
        to.add_fifo(path, metadata);
        break;
    case AE_IFSOCK:
        to.add_socket(path, metadata);
        break;
    default:
        // libarchive loses such a target, and the kind with it.
        fail(ErrorCode::ImageCorrupt,
             "an entry of an unknown kind, or a hard link to a name in a pax header that is not "
             "UTF-8");
    }
}

void for_each_entry(ArchiveReader &tar,
                    const std::function<void(archive_entry *, const std::string &)> &take) {
    while (archive_entry *entry = tar.next()) {
        const char *raw_path = archive_entry_pathname(entry);
        if (raw_path == nullptr) {
            fail(ErrorCode::ImageCorrupt, "the archive has an entry whose name cannot be read");
        }
        const std::string path = raw_path;
        try {
            take(entry, path);
        } catch (const Error &error) {
            // A disk that is full has nothing to do with the entry.
            if (error.code() == ErrorCode::DiskFull) {
                throw;
            }
            throw error.with_context(fmt::format("{:?}", path));
        }
    }
}

} // namespace banger::image
