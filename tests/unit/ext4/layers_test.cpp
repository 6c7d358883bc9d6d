#include "base/files.hpp"
#include "base/sha256.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/ext4/writer_fixture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <chrono>

using namespace banger;
using namespace banger::ext4;
using banger::test::metadata;
using banger::test::pattern_of;
using banger::test::ReadBack;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

namespace {

class Ext4Layers : public test::WriterTest {
protected:
    std::vector<std::string> paths(const std::filesystem::path &image) {
        const ReadBack read{image};
        std::vector<std::string> result;
        for (const auto &[path, entry] : read.entries()) {
            if (!path.empty()) {
                result.push_back(path);
            }
        }
        return result;
    }
};

void add(Writer &w, const std::string &path, const std::string &content = "x") {
    w.add_file(path, metadata(0644), content);
}

void add_symlink(Writer &w, const std::string &path, const std::string &target) {
    w.add_symlink(path, metadata(0777), target);
}

TEST_F(Ext4Layers, AWhiteoutRemovesWhatLowerLayersHavePut) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add(w, "etc/gone");
        add(w, "etc/kept");
        add(w, "tree/with/files");
        w.begin_layer();
        w.remove_lower("etc/gone");
        w.remove_lower("tree");
    });
    EXPECT_THAT(paths(image), ElementsAre("etc", "etc/kept"));
}

TEST_F(Ext4Layers, AWhiteoutSparesTheCurrentLayerInWhicheverOrder) {
    const auto whiteout_first = write(
        [](Writer &w) {
            w.begin_layer();
            add(w, "opt/app/lower");
            add(w, "opt/app/deep/lower");
            w.begin_layer();
            w.remove_lower("opt/app");
            add(w, "opt/app/deep/upper");
        },
        "first");
    const auto whiteout_last = write(
        [](Writer &w) {
            w.begin_layer();
            add(w, "opt/app/lower");
            add(w, "opt/app/deep/lower");
            w.begin_layer();
            add(w, "opt/app/deep/upper");
            w.remove_lower("opt/app");
        },
        "last");
    EXPECT_THAT(paths(whiteout_first),
                ElementsAre("opt", "opt/app", "opt/app/deep", "opt/app/deep/upper"));
    EXPECT_EQ(paths(whiteout_last), paths(whiteout_first));
}

TEST_F(Ext4Layers, AnOpaqueWhiteoutEmptiesTheDirectoryAndKeepsIt) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        w.add_directory("srv", metadata(0700));
        add(w, "srv/file");
        add(w, "srv/tree/file");
        add(w, "srv/shared/lower");
        w.begin_layer();
        add(w, "srv/shared/upper");
        w.remove_lower_content("srv");
    });
    EXPECT_THAT(paths(image), ElementsAre("srv", "srv/shared", "srv/shared/upper"));
    EXPECT_EQ(ReadBack{image}.at("srv").mode, S_IFDIR | 0700);
}

TEST_F(Ext4Layers, ManyWhiteoutsOfALargeDirectoryTakeTheTimeOfOne) {
    const auto begin = std::chrono::steady_clock::now();
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add(w, "large/lower");
        w.begin_layer();
        for (int i = 0; i < 10'000; ++i) {
            add(w, fmt::format("large/{}", i), "");
        }
        for (int i = 0; i < 100'000; ++i) {
            w.remove_lower_content("large");
        }
    });
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{20});
    EXPECT_FALSE(ReadBack{image}.entries().contains("large/lower"));
}

TEST_F(Ext4Layers, AWhiteoutIsForItsLayerAlone) {
    const auto image = write([](Writer &w) {
        for (int layer = 0; layer < 3; ++layer) {
            w.begin_layer();
            add(w, fmt::format("directory/{}", layer));
            w.remove_lower_content("directory");
            w.remove_lower("directory");
        }
    });
    EXPECT_THAT(paths(image), ElementsAre("directory", "directory/2"));
}

TEST_F(Ext4Layers, AnOpaqueRootIsEmptied) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add(w, "a/b");
        w.begin_layer();
        w.remove_lower_content("");
        add(w, "c");
    });
    EXPECT_THAT(paths(image), ElementsAre("c"));
}

TEST_F(Ext4Layers, AWhiteoutOfNothingIsNoError) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add(w, "file");
        w.begin_layer();
        w.remove_lower("never");
        w.remove_lower("never/there");
        w.remove_lower("file/below");
        w.remove_lower_content("never");
        w.remove_lower_content("file");
    });
    EXPECT_THAT(paths(image), ElementsAre("file"));
}

