#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "daemon/bundle/pack.hpp"
#include "daemon/bundle/unpack.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/image/tar_builder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace banger;
using namespace banger::bundle;
using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

namespace {

using Entry = test::Tar::Entry;

std::string small_ext4() {
    std::string content(64 << 10, '\0');
    content[1024 + 0x38] = '\x53';
    content[1024 + 0x39] = '\xef';
    content[40000] = 'x';
    return content;
}

Manifest manifest_of(const std::string &rootfs) {
    Manifest manifest;
    manifest.members = {{"rootfs.ext4", rootfs.size(), sha256_of(rootfs)}};
    return manifest;
}

class Bundle : public testing::Test {
protected:
    std::string tar(const std::vector<Entry> &entries) {
        const fs::path file = directory_ / "bundle.tar";
        {
            test::Tar tar{file};
            for (const Entry &entry : entries) {
                tar.add(entry);
            }
        }
        return read_file(file, 64U << 20U);
    }

    Manifest take(const std::string &archive, Kind kind = Kind::Image) {
        fs::remove_all(directory_ / "out");
        fs::create_directories(directory_ / "out/boot-modules");
        ArchiveReader reader{memory_source(std::as_bytes(std::span{archive})),
                             ArchiveReader::Format::Tar, "the bundle"};
        return unpack(reader, kind, [&](const std::string &path) {
            return open_file(directory_ / "out" / path, O_RDWR | O_CREAT | O_EXCL, 0600);
        });
    }

    std::string refusal(const std::string &archive, Kind kind = Kind::Image) {
        try {
            take(archive, kind);
        } catch (const Error &error) {
            EXPECT_EQ(error.code(), ErrorCode::ImageCorrupt) << error.what();
            return error.what();
        }
        return "it was taken";
    }

