#include "agent/agent/unpack.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

namespace banger::agent {
namespace {

namespace fs = std::filesystem;

struct Member {
    std::string name;
    mode_t type = AE_IFREG;
    std::string content; ///< of a file; target of a link
    mode_t mode = 0644;
    bool hard_link = false;
};

/// Unpacks below a directory of its own, as the agent does: in a child with that root.
class Unpack : public testing::Test {
protected:
    void SetUp() override {
        if (::geteuid() != 0) {
            GTEST_SKIP() << "changes its root directory, which takes root";
        }
        std::string name = (fs::temp_directory_path() / "banger-unpack-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        fs::create_directory(folder_ / "in");
    }
    void TearDown() override {
        if (!folder_.empty()) {
            fs::remove_all(folder_);
        }
    }

    /// Empty, or the error's message.
    std::string unpack(const std::vector<Member> &members) {
        const fs::path tar = folder_ / "tar";
        write_tar(tar, members);
        const UniqueFd input = open_file(tar, O_RDONLY);
        FdPair result = make_pipe();
        const pid_t pid = ::fork();
        if (pid == 0) {
            std::string message;
            if (::chroot((folder_ / "in").c_str()) != 0 || ::chdir("/") != 0) {
                ::_exit(2);
            }
            try {
                unpack_tar(input.get());
            } catch (const Error &error) {
                message = error.what();
            }
            write_all(result.second.get(), message, "the result");
            ::_exit(0);
        }
        result.second.reset();
        std::string message(4096, '\0');
        message.resize(static_cast<std::size_t>(
            std::max<ssize_t>(0, ::read(result.first.get(), message.data(), message.size()))));
        int status = 0;
        ::waitpid(pid, &status, 0);
        EXPECT_EQ(status, 0);
        return message;
    }

    static void write_tar(const fs::path &path, const std::vector<Member> &members) {
        archive *out = archive_write_new();
        archive_write_set_format_pax(out);
        archive_write_open_filename(out, path.c_str());
        for (const Member &member : members) {
            archive_entry *entry = archive_entry_new();
            archive_entry_set_pathname(entry, member.name.c_str());
            archive_entry_set_perm(entry, member.mode);
            archive_entry_set_uid(entry, 1234);
            archive_entry_set_mtime(entry, 1600000000, 0);
            archive_entry_set_filetype(entry, member.type);
            if (member.hard_link) {
                archive_entry_set_hardlink(entry, member.content.c_str());
            } else if (member.type == AE_IFLNK) {
                archive_entry_set_symlink(entry, member.content.c_str());
            } else if (member.type == AE_IFREG) {
                archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
            }
            archive_write_header(out, entry);
            if (member.type == AE_IFREG && !member.hard_link) {
                archive_write_data(out, member.content.data(), member.content.size());
            }
            archive_entry_free(entry);
        }
        archive_write_free(out);
    }

    std::string read(const std::string &path) const { return read_file(folder_ / "in" / path); }
    struct stat look(const std::string &path) const {
        struct stat now {};
        EXPECT_EQ(::lstat((folder_ / "in" / path).c_str(), &now), 0) << path;
        return now;
    }

    fs::path folder_;
};

TEST_F(Unpack, WritesWhatTheArchiveHoldsAsRoots) {
    EXPECT_EQ(unpack({{"d", AE_IFDIR, "", 0750},
                      {"d/run", AE_IFREG, "#!", 04755},
                      {"new\nline", AE_IFREG, "x"},
                      {"link", AE_IFLNK, "/etc/passwd"},
                      {"deep/er/file", AE_IFREG, "y"},
                      {"hard", AE_IFREG, "d/run", 0644, true}}),
              "");
    EXPECT_EQ(look("d").st_mode & 07777U, 0750U);
    EXPECT_EQ(look("d/run").st_mode & 07777U, 0755U); // without the set-id bit
    EXPECT_EQ(look("d/run").st_uid, 0U);
    EXPECT_EQ(look("d/run").st_mtime, 1600000000);
    EXPECT_EQ(look("d/run").st_ino, look("hard").st_ino);
    EXPECT_EQ(read("new\nline"), "x");
    EXPECT_EQ(read("deep/er/file"), "y");
    EXPECT_EQ(fs::read_symlink(folder_ / "in/link"), "/etc/passwd");
}

TEST_F(Unpack, ReplacesWhatIsThere) {
    EXPECT_EQ(unpack({{"a", AE_IFREG, "old"}, {"d", AE_IFDIR, "", 0755}}), "");
    EXPECT_EQ(unpack({{"a", AE_IFLNK, "d"}, {"d", AE_IFREG, "file now"}}), "");
    EXPECT_EQ(unpack({{"a", AE_IFREG, "new"}}), "");
    EXPECT_EQ(read("a"), "new");
    EXPECT_EQ(read("d"), "file now");
}

TEST_F(Unpack, RefusesNamesThatLeaveTheDirectory) {
    for (const char *name : {"../out", "a/../../out", "/out"}) {
        EXPECT_NE(unpack({{name, AE_IFREG, "x"}}), "") << name;
    }
    EXPECT_NE(unpack({{"h", AE_IFREG, "../tar", 0644, true}}), "");
    EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(Unpack, ASymlinkInItsWayLeadsNowhereElse) {
    fs::create_directory(folder_ / "victim");
    EXPECT_NE(unpack({{"l", AE_IFLNK, folder_ / "victim"}, {"l/x", AE_IFREG, "x"}}), "");
    EXPECT_NE(unpack({{"m", AE_IFLNK, "../../victim"}, {"m/x", AE_IFREG, "x"}}), "");
    EXPECT_TRUE(fs::is_empty(folder_ / "victim"));
}

TEST_F(Unpack, RefusesDevices) {
    EXPECT_NE(unpack({{"null", AE_IFCHR, ""}}), "");
    EXPECT_NE(unpack({{"pipe", AE_IFIFO, ""}}), "");
}

} // namespace
} // namespace banger::agent