TEST_F(Ext4Layers, ALayerOwnsANameAndNotWhatItLinksTo) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add(w, "lower", "content");
        w.begin_layer();
        w.add_hard_link("upper", "lower");
        w.remove_lower("lower");
        w.remove_lower("upper");
    });
    const ReadBack read{image};
    EXPECT_THAT(paths(image), ElementsAre("upper"));
    EXPECT_EQ(read.content("upper"), "content");
    EXPECT_EQ(read.at("upper").links, 1U);
}

TEST_F(Ext4Layers, MetadataOfADirectoryIsPartOfItsLayer) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add(w, "etc/file");
        w.begin_layer();
        w.add_directory("etc", metadata(0700));
        w.remove_lower("etc");
    });
    EXPECT_THAT(paths(image), ElementsAre("etc"));
    EXPECT_EQ(ReadBack{image}.at("etc").mode, S_IFDIR | 0700);
}

TEST_F(Ext4Layers, FollowsParentsThatAreSymbolicLinks) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        w.add_directory("usr/lib", metadata(0711));
        add_symlink(w, "lib", "usr/lib");
        add_symlink(w, "lib64", "/lib");
        add_symlink(w, "usr/lib/up", "../share");
        w.begin_layer();
        add(w, "lib/a");
        add(w, "lib64/b");
        add(w, "lib64/up/c");
        w.add_hard_link("lib/d", "lib64/up/c");
    });
    EXPECT_THAT(paths(image),
                ElementsAre("lib", "lib64", "usr", "usr/lib", "usr/lib/a", "usr/lib/b", "usr/lib/d",
                            "usr/lib/up", "usr/share", "usr/share/c"));
    const ReadBack read{image};
    EXPECT_EQ(read.at("lib").target, "usr/lib");
    EXPECT_EQ(read.at("usr/lib").mode, S_IFDIR | 0711);
    EXPECT_EQ(read.at("usr/lib/d").inode, read.at("usr/share/c").inode);
}

TEST_F(Ext4Layers, NoSymbolicLinkLeadsOutOfTheRoot) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add_symlink(w, "out", "../../../etc");
        add_symlink(w, "deep/absolute", "/../..");
        add(w, "out/a");
        add(w, "deep/absolute/b");
    });
    EXPECT_THAT(paths(image), ElementsAre("b", "deep", "deep/absolute", "etc", "etc/a", "out"));
}

TEST_F(Ext4Layers, ADanglingSymbolicLinkMakesTheDirectoriesThatItNames) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add_symlink(w, "run", "var/./never/../run");
        add(w, "run/lock/file");
    });
    EXPECT_THAT(paths(image),
                ElementsAre("run", "var", "var/run", "var/run/lock", "var/run/lock/file"));
}

TEST_F(Ext4Layers, TheLastNameIsNeverFollowed) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add(w, "real/inside");
        add_symlink(w, "replaced", "real");
        add_symlink(w, "removed", "real");
        add_symlink(w, "linked", "real");
        w.begin_layer();
        w.add_directory("replaced", metadata(0750));
        w.remove_lower("removed");
        w.add_hard_link("link", "linked");
    });
    EXPECT_THAT(paths(image), ElementsAre("link", "linked", "real", "real/inside", "replaced"));
    const ReadBack read{image};
    EXPECT_EQ(read.at("replaced").mode, S_IFDIR | 0750);
    EXPECT_EQ(read.at("link").target, "real");
}

TEST_F(Ext4Layers, AWhiteoutFollowsParentsAndSparesTheLink) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add(w, "usr/lib/a");
        add(w, "usr/lib/b");
        add(w, "usr/share/c");
        add_symlink(w, "lib", "usr/lib");
        add_symlink(w, "share", "usr/share");
        w.begin_layer();
        w.remove_lower("lib/a");
        w.remove_lower_content("share");
    });
    EXPECT_THAT(paths(image),
                ElementsAre("lib", "share", "usr", "usr/lib", "usr/lib/b", "usr/share"));
}

TEST_F(Ext4Layers, TheWayThroughASymbolicLinkChangesWithIt) {
    const auto image = write([](Writer &w) {
        w.begin_layer();
        add_symlink(w, "way", "step/../end");
        add(w, "way/a");
        add_symlink(w, "step", "far/away");
        add(w, "way/b");
        add_symlink(w, "way", "new");
        add(w, "way/c");
    });
    EXPECT_THAT(paths(image), ElementsAre("end", "end/a", "far", "far/end", "far/end/b", "new",
                                          "new/c", "step", "way"));
}