    const std::string rootfs_ = small_ext4();
    const Entry manifest_{.path = "manifest.json", .content = to_json(manifest_of(rootfs_))};
    const Entry file_{.path = "rootfs.ext4", .content = rootfs_};
    test::TemporaryDirectory directory_;
};

TEST_F(Bundle, IsUnpackedWithHolesWhereZerosAre) {
    take(tar({manifest_, file_}));
    const fs::path out = directory_ / "out/rootfs.ext4";
    EXPECT_EQ(read_file(out), rootfs_);
    struct stat status {};
    ASSERT_EQ(::stat(out.c_str(), &status), 0);
    EXPECT_LE(status.st_blocks * 512, 16384) << "two blocks have content";
}

TEST_F(Bundle, BeginsWithItsManifest) {
    EXPECT_THAT(refusal(tar({file_, manifest_})),
                AllOf(HasSubstr("rootfs.ext4"), HasSubstr("manifest.json")));
    EXPECT_THAT(refusal(tar({})), HasSubstr("empty"));
}

TEST_F(Bundle, HoldsNothingThatTheManifestDoesNotName) {
    EXPECT_THAT(refusal(tar({manifest_, {.path = "extra", .content = "x"}, file_})),
                HasSubstr("\"extra\""));
    EXPECT_THAT(refusal(tar({manifest_, file_, {.path = "../escape", .content = "x"}})),
                HasSubstr("\"../escape\""));
    EXPECT_THAT(refusal(tar({manifest_, file_, {.path = "/etc/passwd", .content = "x"}})),
                HasSubstr("\"/etc/passwd\""));
    EXPECT_FALSE(fs::exists(directory_ / "escape"));
}

TEST_F(Bundle, HoldsRegularFilesOnly) {
    EXPECT_THAT(
        refusal(tar({manifest_, {.path = "rootfs.ext4", .type = AE_IFLNK, .link = "/etc/shadow"}})),
        HasSubstr("no regular file"));
    EXPECT_THAT(refusal(tar({manifest_, {.path = "rootfs.ext4", .link = "manifest.json"}})),
                HasSubstr("no regular file"));
    EXPECT_THAT(refusal(tar({manifest_, {.path = "rootfs.ext4", .type = AE_IFDIR}})),
                HasSubstr("\"rootfs.ext4/\""));
}

TEST_F(Bundle, HoldsEachFileOnce) {
    EXPECT_THAT(refusal(tar({manifest_, file_, file_})), HasSubstr("\"rootfs.ext4\" twice"));
    EXPECT_THAT(refusal(tar({manifest_, manifest_, file_})), HasSubstr("manifest.json"));
    EXPECT_THAT(refusal(tar({manifest_})), HasSubstr("no \"rootfs.ext4\""));
}

TEST_F(Bundle, IsHeldToSizeAndSha256OfItsManifest) {
    std::string other = rootfs_;
    other.back() = 'y';
    EXPECT_THAT(refusal(tar({manifest_, {.path = "rootfs.ext4", .content = other}})),
                AllOf(HasSubstr("rootfs.ext4"), HasSubstr("sha256")));
    EXPECT_THAT(refusal(tar({manifest_, {.path = "rootfs.ext4", .content = rootfs_ + "more"}})),
                AllOf(HasSubstr("rootfs.ext4"), HasSubstr("bytes")));
}

TEST_F(Bundle, OfWhatIsNoExt4IsRefused) {
    const std::string other(8192, 'x');
    EXPECT_THAT(refusal(tar({{.path = "manifest.json", .content = to_json(manifest_of(other))},
                             {.path = "rootfs.ext4", .content = other}})),
                HasSubstr("no ext4"));
}

TEST_F(Bundle, ThatBreaksOffIsRefused) {
    const std::string whole = tar({manifest_, file_});
    for (const std::size_t size : {std::size_t{100}, std::size_t{2000}, whole.size() / 2}) {
        EXPECT_NE(refusal(whole.substr(0, size)), "it was taken") << size;
    }
}

TEST_F(Bundle, OfAKernelMayNotNameWhatLiesElsewhere) {
    for (const char *path : {"boot-modules/../x", "boot-modules/a/b", "boot-modules/.x", "other"}) {
        Manifest manifest;
        manifest.kind = Kind::Kernel;
        manifest.members = {{"vmlinux", 1, std::string(64, '0')},
                            {"boot-modules/order", 1, std::string(64, '0')},
                            {path, 1, std::string(64, '0')}};
        EXPECT_THAT(
            refusal(tar({{.path = "manifest.json", .content = to_json(manifest)}}), Kind::Kernel),
            HasSubstr(path));
    }
}

TEST(BundleManifest, SaysWhatIsWrongWithIt) {
    const auto complaint = [](const std::string &text) {
        try {
            parse_manifest(text, Kind::Image);
            return std::string("none");
        } catch (const Error &error) {
            return std::string(error.what());
        }
    };
    const std::string sum(64, 'a');
    const auto with_file = [](const std::string &file) {
        return R"({"format":1,"kind":"image","files":[)" + file + "]}";
    };
    const std::string good = R"({"path":"rootfs.ext4","size":1,"sha256":")" + sum + R"("})";
    EXPECT_EQ(complaint(with_file(good)), "none");
    EXPECT_THAT(complaint("{"), HasSubstr("no JSON"));
    EXPECT_THAT(complaint(R"({"format":2,"kind":"image","files":[]})"), HasSubstr("newer format"));
    EXPECT_THAT(complaint(R"({"format":1,"kind":"kernel","files":[]})"), HasSubstr("kind"));
    EXPECT_THAT(complaint(with_file("")), HasSubstr("\"rootfs.ext4\" is missing"));
    EXPECT_THAT(complaint(with_file(good + "," + good)), HasSubstr("twice"));
    EXPECT_THAT(complaint(with_file(R"({"path":"rootfs.ext4","size":68719476737,"sha256":")" + sum +
                                    R"("})")),
                AllOf(HasSubstr("rootfs.ext4"), HasSubstr("at most")));
    EXPECT_THAT(
        complaint(with_file(R"({"path":"rootfs.ext4","size":-1,"sha256":")" + sum + R"("})")),
        HasSubstr("size"));
    EXPECT_THAT(complaint(R"({"format":1,"kind":"image","files":[)" + good +
                          R"(],"about":{"a":{"b":{"c":{}}}}})"),
                HasSubstr("about"));
}

TEST_F(Bundle, EqualContentGivesEqualBytesWhateverItsHoles) {
    const fs::path dense = directory_ / "dense";
    const fs::path sparse = directory_ / "sparse";
    std::string content = small_ext4();
    content.resize(1 << 20, '\0');
    fs::create_directory(dense);
    fs::create_directory(sparse);
    write_file_atomically(dense / "rootfs.ext4", content);
    const UniqueFd holes = open_file(sparse / "rootfs.ext4", O_RDWR | O_CREAT, 0600);
    ASSERT_EQ(::ftruncate(holes.get(), 1 << 20), 0);
    ASSERT_EQ(::pwrite(holes.get(), content.data(), 40960, 0), 40960);
    std::vector<Packed> packed;
    for (const fs::path &directory : {dense, sparse}) {
        const fs::path file = directory / "bundle.tar.zst";
        const UniqueFd fd = open_file(file, O_RDWR | O_CREAT, 0600);
        const auto manifest =
            describe(directory, Kind::Image, {"rootfs.ext4"}, [](std::uint64_t, std::uint64_t) {});
        packed.push_back(pack(directory, manifest, fd.get(), [](std::uint64_t, std::uint64_t) {}));
        EXPECT_EQ(packed.back().size, fs::file_size(file));
        EXPECT_EQ(packed.back().sha256, sha256_of_file(file));
    }
    EXPECT_EQ(packed[0].sha256, packed[1].sha256);

    take(read_file(dense / "bundle.tar.zst"));
    EXPECT_EQ(read_file(directory_ / "out/rootfs.ext4"), content);
}

} // namespace
