#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/image/worker/tar_import.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/image/tar_builder.hpp"
#include "tests/unit/image/tar_compare.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <clocale>
#include <random>

using namespace banger;
using namespace banger::image;
using banger::test::padded;
using banger::test::pax_header;
using banger::test::pax_record;
using banger::test::Tar;
using banger::test::ustar_block;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

class TarImportTest : public testing::Test {
protected:
    void SetUp() override { std::setlocale(LC_CTYPE, "C.UTF-8"); }

    void import(const TarImport &options = {}) {
        const UniqueFd tar = open_file(directory_ / "tar", O_RDONLY);
        const UniqueFd image = open_file(directory_ / "image", O_RDWR | O_CREAT | O_TRUNC);
        ext4::WriterOptions writer_options;
        writer_options.sync = false;
        ext4::Writer writer{image.get(), writer_options};
        ArchiveReader reader{descriptor_source(tar.get()), ArchiveReader::Format::Tar, "the tar"};
        import_tar(reader, writer, options);
        writer.finish();
    }

    std::string refusal() {
        try {
            import();
        } catch (const Error &error) {
            return std::string(to_string(error.code())) + ": " + error.what();
        }
        return "none";
    }

    test::TemporaryDirectory directory_;
};

std::string random_content(std::size_t size, std::mt19937 &random) {
    std::string content(size, '\0');
    for (auto &c : content) {
        c = static_cast<char>(random());
    }
    return content;
}

TEST_F(TarImportTest, EqualsTheTarEntryByEntry) {
    std::mt19937 random{42};
    {
        Tar tar{directory_ / "tar"};
        tar.add({.path = "./", .type = AE_IFDIR, .permissions = 0755});
        for (int d = 0; d < 40; ++d) {
            const std::string directory = fmt::format("./directory-{}/", d);
            tar.add({.path = directory, .type = AE_IFDIR, .permissions = 0750, .uid = d});
            for (int f = 0; f < 100; ++f) {
                tar.add(
                    {.path = directory + fmt::format("file-{}-{}", f, std::string(f % 90, 'n')),
                     .permissions = static_cast<mode_t>(random() & 07777U),
                     .content = random_content(random() % (f % 20 == 0 ? 400'000 : 9'000), random),
                     .uid = static_cast<la_int64_t>(random()),
                     .seconds = static_cast<time_t>(random()) * 2 - 2'000'000'000,
                     .nanoseconds = static_cast<long>(random() % 1'000'000'000)});
            }
        }
        tar.add({.path = "./directory-0/hard", .link = "./directory-0/file-1-n"});
        tar.add({.path = "./symlink", .type = AE_IFLNK, .link = "directory-0/file-1-n"});
        tar.add({.path = "./far", .type = AE_IFLNK, .link = "/" + std::string(200, 'x')});
        tar.add({.path = "./null", .type = AE_IFCHR, .device = 1});
        tar.add({.path = "./disk", .type = AE_IFBLK, .device = 300});
        tar.add({.path = "./fifo", .type = AE_IFIFO});
        tar.add(
            {.path = "./ping",
             .content = "ELF",
             .xattrs = {{"security.capability", std::string(20, '\1')}, {"user.note", "hello"}}});
        tar.add({.path = "./shared", .permissions = 0660, .content = "x", .acl = true});
        tar.add({.path = "./n\xc3\xa4me with \n newline", .content = "y"});
    }
    import();
    EXPECT_EQ(test::e2fsck_complaint(directory_ / "image"), "");
    std::size_t entries = 0;
    EXPECT_THAT(test::differences(directory_ / "tar", directory_ / "image", entries),
                ElementsAre());
    EXPECT_EQ(entries, 4050U);
}

TEST_F(TarImportTest, NamesAndTargetsKeepTheirBytesWhateverTheyAre) {
    const std::string path = "caf\xe9/" + std::string(255, '\xe9');
    const std::string target(4095, '\xfe');
    const std::string file =
        pax_header(pax_record("path", path)) + ustar_block("x", '0', 1) + padded("x");
    write_file_atomically(directory_ / "tar", file + ustar_block("short\xff", '0', 0) +
                                                  ustar_block("hard\xfe", '1', 0, "short\xff") +
                                                  pax_header(pax_record("linkpath", target)) +
                                                  ustar_block("link", '2', 0) +
                                                  std::string(1024, '\0'));
    import();
    const test::ReadBack read{directory_ / "image"};
    EXPECT_EQ(read.content(path), "x");
    EXPECT_EQ(read.at("hard\xfe").inode, read.at("short\xff").inode);
    EXPECT_TRUE(read.at("link").target == target);

    write_file_atomically(directory_ / "tar", file + pax_header(pax_record("linkpath", path)) +
                                                  ustar_block("lost", '1', 0) +
                                                  std::string(1024, '\0'));
    EXPECT_THAT(refusal(), HasSubstr("\"lost\"")) << "libarchive loses what it links to";
}

TEST_F(TarImportTest, TheAclsMaskIsTheGroupsPermissions) {
    {
        Tar tar{directory_ / "tar"};
        tar.add({.path = "shared", .permissions = 0640, .content = "x", .acl = true});
    }
    import();
    const test::ReadBack read{directory_ / "image"};
    EXPECT_EQ(read.at("shared").mode & 0777, 0660);
    const std::string &acl = read.at("shared").xattrs.at("system.posix_acl_access");
    ASSERT_EQ(acl.size(), 4 + 5 * 8U) << "owner, alice, group, mask, other";
    EXPECT_EQ(acl.substr(12, 8), std::string("\2\0\4\0\xe8\3\0\0", 8)) << "alice, 1000, may read";
}

TEST_F(TarImportTest, LeavesOutWhatIsAskedFor) {
    {
        Tar tar{directory_ / "tar"};
        tar.add({.path = "./etc/ssh/ssh_host_rsa_key", .content = "secret"});
        tar.add({.path = "./etc/ssh/sshd_config", .content = "x"});
    }
    import({.without = { "etc/ssh/ssh_host_*_key" }});
    const test::ReadBack read{directory_ / "image"};
    EXPECT_FALSE(read.entries().contains("etc/ssh/ssh_host_rsa_key"));
    EXPECT_TRUE(read.entries().contains("etc/ssh/sshd_config"));
}

TEST_F(TarImportTest, RefusesAPathThatLeadsOutAndNamesIt) {
    {
        Tar tar{directory_ / "tar"};
        tar.add({.path = "../../home/user/.bashrc", .content = "evil"});
    }
    EXPECT_THAT(refusal(), HasSubstr("../../home/user/.bashrc"));
}

TEST_F(TarImportTest, RefusesADamagedAndATruncatedTar) {
    std::mt19937 random{1};
    {
        Tar tar{directory_ / "tar"};
        tar.add({.path = "file", .content = random_content(100'000, random)});
    }
    std::string whole = read_file(directory_ / "tar");
    write_file_atomically(directory_ / "tar", whole.substr(0, 50'000));
    EXPECT_THAT(refusal(), HasSubstr("ImageCorrupt"));
    write_file_atomically(directory_ / "tar", random_content(100'000, random));
    EXPECT_THAT(refusal(), HasSubstr("ImageCorrupt"));
}

} // namespace