TEST_F(Ext4Layers, RefusesEndlessLinksAndFilesAsParents) {
    EXPECT_THAT(refusal([](Writer &w) {
                    w.begin_layer();
                    add_symlink(w, "a", "b");
                    add_symlink(w, "b", "a");
                    add(w, "a/file");
                }),
                HasSubstr("\"a/file\" leads through more than 255 symbolic links"));
    EXPECT_THAT(refusal([](Writer &w) {
                    w.begin_layer();
                    add(w, "file");
                    add_symlink(w, "link", "file");
                    add(w, "link/below");
                }),
                HasSubstr("\"link/below\" leads through \"file\", which is no directory"));
    EXPECT_THAT(refusal([](Writer &w) {
                    w.begin_layer();
                    add(w, "a/../b");
                }),
                HasSubstr("leads upwards"));
    EXPECT_THAT(refusal([](Writer &w) {
                    w.begin_layer();
                    w.remove_lower("/");
                }),
                HasSubstr("cannot be removed"));
}

TEST_F(Ext4Layers, FollowsAsManyLinksAsAreAllowed) {
    const auto links = [](int count) {
        return [count](Writer &w) {
            w.begin_layer();
            w.add_directory("0", metadata(0755));
            for (int i = 1; i <= count; ++i) {
                add_symlink(w, std::to_string(i), std::to_string(i - 1));
            }
            add(w, std::to_string(count) + "/file");
        };
    };
    EXPECT_EQ(ReadBack{write(links(255))}.content("0/file"), "x");
    EXPECT_THAT(refusal(links(256)), HasSubstr("InvalidArgument"));
}

TEST_F(Ext4Layers, WhatWasRemovedCannotBeReadFromTheImage) {
    const auto secret = [](int i) { return fmt::format("secret {} ", i) + pattern_of(9000, 7); };
    const auto image = write([&](Writer &w) {
        w.begin_layer();
        add(w, "kept-before", "the neighbour before");
        for (int i = 0; i < 5; ++i) {
            add(w, fmt::format("secrets/{}", i), secret(i));
        }
        add(w, "linked", secret(5));
        w.add_hard_link("second-name", "linked");
        add(w, "kept-after", "the neighbour after");
        w.begin_layer();
        w.remove_lower("secrets/0");
        w.remove_lower_content("secrets");
        w.remove_lower("linked");
        add(w, "second-name", "replaced");
        add(w, "passing", secret(6));
        w.remove("passing");
    });
    const std::string raw = read_file(image);
    for (int i = 0; i < 7; ++i) {
        EXPECT_THAT(raw, Not(HasSubstr(fmt::format("secret {}", i))));
    }
    EXPECT_EQ(raw.find(pattern_of(9000, 7).substr(4096, 64)), std::string::npos);
    const ReadBack read{image};
    EXPECT_EQ(read.content("kept-before"), "the neighbour before");
    EXPECT_EQ(read.content("kept-after"), "the neighbour after");
    EXPECT_EQ(read.content("second-name"), "replaced");
}

TEST_F(Ext4Layers, WhatWasRemovedTakesNoSpace) {
    const auto image = write([&](Writer &w) {
        w.begin_layer();
        add(w, "large", pattern_of(32U << 20U, 8));
        w.begin_layer();
        add(w, "large", "small");
    });
    struct stat status {};
    ASSERT_EQ(::stat(image.c_str(), &status), 0);
    EXPECT_LT(status.st_blocks * 512, 2 << 20);
}

TEST_F(Ext4Layers, EqualLayersGiveEqualBytes) {
    const auto fill = [](Writer &w) {
        w.begin_layer();
        add(w, "a/b", pattern_of(100'000, 5));
        add(w, "a/c", pattern_of(50'000, 6));
        w.begin_layer();
        w.remove_lower("a/b");
        add(w, "a/d", pattern_of(70'000, 9));
    };
    EXPECT_EQ(sha256_of_file(write(fill, "one")), sha256_of_file(write(fill, "two")));
}

TEST_F(Ext4Layers, WithoutALayerNothingIsFollowed) {
    EXPECT_THAT(refusal([](Writer &w) {
                    add_symlink(w, "link", "real");
                    add(w, "link/file");
                }),
                HasSubstr("no directory"));
}

TEST_F(Ext4Layers, ANameThatIsALineFeedIsAName) {
    const auto image = write([](Writer &w) {
        add(w, "directory/file");
        w.remove("directory");
        add(w, "\n/file");
    });
    EXPECT_THAT(paths(image), ElementsAre("\n", "\n/file"));
}

} // namespace
