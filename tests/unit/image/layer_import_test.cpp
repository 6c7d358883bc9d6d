#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/image/worker/layer_import.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/image/tar_builder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <clocale>

using namespace banger;
using namespace banger::image;
using banger::test::padded;
using banger::test::pax_header;
using banger::test::pax_record;
using banger::test::Tar;
using banger::test::ustar_block;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

namespace {

using Layer = std::vector<Tar::Entry>;

Tar::Entry file(const std::string &path, const std::string &content = "x") {
    return {.path = path, .content = content};
}

Tar::Entry directory(const std::string &path, mode_t permissions = 0755) {
    return {.path = path, .type = AE_IFDIR, .permissions = permissions};
}

Tar::Entry symlink(const std::string &path, const std::string &target) {
    return {.path = path, .type = AE_IFLNK, .permissions = 0755, .link = target};
}

Tar::Entry hard_link(const std::string &path, const std::string &target) {
    return {.path = path, .link = target};
}

class LayerImportTest : public testing::Test {
protected:
    void SetUp() override { std::setlocale(LC_CTYPE, "C.UTF-8"); }

    /// Applies one layer upon the other, lowest first, into `image()`.
    void apply(const std::vector<Layer> &layers, ext4::WriterOptions options = {}) {
        const UniqueFd output = open_file(image(), O_RDWR | O_CREAT | O_TRUNC);
        options.sync = false;
        ext4::Writer writer{output.get(), options};
        for (const Layer &layer : layers) {
            {
                Tar tar{directory_ / "layer.tar"};
                for (const Tar::Entry &entry : layer) {
                    tar.add(entry);
                }
            }
            apply_tar(writer);
        }
        writer.finish();
        EXPECT_EQ(test::e2fsck_complaint(image()), "");
    }

    void apply_tar(ext4::Writer &writer) {
        const UniqueFd tar = open_file(directory_ / "layer.tar", O_RDONLY);
        ArchiveReader reader{descriptor_source(tar.get()), ArchiveReader::Format::Tar, "the layer"};
        import_layer(reader, writer);
    }

    /// The Error that the bytes of a layer get.
    std::string refusal_of(const std::string &tar) {
        write_file_atomically(directory_ / "layer.tar", tar);
        const UniqueFd output = open_file(image(), O_RDWR | O_CREAT | O_TRUNC);
        ext4::WriterOptions options;
        options.sync = false;
        ext4::Writer writer{output.get(), options};
        try {
            apply_tar(writer);
            writer.finish();
        } catch (const Error &error) {
            return std::string(to_string(error.code())) + ": " + error.what();
        }
        return "none";
    }

    std::string refusal(const std::vector<Layer> &layers, const ext4::WriterOptions &options = {}) {
        try {
            apply(layers, options);
        } catch (const Error &error) {
            return std::string(to_string(error.code())) + ": " + error.what();
        }
        return "none";
    }

    std::vector<std::string> paths() {
        const test::ReadBack read{image()};
        std::vector<std::string> result;
        for (const auto &[path, entry] : read.entries()) {
            if (!path.empty()) {
                result.push_back(path);
            }
        }
        return result;
    }

    std::filesystem::path image() const { return directory_ / "image"; }

