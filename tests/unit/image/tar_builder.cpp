#include "tests/unit/image/tar_builder.hpp"

#include <fmt/format.h>
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

std::string pax_record(const std::string &key, const std::string &value) {
    const std::string rest = fmt::format(" {}={}\n", key, value);
    std::size_t length = rest.size() + 1;
    while (std::to_string(length).size() + rest.size() != length) {
        ++length;
    }
    return std::to_string(length) + rest;
}

std::string ustar_block(const std::string &name, char type, std::size_t size,
                        const std::string &link) {
    std::string block(512, '\0');
    const auto put = [&](std::size_t at, const std::string &text) {
        block.replace(at, text.size(), text);
    };
    put(0, name);
    put(100, "0000644");
    put(108, "0000000");
    put(116, "0000000");
    put(124, fmt::format("{:011o}", size));
    put(136, "14524770400");
    put(148, "        ");
    block[156] = type;
    put(157, link);
    put(257, std::string("ustar\00000", 8));
    unsigned sum = 0;
    for (const char c : block) {
        sum += static_cast<unsigned char>(c);
    }
    put(148, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    return block;
}

std::string padded(std::string data) {
    data.resize((data.size() + 511) / 512 * 512, '\0');
    return data;
}

std::string pax_header(const std::string &records) {
    return ustar_block("pax", 'x', records.size()) + padded(records);
}

} // namespace banger::test
