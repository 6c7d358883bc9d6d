#include "tests/unit/image/tar_builder.hpp"

#include <gtest/gtest.h>

namespace banger::test {
namespace {

void add_acl(archive_entry *entry) {
    constexpr int type = ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
    archive_entry_acl_add_entry(entry, type, ARCHIVE_ENTRY_ACL_READ, ARCHIVE_ENTRY_ACL_USER, 1000,
                                "alice");
    archive_entry_acl_add_entry(entry, type, ARCHIVE_ENTRY_ACL_READ | ARCHIVE_ENTRY_ACL_WRITE,
                                ARCHIVE_ENTRY_ACL_MASK, -1, "");
}

} // namespace

Tar::Tar(const std::filesystem::path &path) : archive_(archive_write_new(), archive_write_free) {
    archive_write_set_format_pax(archive_.get());
    EXPECT_EQ(archive_write_open_filename(archive_.get(), path.c_str()), ARCHIVE_OK);
}

void Tar::add(const Entry &e) {
    const std::unique_ptr<archive_entry, void (*)(archive_entry *)> entry{archive_entry_new(),
                                                                          archive_entry_free};
    archive_entry_copy_pathname(entry.get(), e.path.c_str());
    archive_entry_set_filetype(entry.get(), e.type);
    archive_entry_set_perm(entry.get(), e.permissions);
    archive_entry_set_uid(entry.get(), e.uid);
    archive_entry_set_gid(entry.get(), e.uid + 1);
    archive_entry_set_mtime(entry.get(), e.seconds, e.nanoseconds);
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(e.content.size()));
    if (e.type == AE_IFLNK) {
        archive_entry_copy_symlink(entry.get(), e.link.c_str());
    } else if (!e.link.empty()) {
        archive_entry_copy_hardlink(entry.get(), e.link.c_str());
    }
    archive_entry_set_rdevmajor(entry.get(), e.device);
    archive_entry_set_rdevminor(entry.get(), e.device + 1);
    for (const auto &[name, value] : e.xattrs) {
        archive_entry_xattr_add_entry(entry.get(), name.c_str(), value.data(), value.size());
    }
    if (e.acl) {
        add_acl(entry.get());
    }
    ASSERT_EQ(archive_write_header(archive_.get(), entry.get()), ARCHIVE_OK)
        << archive_error_string(archive_.get());
    archive_write_data(archive_.get(), e.content.data(), e.content.size());
}

} // namespace banger::test