    test::TemporaryDirectory directory_;
};

TEST_F(LayerImportTest, EveryKindOfEntryKeepsWhatItsTarSays) {
    apply({{directory("./", 0711),
            {.path = "usr/bin/passwd",
             .permissions = 04755,
             .content = "ELF",
             .uid = 1000,
             .seconds = 1'600'000'000,
             .nanoseconds = 987'654'321,
             .xattrs = {{"security.capability", std::string(20, '\1')}, {"user.note", "hello"}}},
            symlink("bin", "usr/bin"),
            hard_link("passwd", "usr/bin/passwd"),
            {.path = "dev/null", .type = AE_IFCHR, .permissions = 0666, .device = 1},
            {.path = "dev/disk", .type = AE_IFBLK, .device = 300},
            {.path = "run/pipe", .type = AE_IFIFO}}});
    const test::ReadBack read{image()};
    EXPECT_EQ(read.at("").mode, S_IFDIR | 0711);
    const auto &passwd = read.at("usr/bin/passwd");
    EXPECT_EQ(passwd.mode, S_IFREG | 04755);
    EXPECT_EQ(passwd.uid, 1000U);
    EXPECT_EQ(passwd.gid, 1001U);
    EXPECT_EQ(passwd.modified, (ext4::Time{1'600'000'000, 987'654'321}));
    EXPECT_EQ(passwd.xattrs.at("security.capability"), std::string(20, '\1'));
    EXPECT_EQ(passwd.xattrs.at("user.note"), "hello");
    EXPECT_EQ(read.content("usr/bin/passwd"), "ELF");
    EXPECT_EQ(read.at("passwd").inode, passwd.inode);
    EXPECT_EQ(read.at("bin").target, "usr/bin");
    EXPECT_EQ(read.at("bin").mode, S_IFLNK | 0777) << "as Linux shows every symbolic link";
    EXPECT_EQ(read.at("dev/null").mode, S_IFCHR | 0666);
    EXPECT_EQ(read.at("dev/disk").major, 300U);
    EXPECT_EQ(read.at("dev/disk").minor, 301U);
    EXPECT_TRUE(S_ISFIFO(read.at("run/pipe").mode));
    EXPECT_EQ(read.at("usr").mode, S_IFDIR | 0755) << "a parent that no entry named";
}

TEST_F(LayerImportTest, AWhiteoutRemovesAFileOrATree) {
    apply({{file("etc/gone"), file("etc/kept"), file("tree/a/b"), symlink("link", "etc/kept")},
           {file("etc/.wh.gone", ""), file(".wh.tree", ""), file("./.wh.link", ""),
            file(".wh.never-there", ""), file("no/such/.wh.directory", "")}});
    EXPECT_THAT(paths(), ElementsAre("etc", "etc/kept"));
}

TEST_F(LayerImportTest, AnOpaqueWhiteoutRemovesTheContentOfItsDirectory) {
    apply({{directory("srv", 0700), file("srv/a"), file("srv/b/c"), file("other")},
           {file("srv/.wh..wh..opq", "")}});
    EXPECT_THAT(paths(), ElementsAre("other", "srv"));
    EXPECT_EQ(test::ReadBack{image()}.at("srv").mode, S_IFDIR | 0700);
}

TEST_F(LayerImportTest, TheOrderOfALayerDoesNotMatterToItsWhiteouts) {
    const Layer lower{file("a/old"), file("a/b/old"), file("c/old")};
    apply({lower, {file(".wh.a", ""), file("a/b/new"), file("c/.wh..wh..opq", ""), file("c/new")}});
    const auto whiteouts_first = paths();
    apply({lower, {file("a/b/new"), file(".wh.a", ""), file("c/new"), file("c/.wh..wh..opq", "")}});
    EXPECT_THAT(whiteouts_first, ElementsAre("a", "a/b", "a/b/new", "c", "c/new"));
    EXPECT_EQ(paths(), whiteouts_first);
}

TEST_F(LayerImportTest, AWhiteoutDoesNotReachIntoHigherLayers) {
    apply({{file("file", "first")}, {file(".wh.file", "")}, {file("file", "third")}});
    EXPECT_EQ(test::ReadBack{image()}.content("file"), "third");
}

TEST_F(LayerImportTest, AWhiteoutMayBeOfAnyKind) {
    apply({{file("a"), file("b/c")}, {directory(".wh.a"), symlink("b/.wh..wh..opq", "x")}});
    EXPECT_THAT(paths(), ElementsAre("b"));
}

TEST_F(LayerImportTest, AufsMetadataIsNoPartOfTheImage) {
    apply({{directory(".wh..wh.plnk"), file(".wh..wh.plnk/1.2"), file(".wh..wh.aufs"),
            directory(".wh..wh.orph"), file("kept")}});
    EXPECT_THAT(paths(), ElementsAre("kept"));
}

TEST_F(LayerImportTest, ALaterLayerReplacesAnyKindWithAnyOther) {
    apply({{file("file-to-directory"), file("directory-to-file/inside"),
            symlink("link-to-directory", "directory"), directory("directory", 0755),
            file("directory/inside"), file("shared", "old"), hard_link("other-name", "shared")},
           {directory("file-to-directory", 0700), file("directory-to-file", "flat"),
            directory("link-to-directory", 0710), directory("directory", 0500),
            file("shared", "new")}});
    const test::ReadBack read{image()};
    EXPECT_EQ(read.at("file-to-directory").mode, S_IFDIR | 0700);
    EXPECT_EQ(read.content("directory-to-file"), "flat");
    EXPECT_EQ(read.at("link-to-directory").mode, S_IFDIR | 0710);
    EXPECT_EQ(read.at("directory").mode, S_IFDIR | 0500);
    EXPECT_TRUE(read.entries().contains("directory/inside"));
    EXPECT_EQ(read.content("shared"), "new");
    EXPECT_EQ(read.content("other-name"), "old");
}

TEST_F(LayerImportTest, ADirectorysXattrsAreThoseOfItsLatestLayer) {
    Tar::Entry lower = directory("d");
    lower.xattrs = {{"user.lower", "1"}};
    Tar::Entry upper = directory("d");
    upper.xattrs = {{"user.upper", "2"}};
    apply({{lower}, {upper}});
    const test::ReadBack read{image()};
    EXPECT_THAT(read.at("d").xattrs, ElementsAre(std::pair{"user.upper", "2"}));
}

TEST_F(LayerImportTest, ParentsThatAreSymbolicLinksAreFollowedInsideTheRoot) {
    apply({{directory("usr/lib"), symlink("lib", "usr/lib"), symlink("abs", "/lib"),
            symlink("out", "../../../var"), symlink("dangling", "made/here")},
           {file("lib/a"), file("abs/b"), file("out/c"), file("dangling/d"),
            hard_link("lib/e", "abs/b"), file("abs/.wh.nothing", "")},
           {file("lib/.wh.a", "")}});
    EXPECT_THAT(paths(),
                ElementsAre("abs", "dangling", "lib", "made", "made/here", "made/here/d", "out",
                            "usr", "usr/lib", "usr/lib/b", "usr/lib/e", "var", "var/c"));
}

TEST_F(LayerImportTest, AnAbsolutePathCountsFromTheRoot) {
    apply({{file("/etc/passwd"), hard_link("/etc/shadow", "/etc/passwd"),
            hard_link("escape", "../../../etc/./passwd")}});
    EXPECT_THAT(paths(), ElementsAre("escape", "etc", "etc/passwd", "etc/shadow"));
    EXPECT_EQ(test::ReadBack{image()}.at("escape").links, 3U);
}

TEST_F(LayerImportTest, AHardLinkMayLeadToALowerLayer) {
    apply({{file("lower", "content")}, {hard_link("upper", "lower"), file(".wh.lower", "")}});
    EXPECT_THAT(paths(), ElementsAre("upper"));
    EXPECT_EQ(test::ReadBack{image()}.content("upper"), "content");
}

TEST_F(LayerImportTest, LeavesOutXattrsOfTheBuildersMachineAndWithoutAValue) {
    apply({{{.path = "file",
             .content = "x",
             .xattrs = {{"security.selinux", "label"},
                        {"trusted.overlay.opaque", "y"},
                        {"user.without-a-value", ""},
                        {"user.kept", "1"}}},
            {.path = "acl", .content = "x", .acl = true}}});
    const test::ReadBack read{image()};
    EXPECT_THAT(read.at("file").xattrs, ElementsAre(std::pair{"user.kept", "1"}));
    EXPECT_THAT(read.at("acl").xattrs, IsEmpty());
}

TEST_F(LayerImportTest, ASecretOfALowerLayerIsNotInTheImage) {
    apply({{file("kept", "public"), file("root/.ssh/id_ed25519", "the secret key"),
            file("etc/token", "the secret token")},
           {file("root/.ssh/.wh.id_ed25519", ""), file("etc/token", "none")}});
    EXPECT_THAT(read_file(image()), AllOf(HasSubstr("public"), Not(HasSubstr("the secret"))));
}

TEST_F(LayerImportTest, AnEmptyLayerChangesNothing) {
    apply({{file("a")}, {}, {file("b")}});
    EXPECT_THAT(paths(), ElementsAre("a", "b"));
}

TEST_F(LayerImportTest, EqualLayersGiveEqualImages) {
    const std::vector<Layer> layers{{file("a", std::string(70'000, 'a')), file("b")},
                                    {file(".wh.a", ""), file("c", std::string(9'000, 'c'))}};
    apply(layers);
    const std::string first = read_file(image());
    apply(layers);
    EXPECT_TRUE(read_file(image()) == first);
}

TEST_F(LayerImportTest, RefusesWhatLeadsOutAndNamesIt) {
    EXPECT_THAT(refusal({{file("../../home/user/.bashrc")}}),
                AllOf(HasSubstr("InvalidArgument"), HasSubstr("../../home/user/.bashrc")));
    EXPECT_THAT(refusal({{file("a/../.wh.b")}}), HasSubstr("a/../.wh.b"));
    EXPECT_THAT(refusal({{symlink("a", "b"), symlink("b", "a"), file("a/c")}}),
                AllOf(HasSubstr("\"a/c\""), HasSubstr("symbolic links")));
    EXPECT_THAT(refusal({{symlink("./", "/etc")}}), HasSubstr("root of a file system"));
}

TEST_F(LayerImportTest, RefusesAParentThatIsAFileAndNamesTheEntry) {
    EXPECT_THAT(refusal({{file("file")}, {file("file/below")}}),
                AllOf(HasSubstr("\"file/below\""), HasSubstr("no directory")));
}

TEST_F(LayerImportTest, RefusesAHardLinkToNothing) {
    EXPECT_THAT(refusal({{hard_link("link", "missing")}}),
                AllOf(HasSubstr("\"link\""), HasSubstr("\"missing\", which is not there")));
    EXPECT_THAT(refusal({{file("a")}, {file(".wh.a", ""), hard_link("link", "a")}}),
                HasSubstr("not there"));
}

TEST_F(LayerImportTest, RefusesAWhiteoutThatNamesNothing) {
    for (const char *name : {"etc/.wh.", "etc/.wh..", "etc/.wh..."}) {
        EXPECT_THAT(refusal({{file("etc/a")}, {file(name, "")}}),
                    AllOf(HasSubstr("ImageCorrupt"), HasSubstr(name)));
    }
}

TEST_F(LayerImportTest, KeepsToItsLimitsAndNamesTheEntry) {
    ext4::WriterOptions few;
    few.max_inodes = 20;
    Layer many;
    for (int i = 0; i < 20; ++i) {
        many.push_back(file(fmt::format("file-{}", i)));
    }
    EXPECT_THAT(refusal({many}, few), AllOf(HasSubstr("LimitsExceeded"), HasSubstr("\"file-9\"")));
    ext4::WriterOptions small;
    small.max_bytes = 8U << 20U;
    EXPECT_THAT(refusal({{file("large", std::string(9U << 20U, 'x'))}}, small),
                AllOf(HasSubstr("LimitsExceeded"), HasSubstr("\"large\"")));
}

TEST_F(LayerImportTest, ANameThatIsNotUtf8KeepsItsBytes) {
    const std::string pax = pax_record("path", "caf\xe9/link") + pax_record("linkpath", "na\xefve");
    EXPECT_EQ(
        refusal_of(pax_header(pax) + ustar_block("link", '2', 0, "nave") + std::string(1024, '\0')),
        "none");
    EXPECT_THAT(paths(), ElementsAre("caf\xe9", "caf\xe9/link"));
    EXPECT_EQ(test::ReadBack{image()}.at("caf\xe9/link").target, "na\xefve");
}

TEST_F(LayerImportTest, ATimeBefore1970KeepsItsFraction) {
    const auto dated = [](const std::string &name, const std::string &time) {
        const std::string pax = pax_record("mtime", time) + pax_record("atime", time);
        return pax_header(pax) + ustar_block(name, '0', 0);
    };
    EXPECT_EQ(refusal_of(dated("before", "-5.5") + dated("whole", "-5") +
                         dated("long", "-2000000000.000000001") + dated("after", "5.5") +
                         dated("far", "15032385535.25") + std::string(1024, '\0')),
              "none");
    const test::ReadBack read{image()};
    EXPECT_EQ(read.at("before").modified, (ext4::Time{-6, 500'000'000}));
    EXPECT_EQ(read.at("before").accessed, (ext4::Time{-6, 500'000'000}));
    EXPECT_EQ(read.at("whole").modified, (ext4::Time{-5, 0}));
    EXPECT_EQ(read.at("long").modified, (ext4::Time{-2'000'000'001, 999'999'999}));
    EXPECT_EQ(read.at("after").modified, (ext4::Time{5, 500'000'000}));
    EXPECT_EQ(read.at("far").modified, (ext4::Time{15'032'385'535, 250'000'000}));
}

TEST_F(LayerImportTest, AHoleOfATarIsAHole) {
    // GNU's sparse files, version 1.0, as `tar --sparse --format=pax` makes them.
    const std::string pax =
        pax_record("GNU.sparse.major", "1") + pax_record("GNU.sparse.minor", "0") +
        pax_record("GNU.sparse.name", "disk") + pax_record("GNU.sparse.realsize", "5000000512");
    const std::string map = padded("2\n0\n512\n5000000000\n512\n");
    EXPECT_EQ(refusal_of(pax_header(pax) +
                         ustar_block("GNUSparseFile.0/disk", '0', map.size() + 1024) + map +
                         std::string(512, 'a') + std::string(512, 'z') + std::string(1024, '\0')),
              "none");
    const test::ReadBack read{image()};
    EXPECT_EQ(read.at("disk").size, 5'000'000'512U);
    EXPECT_EQ(read.at("disk").blocks, 2U * 8);
    EXPECT_EQ(read.content_at("disk", 511, 2), std::string("a\0", 2));
    EXPECT_EQ(read.content_at("disk", 4'999'999'999, 2), std::string("\0z", 2));
}

TEST_F(LayerImportTest, RefusesADeviceThatLinuxCannotHaveAndNamesIt) {
    for (const auto &[name, type] : {std::pair{"character", AE_IFCHR}, {"block", AE_IFBLK}}) {
        EXPECT_THAT(refusal({{{.path = name, .type = type, .device = 5000}}}),
                    AllOf(HasSubstr("InvalidArgument"), HasSubstr(fmt::format("\"{}\"", name))));
    }
}

TEST_F(LayerImportTest, RefusesAFileWhoseDataIsNotAsLongAsItSays) {
    const auto liar = [](const std::string &size) {
        const std::string pax = pax_record("SCHILY.realsize", size);
        return pax_header(pax) + ustar_block("liar", '0', 9) + padded("nine byte") +
               std::string(1024, '\0');
    };
    EXPECT_THAT(refusal_of(liar("4")), HasSubstr("\"liar\""));
    EXPECT_THAT(refusal_of(liar("4000")),
                HasSubstr("ImageCorrupt: \"liar\": a file of 4000 bytes has data of 9"));
    EXPECT_EQ(refusal_of(liar("9")), "none");
}

TEST_F(LayerImportTest, RefusesADamagedLayer) {
    {
        Tar tar{directory_ / "layer.tar"};
        tar.add(file("file", std::string(100'000, 'x')));
    }
    const std::string whole = read_file(directory_ / "layer.tar");
    EXPECT_THAT(refusal_of(whole.substr(0, 50'000)), HasSubstr("ImageCorrupt"));
}

} // namespace
