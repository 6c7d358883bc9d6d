#include "base/files.hpp"
#include "base/sha256.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/ext4/writer_fixture.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <malloc.h>
#include <sys/stat.h>

using namespace banger;
using namespace banger::ext4;
using banger::test::bytes;
using banger::test::metadata;
using banger::test::pattern_of;
using banger::test::ReadBack;
using testing::AllOf;
using testing::HasSubstr;

namespace {

using Ext4Writer = test::WriterTest;

TEST_F(Ext4Writer, AnEmptyFileSystemIsInOrder) {
    const ReadBack read{write([](Writer &) {})};
    EXPECT_EQ(read.entries().size(), 1U);
    EXPECT_EQ(read.label(), "banger-test");
    EXPECT_FALSE(read.has_journal());
}

TEST_F(Ext4Writer, KeepsEveryKindOfEntry) {
    Metadata owned = metadata(06755, {1'700'000'000, 123'456'789});
    owned.uid = 70'000;
    owned.gid = 4'000'000'000U;
    const ReadBack read{write([&](Writer &w) {
        w.add_directory("./", metadata(0711));
        w.add_directory("./etc/", metadata(0750));
        w.add_file("etc/passwd", owned, "root:x:0:0::/root:/bin/sh\n");
        w.add_symlink("bin", metadata(0777), "usr/bin");
        w.add_symlink("long", metadata(0777), std::string(300, 'x'));
        w.add_character_device("dev/null", metadata(0666), 1, 3);
        w.add_block_device("dev/sdzz", metadata(0660), 259, 70'000);
        w.add_fifo("run/pipe", metadata(0600));
        w.add_socket("run/socket", metadata(0600));
        w.add_hard_link("etc/shadow", "/etc/passwd");
        w.add_file("empty", metadata(0644), "");
    })};
    EXPECT_EQ(read.at("").mode, S_IFDIR | 0711);
    EXPECT_EQ(read.at("etc").mode, S_IFDIR | 0750);
    EXPECT_EQ(read.at("etc").links, 2U);
    const auto &passwd = read.at("etc/passwd");
    EXPECT_EQ(passwd.mode, S_IFREG | 06755);
    EXPECT_EQ(passwd.uid, 70'000U);
    EXPECT_EQ(passwd.gid, 4'000'000'000U);
    EXPECT_EQ(passwd.modified, (Time{1'700'000'000, 123'456'789}));
    EXPECT_EQ(passwd.links, 2U);
    EXPECT_EQ(read.at("etc/shadow").inode, passwd.inode);
    EXPECT_EQ(read.content("etc/shadow"), "root:x:0:0::/root:/bin/sh\n");
    EXPECT_EQ(read.at("bin").target, "usr/bin");
    EXPECT_EQ(read.at("long").target, std::string(300, 'x'));
    EXPECT_EQ(read.at("dev").mode, S_IFDIR | 0755) << "a parent that nothing named";
    EXPECT_EQ(read.at("dev/null").mode, S_IFCHR | 0666);
    EXPECT_EQ(read.at("dev/null").minor, 3U);
    EXPECT_EQ(read.at("dev/sdzz").major, 259U);
    EXPECT_EQ(read.at("dev/sdzz").minor, 70'000U);
    EXPECT_TRUE(S_ISFIFO(read.at("run/pipe").mode));
    EXPECT_TRUE(S_ISSOCK(read.at("run/socket").mode));
    EXPECT_EQ(read.content("empty"), "");
}

TEST_F(Ext4Writer, AParentThatIsMadeInASetGroupIdDirectoryIsOfItsGroup) {
    Metadata shared = metadata(02770);
    shared.gid = 50;
    const ReadBack read{write([&](Writer &w) {
        w.add_directory("shared", shared);
        w.add_file("shared/made/for/file", metadata(0644), "");
    })};
    for (const char *made : {"shared/made", "shared/made/for"}) {
        EXPECT_EQ(read.at(made).mode, S_IFDIR | 02755);
        EXPECT_EQ(read.at(made).gid, 50U);
    }
    EXPECT_EQ(read.at("shared/made/for/file").gid, 0U);
}

TEST_F(Ext4Writer, KeepsTimesFrom1901To2446) {
    const std::vector<Time> times{{-2'000'000'000, 1}, {-1, 999'999'999},  {0, 0},
                                  {2'147'483'647, 5},  {2'147'483'648, 6}, {4'294'967'296, 7},
                                  {10'000'000'000, 8}, {15'032'385'535, 9}};
    const ReadBack read{write([&](Writer &w) {
        for (std::size_t i = 0; i < times.size(); ++i) {
            w.add_file("f" + std::to_string(i), metadata(0644, times[i]), "");
        }
        w.add_file("later", metadata(0644, {99'999'999'999, 0}), "");
    })};
    for (std::size_t i = 0; i < times.size(); ++i) {
        EXPECT_EQ(read.at("f" + std::to_string(i)).modified, times[i]);
    }
    EXPECT_EQ(read.at("later").modified.seconds, 15'032'385'535);
}

TEST_F(Ext4Writer, TheTimeOfAccessIsItsOwnOrThatOfModification) {
    Metadata accessed = metadata(0644, {-5, 1});
    accessed.accessed = Time{4'294'967'299, 999'999'999};
    const ReadBack read{write([&](Writer &w) {
        w.add_file("accessed", accessed, "");
        w.add_file("not", metadata(0644, {-5, 1}), "");
    })};
    EXPECT_EQ(read.at("accessed").modified, (Time{-5, 1}));
    EXPECT_EQ(read.at("accessed").accessed, (Time{4'294'967'299, 999'999'999}));
    EXPECT_EQ(read.at("not").accessed, (Time{-5, 1}));
}

TEST_F(Ext4Writer, ASymbolicLinkMayHaveAnyLength) {
    const std::vector<std::size_t> lengths{1, 2, 58, 59, 60, 61, 255, 4094, 4095};
    const ReadBack read{write([&](Writer &w) {
        for (const std::size_t length : lengths) {
            w.add_symlink(std::to_string(length), metadata(0777), std::string(length, 't'));
        }
    })};
    for (const std::size_t length : lengths) {
        const auto &link = read.at(std::to_string(length));
        EXPECT_EQ(link.target, std::string(length, 't'));
        EXPECT_EQ(link.blocks, length < 60 ? 0U : 8U) << length;
    }
    EXPECT_THAT(
        refusal([](Writer &w) { w.add_symlink("a", metadata(0777), std::string(4096, 't')); }),
        HasSubstr("\"a\""));
    EXPECT_THAT(refusal([](Writer &w) { w.add_symlink("a", metadata(0777), ""); }),
                HasSubstr("\"a\""));
}

TEST_F(Ext4Writer, ANameMayHave255BytesOfAnyValue) {
    std::string every_byte;
    for (int byte = 1; byte < 256; ++byte) {
        if (byte != '/') {
            every_byte += static_cast<char>(byte);
        }
    }
    const auto numbered = [&](int i) {
        return fmt::format("many/{:03}", i) + every_byte.substr(0, 252);
    };
    constexpr int many = 400;
    const ReadBack read{write([&](Writer &w) {
        w.add_file(every_byte, metadata(0644), "every byte");
        w.add_file(std::string(255, '\xff'), metadata(0644), "no character");
        for (int i = 0; i < many; ++i) {
            w.add_file(numbered(i), metadata(0644), std::to_string(i));
        }
    })};
    EXPECT_EQ(read.content(every_byte), "every byte");
    EXPECT_EQ(read.content(std::string(255, '\xff')), "no character");
    EXPECT_TRUE(read.at("many").indexed);
    for (int i = 0; i < many; ++i) {
        EXPECT_EQ(read.content(numbered(i)), std::to_string(i));
    }
}

TEST_F(Ext4Writer, KeepsDeviceNumbersAsLargeAsLinuxHasThem) {
    const ReadBack read{write([](Writer &w) {
        w.add_character_device("small", metadata(0600), 255, 255);
        w.add_block_device("minor", metadata(0600), 0, 256);
        w.add_character_device("largest", metadata(0600), 4095, 1'048'575);
    })};
    EXPECT_EQ(read.at("small").major, 255U);
    EXPECT_EQ(read.at("small").minor, 255U);
    EXPECT_EQ(read.at("minor").major, 0U);
    EXPECT_EQ(read.at("minor").minor, 256U);
    EXPECT_EQ(read.at("largest").major, 4095U);
    EXPECT_EQ(read.at("largest").minor, 1'048'575U);
    EXPECT_THAT(refusal([](Writer &w) { w.add_character_device("a", metadata(0600), 4096, 0); }),
                HasSubstr("\"a\" is a device 4096:0"));
    EXPECT_THAT(refusal([](Writer &w) { w.add_block_device("a", metadata(0600), 0, 1U << 20U); }),
                HasSubstr("\"a\" is a device 0:1048576"));
}

TEST_F(Ext4Writer, ADirectoryOfMoreDirectoriesThanALinkCountHoldsIsInOrder) {
    constexpr int count = 65'001;
    const ReadBack read{write([](Writer &w) {
        for (int i = 0; i < count; ++i) {
            w.add_directory(fmt::format("many/{}", i), metadata(0755));
        }
        w.add_directory("few/one", metadata(0755));
    })};
    EXPECT_EQ(read.at("many").links, 1U) << "unknown (dir_nlink)";
    EXPECT_EQ(read.at("few").links, 3U);
    EXPECT_EQ(read.at("many/65000").links, 2U);
}

TEST_F(Ext4Writer, AnEntryTakesAtMostAHundredBytesOfMemory) {
    // Of the heap's sum, which the allocator of a sanitizer does not tell.
    const auto in_use = [] {
        const struct mallinfo2 heap = ::mallinfo2();
        return heap.uordblks + heap.hblkhd;
    };
    constexpr std::size_t count = 100'000;
    write([&](Writer &w) {
        const std::size_t before = in_use();
        for (std::size_t i = 0; i < count; ++i) {
            w.add_file(fmt::format("usr/share/{}/file-{:07}", i / 100, i), metadata(0644), "");
        }
        EXPECT_LT(in_use() - before, count * 100);
    });
}

TEST_F(Ext4Writer, KeepsXattrsInsideTheInodeAndBeside) {
    Metadata small = metadata(0755);
    small.xattrs = {
        {"security.capability", std::string("\1\0\0\2\0\4\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 20)},
        {"user.empty", ""}};
    Metadata large = metadata(0644);
    large.xattrs = {{"user.large", pattern_of(2000, 1)},
                    {"user.another", pattern_of(900, 2)},
                    {"trusted.overlay.opaque", "y"}};
    Metadata acl = metadata(0640);
    // user::rw- user:1000:r-- group::r-- mask::r-- other::---, as Linux' xattr
    acl.xattrs = {{"system.posix_acl_access", std::string("\2\0\0\0"
                                                          "\1\0\6\0\xff\xff\xff\xff"
                                                          "\2\0\4\0\xe8\3\0\0"
                                                          "\4\0\4\0\xff\xff\xff\xff"
                                                          "\x10\0\4\0\xff\xff\xff\xff"
                                                          "\x20\0\0\0\xff\xff\xff\xff",
                                                          44)}};
    Metadata default_acl = acl;
    default_acl.xattrs.push_back({"system.posix_acl_default", acl.xattrs.front().value});
    const auto path = write([&](Writer &w) {
        w.add_file("small", small, "x");
        w.add_file("large", large, "y");
        w.add_directory("acl", acl);
        w.add_directory("default", default_acl);
        w.add_symlink("link", metadata(0777), "small");
    });
    const ReadBack read{path};
    const auto expect_same = [&](const std::string &name, const Metadata &expected) {
        const auto &found = read.at(name).xattrs;
        EXPECT_EQ(found.size(), expected.xattrs.size()) << name;
        for (const auto &xattr : expected.xattrs) {
            EXPECT_EQ(found.at(xattr.name), xattr.value) << name << " " << xattr.name;
        }
    };
    expect_same("small", small);
    expect_same("large", large);
    expect_same("acl", acl);
    expect_same("default", default_acl);
    expect_same("link", metadata(0777));
    EXPECT_EQ(read.at("small").blocks, 8U) << "no block for what fits into the inode";
    EXPECT_EQ(read.at("large").blocks, 16U);
}

TEST_F(Ext4Writer, AnXattrThatIsTooLargeForABlockHasAnInode) {
    Metadata large = metadata(0644);
    large.xattrs = {{"user.small", "beside it"},
                    {"user.a-page", pattern_of(4096, 10)},
                    {"trusted.largest", pattern_of(65536, 11)},
                    {"security.n\xc3\xa4me", pattern_of(40'001, 12)}};
    const auto image = write([&](Writer &w) {
        w.add_file("file", large, "content");
        w.add_directory("directory", large);
        w.add_file("next", metadata(0644), "more");
    });
    const ReadBack read{image};
    for (const char *path : {"file", "directory"}) {
        ASSERT_EQ(read.at(path).xattrs.size(), large.xattrs.size());
        for (const Xattr &xattr : large.xattrs) {
            EXPECT_TRUE(read.at(path).xattrs.at(xattr.name) == xattr.value) << xattr.name;
        }
    }
    EXPECT_EQ(read.content("file"), "content");
    EXPECT_EQ(read.content("next"), "more");
    EXPECT_EQ(read.at("file").blocks, 8U * (1 + 1 + 1 + 16 + 10))
        << "data, entries that do not fit into the inode, and values";
}

TEST_F(Ext4Writer, TheValueOfALargeXattrGoesWithItsFile) {
    Metadata large = metadata(0755);
    large.xattrs = {{"user.large", "the secret " + pattern_of(9000, 13)}};
    const auto image = write([&](Writer &w) {
        w.add_directory("directory", large);
        w.add_directory("directory", metadata(0755));
        w.add_file("file", large, "");
        w.remove("file");
        w.add_directory("", large);
        w.add_directory("", metadata(0755));
    });
    EXPECT_EQ(read_file(image).find("the secret"), std::string::npos);
    EXPECT_TRUE(ReadBack{image}.at("directory").xattrs.empty());
}

TEST_F(Ext4Writer, AHundredThousandFilesInOneDirectoryHaveAHashTree) {
    constexpr int count = 100'000;
    const auto begin = std::chrono::steady_clock::now();
    const auto path = write([&](Writer &w) {
        for (int i = 0; i < count; ++i) {
            w.add_file(fmt::format("many/a-file-name-of-a-usual-length-{:06}", i), metadata(0644),
                       "");
        }
    });
    // Together with e2fsck, and in a build for debugging.
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{20});
    const ReadBack read{path};
    EXPECT_EQ(read.entries().size(), count + 2U);
    EXPECT_TRUE(read.at("many").indexed);
}

TEST_F(Ext4Writer, DataSurvivesTheCrossingOfGroupsAndPlacesOfSuperblocks) {
    // Group 1 begins at 128 MiB, and with a copy of the superblock.
    const std::string large = pattern_of(150U << 20U, 3);
    const std::string small = pattern_of(5000, 4);
    const auto path = write([&](Writer &w) {
        w.begin_file("large", metadata(0644), large.size());
        constexpr std::size_t piece = 1'000'003;
        for (std::size_t at = 0; at < large.size(); at += piece) {
            w.write_data(at, bytes(std::string_view{large}.substr(at, piece)));
        }
        w.add_file("small", metadata(0644), small);
    });
    const ReadBack read{path};
    EXPECT_EQ(sha256_of(read.content("large")), sha256_of(large));
    EXPECT_EQ(read.content("small"), small);
}

TEST_F(Ext4Writer, HolesStayHoles) {
    constexpr std::uint64_t size = 10ULL << 30U;
    const auto path = write([&](Writer &w) {
        w.begin_file("sparse", metadata(0644), size);
        w.write_data(5, bytes("begin"));
        w.write_data(3000, bytes("same block"));
        w.write_data(1ULL << 32U, bytes("middle"));
        w.write_data(size - 3, bytes("end"));
        w.begin_file("hole", metadata(0644), 1U << 30U);
        w.add_file("next", metadata(0644), "data");
    });
    const ReadBack read{path};
    EXPECT_EQ(read.at("sparse").size, size);
    EXPECT_EQ(read.at("sparse").blocks, 3U * 8);
    EXPECT_EQ(read.at("hole").blocks, 0U);
    EXPECT_EQ(read.content("next"), "data");
    EXPECT_EQ(read.content_at("sparse", 0, 10), std::string("\0\0\0\0\0begin", 10));
    EXPECT_EQ(read.content_at("sparse", (1ULL << 32U) - 2, 8), std::string("\0\0middle", 8));
    EXPECT_EQ(read.content_at("sparse", size - 4, 10), std::string("\0end", 4));
    EXPECT_EQ(read.content_at("hole", (1U << 30U) - 2, 10), std::string(2, '\0'));
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_LT(status.st_blocks * 512, 2 << 20);
}

TEST_F(Ext4Writer, AFileOfThousandsOfFragmentsIsWhole) {
    constexpr std::uint64_t pieces = 5000;
    const ReadBack read{write([&](Writer &w) {
        w.begin_file("fragments", metadata(0644), pieces * 8192);
        for (std::uint64_t i = 0; i < pieces; ++i) {
            w.write_data(i * 8192, bytes(fmt::format("piece {:05}", i)));
        }
    })};
    const std::string content = read.content("fragments");
    ASSERT_EQ(content.size(), pieces * 8192);
    for (std::uint64_t i = 0; i < pieces; ++i) {
        ASSERT_EQ(content.substr(i * 8192, 12), fmt::format("piece {:05}", i) + '\0');
    }
}

TEST_F(Ext4Writer, ALaterEntryReplacesAnEarlierOne) {
    const ReadBack read{write([](Writer &w) {
        w.add_file("file", metadata(0644), "old");
        w.add_hard_link("other", "file");
        w.add_file("file", metadata(0600), "new");
        w.add_file("tree/a/b", metadata(0644), "x");
        w.add_symlink("tree", metadata(0777), "elsewhere");
        w.add_file("kept/inside", metadata(0644), "y");
        w.add_directory("kept", metadata(0700));
        w.add_file("gone/deep/er", metadata(0644), "z");
        w.remove("gone");
        w.remove("never-there");
        w.add_file("gone/back", metadata(0644), "again");
    })};
    EXPECT_EQ(read.content("file"), "new");
    EXPECT_EQ(read.content("other"), "old");
    EXPECT_EQ(read.at("other").links, 1U);
    EXPECT_EQ(read.at("tree").target, "elsewhere");
    EXPECT_EQ(read.at("kept").mode, S_IFDIR | 0700);
    EXPECT_EQ(read.content("kept/inside"), "y");
    EXPECT_FALSE(read.entries().contains("gone/deep"));
    EXPECT_EQ(read.content("gone/back"), "again");
}

TEST_F(Ext4Writer, EqualEntriesGiveEqualBytes) {
    const auto fill = [](Writer &w) {
        w.add_file("a/b", metadata(0644, {1'600'000'000, 1}), pattern_of(100'000, 5));
        w.add_symlink("c", metadata(0777), "a/b");
    };
    EXPECT_EQ(sha256_of_file(write(fill, "one")), sha256_of_file(write(fill, "two")));
}

TEST_F(Ext4Writer, RefusesHostilePaths) {
    const auto refused = [&](const std::string &path) {
        return refusal([&](Writer &w) {
            w.add_symlink("link", metadata(0777), "/etc");
            w.add_file("file", metadata(0644), "");
            w.add_file(path, metadata(0644), "");
        });
    };
    EXPECT_THAT(refused("../etc/passwd"), HasSubstr("InvalidArgument"));
    EXPECT_THAT(refused("a/../../b"), HasSubstr("leads upwards"));
    EXPECT_THAT(refused("link/passwd"), HasSubstr("no directory"));
    EXPECT_THAT(refused("file/below"), HasSubstr("no directory"));
    EXPECT_THAT(refused(std::string(256, 'n')), HasSubstr("cannot hold"));
    EXPECT_THAT(refused(std::string(5000, '/') + "x"), HasSubstr("too long"));
    EXPECT_THAT(refused(std::string("a\0b", 3)), HasSubstr("cannot hold"));
    EXPECT_THAT(refused("/"), HasSubstr("is a directory"));
    EXPECT_EQ(refused("/a//./b"), "none");
}

TEST_F(Ext4Writer, RefusesWhatExt4CannotHold) {
    EXPECT_THAT(refusal([](Writer &w) { w.add_hard_link("a", "b"); }), HasSubstr("not there"));
    EXPECT_THAT(refusal([](Writer &w) {
                    w.add_directory("d", metadata(0755));
                    w.add_hard_link("a", "d");
                }),
                HasSubstr("the directory"));
    EXPECT_THAT(refusal([](Writer &w) {
                    Metadata m = metadata(0644);
                    m.xattrs = {{"user.huge", std::string(65537, 'x')}};
                    w.add_file("a", m, "");
                }),
                HasSubstr("user.huge of 65537 bytes"));
    EXPECT_THAT(refusal([](Writer &w) {
                    Metadata m = metadata(0644);
                    for (int i = 0; i < 100; ++i) {
                        m.xattrs.push_back({fmt::format("user.{:0200}", i), "x"});
                    }
                    w.add_file("a", m, "");
                }),
                HasSubstr("Unsupported"));
    EXPECT_THAT(refusal([](Writer &w) {
                    Metadata m = metadata(0777);
                    m.xattrs = {{"trusted.huge", std::string(5000, 'x')}};
                    w.add_symlink("a", m, "b");
                }),
                HasSubstr("symbolic link"));
    EXPECT_THAT(refusal([](Writer &w) {
                    Metadata m = metadata(0644);
                    m.xattrs = {{"nonsense", "x"}};
                    w.add_file("a", m, "");
                }),
                HasSubstr("nonsense"));
    EXPECT_THAT(refusal([](Writer &w) {
                    w.begin_file("a", metadata(0644), 10);
                    w.write_data(8, bytes("too long"));
                }),
                HasSubstr("outside"));
    EXPECT_THAT(refusal([](Writer &w) {
                    w.begin_file("a", metadata(0644), 10);
                    w.write_data(5, bytes("x"));
                    w.write_data(0, bytes("y"));
                }),
                HasSubstr("out of order"));
}

TEST_F(Ext4Writer, WhatWasWrittenBesideARemovedEntryIsGone) {
    Metadata secret = metadata(0644);
    secret.xattrs = {{"user.secret", "the secret " + pattern_of(3000, 20)}};
    const auto image = write([&](Writer &w) {
        w.add_file("file", secret, "x");
        w.remove("file");
        w.add_directory("directory", secret);
        w.add_directory("directory", metadata(0755));
        w.add_symlink("link", metadata(0777), "the secret " + std::string(100, 'x'));
        w.add_symlink("link", metadata(0777), "elsewhere");
        w.begin_file("pieces", metadata(0644), 1U << 20U);
        for (std::uint64_t i = 0; i < 10; ++i) {
            w.write_data(i * 8192, bytes("the secret"));
        }
        w.add_file("pieces", metadata(0644), "public");
    });
    EXPECT_EQ(read_file(image).find("the secret"), std::string::npos);
    EXPECT_EQ(ReadBack{image}.content("pieces"), "public");
}

TEST_F(Ext4Writer, KeepsToItsLimits) {
    WriterOptions small;
    small.max_bytes = 8U << 20U;
    EXPECT_THAT(
        refusal([](Writer &w) { w.add_file("a", metadata(0644), pattern_of(9U << 20U, 1)); },
                small),
        HasSubstr("LimitsExceeded"));
    WriterOptions short_names;
    short_names.max_text_bytes = 2U << 20U;
    EXPECT_THAT(refusal(
                    [](Writer &w) {
                        for (int i = 0; i < 10'000; ++i) {
                            w.add_symlink(fmt::format("{:0250}", i), metadata(0777),
                                          std::string(59, 't'));
                        }
                    },
                    short_names),
                AllOf(HasSubstr("LimitsExceeded"), HasSubstr("more than 2 MiB")));
    WriterOptions whole_files;
    whole_files.max_pieces = 4;
    const auto write_pieces = [](std::uint64_t pieces) {
        return [pieces](Writer &w) {
            w.begin_file("a", metadata(0644), pieces * 8192);
            for (std::uint64_t i = 0; i < pieces; ++i) {
                w.write_data(i * 8192, bytes("x"));
            }
        };
    };
    EXPECT_EQ(refusal(write_pieces(4), whole_files), "none");
    EXPECT_THAT(refusal(write_pieces(5), whole_files),
                AllOf(HasSubstr("LimitsExceeded"), HasSubstr("more than 4 pieces")));
    WriterOptions few;
    few.max_inodes = 20;
    EXPECT_THAT(refusal(
                    [](Writer &w) {
                        for (int i = 0; i < 20; ++i) {
                            w.add_file(std::to_string(i), metadata(0644), "");
                        }
                    },
                    few),
                HasSubstr("LimitsExceeded"));
}

} // namespace
