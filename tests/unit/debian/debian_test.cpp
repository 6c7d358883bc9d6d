#include "base/files.hpp"
#include "daemon/debian/apt_failure.hpp"
#include "daemon/debian/private_apt.hpp"
#include "daemon/debian/sources.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace banger;
using namespace banger::debian;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

class HostSources : public testing::Test {
protected:
    void put(const std::string &name, const std::string &text) {
        std::filesystem::create_directories((directory_ / name).parent_path());
        write_file_atomically(directory_ / name, text);
    }

    test::TemporaryDirectory directory_;
};

TEST_F(HostSources, BothFormatsAreRead) {
    put("sources.list", "# a comment\n"
                        "deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
                        "http://mirror.example/pub/ bookworm main contrib # why\n"
                        "deb-src http://mirror.example/pub/ bookworm main\n");
    put("sources.list.d/debian.sources",
        "Types: deb\n# between\nURIs: http://deb.debian.org/debian\nSuites: bookworm "
        "bookworm-updates\nComponents: main\nSigned-By: "
        "/usr/share/keyrings/debian-archive-keyring.gpg\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://off.example/debian\nSuites: bookworm\n"
        "Components: main\n");
    const auto sources = host_sources(directory_.path());
    ASSERT_EQ(sources.size(), 3U);
    EXPECT_EQ(sources[0].uri, "http://mirror.example/pub");
    EXPECT_EQ(sources[2].suite, "bookworm-updates");
}

TEST_F(HostSources, OnlyDebiansOwnArchiveIsTaken) {
    put("sources.list.d/docker.list", "deb [signed-by=/etc/apt/keyrings/docker.gpg] "
                                      "https://download.docker.com/linux/debian bookworm stable\n");
    put("sources.list.d/other.list", "deb [signed-by=/etc/apt/keyrings/other.gpg] "
                                     "https://other.example/debian bookworm main\n"
                                     "deb https://php.example/php bookworm main\n");
    put("sources.list.d/node.sources",
        "Types: deb\nURIs: https://deb.nodesource.com/node_20.x\nSuites: nodistro\n"
        "Components: main\nSigned-By: /usr/share/keyrings/nodesource.gpg\n");
    put("sources.list.d/notes.txt", "deb http://deb.debian.org/debian bookworm main\n");
    EXPECT_TRUE(host_sources(directory_.path()).empty());
}

TEST_F(HostSources, AnotherSuiteComesFromTheHostsMirror) {
    const std::vector<Source> host{
        {"http://mirror.example/debian", "bookworm", ""},
        {"http://mirror.example/debian-security", "bookworm-security", "/k/debian-archive.gpg"}};
    EXPECT_THAT(
        source_lines(host, "trixie", "/keys.gpg"),
        ElementsAre("deb [signed-by=/keys.gpg] http://mirror.example/debian trixie main",
                    "deb [signed-by=/keys.gpg] http://mirror.example/debian trixie-updates main",
                    "deb [signed-by=/k/debian-archive.gpg] http://mirror.example/debian-security "
                    "trixie-security main"));
}

TEST_F(HostSources, AHostThatIsNoDebianUsesDebiansOwnServers) {
    EXPECT_EQ(source_lines({}, "bookworm", "/keys.gpg").front(),
              "deb [signed-by=/keys.gpg] http://deb.debian.org/debian bookworm main");
}

TEST(TransportSettings, AreProxiesAndChecksAlone) {
    EXPECT_EQ(transport_settings("APT::Architecture \"amd64\";\n"
                                 "Acquire::http::Proxy \"http://proxy:3142\";\n"
                                 "Acquire::http::Proxy-Auto-Detect \"/usr/bin/evil\";\n"
                                 "Acquire::Check-Valid-Until \"false\";\n"
                                 "DPkg::Post-Invoke:: \"rm -rf /\";\n"),
              "Acquire::http::Proxy \"http://proxy:3142\";\n"
              "Acquire::Check-Valid-Until \"false\";\n");
}

TEST(Failures, SayWhatToDo) {
    const auto explain = [](const std::deque<std::string> &lines) {
        return explain_failure("build x", "exited with status 25", lines);
    };
    const Error offline = explain({"W: Failed to fetch http://deb.debian.org/…  Could not resolve "
                                   "'deb.debian.org'",
                                   "E: Some index files failed to download."});
    EXPECT_EQ(offline.code(), ErrorCode::NetworkUnavailable);
    EXPECT_THAT(offline.what(), HasSubstr("check the network"));
    EXPECT_EQ(explain({"E: Failed to fetch x", "tar: write error: No space left on device"}).code(),
              ErrorCode::DiskFull);
    const Error ids = explain({"E: invalid line in /etc/subuid"});
    EXPECT_EQ(ids.code(), ErrorCode::Unsupported);
    EXPECT_THAT(ids.what(), HasSubstr("usermod"));
    EXPECT_THAT(explain({"I: fine", "E: the cause", "E: a consequence"}).what(),
                HasSubstr("cannot build x: the cause"));
    EXPECT_THAT(explain({}).what(), HasSubstr("exited with status 25"));
}

TEST(AnArchiveThatIsNotReached, IsKnownWhenTheFirstFileIsGivenUp) {
    UnreachableArchive archive;
    EXPECT_FALSE(archive.take("build x", "Ign:1 http://deb.debian.org/debian bookworm InRelease"));
    EXPECT_FALSE(archive.take("build x", "Err:1 http://deb.debian.org/debian bookworm InRelease"));
    EXPECT_TRUE(archive.take("build x", "  Temporary failure resolving 'deb.debian.org'"));
}

TEST(AnArchiveThatIsNotReached, IsNoneWhoseFileIsMissing) {
    UnreachableArchive archive;
    EXPECT_FALSE(archive.take("build x", "Err:1 http://deb.debian.org/debian bookworm Release"));
    EXPECT_FALSE(archive.take("build x", "  404  Not Found [IP: 192.0.2.1 80]"));
    EXPECT_FALSE(archive.take("build x", "  Temporary failure resolving 'deb.debian.org'"));
}

TEST(AFullDisk, IsNamed) {
    const std::vector<std::filesystem::path> directories{"/", "/proc"};
    const Error full = with_least_room({ErrorCode::DiskFull, "no space"}, directories);
    EXPECT_EQ(full.code(), ErrorCode::DiskFull);
    EXPECT_STREQ(full.what(), "no space (/proc has 0 B left)");
    EXPECT_STREQ(with_least_room({ErrorCode::Internal, "x"}, directories).what(), "x");
}

TEST(PrivateApt, ReadsTheProgressOfADownload) {
    EXPECT_DOUBLE_EQ(*download_fraction("dlstatus:1:44.8145:Retrieving file 1 of 2"), 0.448145);
    EXPECT_FALSE(download_fraction("pmstatus:x:1:y"));
    EXPECT_FALSE(download_fraction("dlstatus:"));
    EXPECT_FALSE(download_fraction("dlstatus:1:many:x"));
}

TEST(PrivateApt, TouchesNothingOfTheHosts) {
    const test::TemporaryDirectory directory;
    const PrivateApt apt{directory / "apt", {"deb http://deb.debian.org/debian bookworm main"}};
    const std::string line = fmt::format("{}", fmt::join(apt.update().argv, " "));
    EXPECT_THAT(line, HasSubstr("-oDir::State=" + directory.path().string()));
    EXPECT_THAT(line, HasSubstr("-oDir::Cache=" + directory.path().string()));
    EXPECT_THAT(line, HasSubstr("-oDir::Etc::SourceParts=/dev/null"));
    EXPECT_EQ(read_file(directory / "apt/sources.list"),
              "deb http://deb.debian.org/debian bookworm main\n");
}

TEST(PrivateApt, TellsWhenTheNewestOfItsArchivesWasPublished) {
    const test::TemporaryDirectory directory;
    PrivateApt apt{directory / "apt", {}};
    EXPECT_EQ(newest_release(apt.lists()), 0);
    const auto put = [&](const std::string &name, const std::string &text) {
        write_file_atomically(directory / "apt/state/lists" / name, text);
    };
    put("a_dists_bookworm_InRelease", "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
                                      "Suite: oldstable\nDate: Sat, 06 Sep 2025 10:12:45 UTC\n");
    put("a_dists_bookworm-security_Release", "Date: Thu, 01 Jan 2026 00:00:01 UTC\n");
    put("b_dists_stable_InRelease", "Date: yesterday\n");
    put("a_dists_bookworm_main_binary-amd64_Packages", "Date: Sat, 06 Sep 2036 10:12:45 UTC\n");
    EXPECT_EQ(apt.lists().size(), 4U);
    EXPECT_EQ(newest_release(apt.lists()), 1767225601);
}

TEST(AptConfig, TellsTheProxy) {
    const std::string one = "Acquire::http \"\";\nAcquire::http::Proxy \"http://cache:3142\";\n"
                            "Acquire::http::Proxy::local \"DIRECT\";\n";
    EXPECT_EQ(proxy(one, false), "http://cache:3142");
    EXPECT_EQ(proxy(one, true), "http://cache:3142");
    const std::string direct = one + "Acquire::https::Proxy \"DIRECT\";\n";
    EXPECT_EQ(proxy(direct, true), "");
    EXPECT_EQ(proxy("Acquire::Retries \"1\";\n", true), "");
}

} // namespace
