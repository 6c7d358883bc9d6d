// What a recipe names by URL: fetched, checked and packed for the image's root.

#include "base/files.hpp"
#include "base/sha256.hpp"
#include "daemon/archive/archive_reader.hpp"
#include "daemon/image/worker/part_fetch.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <map>

using namespace banger;
using namespace banger::image;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

namespace {

class PartFetching : public testing::Test {
protected:
    PartFetching() { std::filesystem::create_directory(build_); }

    /// A file on this host, as a part of the recipe.
    WantedPart part(const std::string &name, const std::string &content) {
        write_file_atomically(directory_ / (name + ".source"), content);
        return {.name = name,
                .url = "file://" + (directory_ / (name + ".source")).string(),
                .sha256 = sha256_of(content),
                .size = 0,
                .path = "/usr/local/bin/" + name,
                .mode = 0755,
                .apt_source = {}};
    }
    WantedPart key(const std::string &name, const std::string &content) {
        WantedPart key = part(name, content);
        key.path.clear();
        key.apt_source = "Types: deb\nURIs: http://a.example\n";
        return key;
    }

    nlohmann::json fetch(std::vector<WantedPart> parts) {
        const std::string log = directory_ / "report";
        const UniqueFd fd = open_file(log, O_WRONLY | O_CREAT | O_TRUNC);
        Report report{fd.get()};
        fetch_parts({build_, std::move(parts)}, report);
        const std::string text = read_file(log);
        const auto last = text.rfind('\n', text.size() - 2);
        return nlohmann::json::parse(text.substr(last == std::string::npos ? 0 : last + 1))
            .at("result")
            .at("parts");
    }

    /// Path and content of all that the tar of the part holds.
    std::map<std::string, std::string> unpack(const std::string &name) {
        const std::string bytes = read_file(build_ / (name + ".tar"));
        ArchiveReader tar{memory_source(std::as_bytes(std::span{bytes})),
                          ArchiveReader::Format::Tar, "the tar"};
        std::map<std::string, std::string> files;
        while (archive_entry *entry = tar.next()) {
            EXPECT_EQ(archive_entry_uid(entry), 0);
            EXPECT_EQ(archive_entry_gid(entry), 0);
            modes_[archive_entry_pathname(entry)] = archive_entry_perm(entry);
            files[archive_entry_pathname(entry)] = tar.read_all(1U << 20U);
        }
        return files;
    }
    std::size_t files_in_build() const {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator{build_}, {}));
    }

    test::TemporaryDirectory directory_;
    std::filesystem::path build_ = directory_ / "build";
    std::map<std::string, mode_t> modes_;
};

TEST_F(PartFetching, AFileIsPackedForItsPlaceInTheImage) {
    EXPECT_THAT(fetch({part("tool", "#!/bin/sh\n")}), ElementsAre(nlohmann::json::object()));
    EXPECT_THAT(unpack("tool"), ElementsAre(Pair("usr/local/bin/tool", "#!/bin/sh\n")));
    EXPECT_EQ(modes_["usr/local/bin/tool"], 0755U);
}

TEST_F(PartFetching, AKeyIsPackedWithTheSourceThatItSigns) {
    const std::string armoured = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n";
    const auto results = fetch({key("docker-ce", armoured), key("binary", "\x99\x01")});
    EXPECT_EQ(results.at(0).at("key"), (build_ / "docker-ce.asc").string());
    EXPECT_EQ(read_file(build_ / "docker-ce.asc"), armoured);
    EXPECT_THAT(unpack("docker-ce"),
                ElementsAre(Pair("etc/apt/keyrings/docker-ce.asc", armoured),
                            Pair("etc/apt/sources.list.d/docker-ce.sources",
                                 "Types: deb\nURIs: http://a.example\n"
                                 "Signed-By: /etc/apt/keyrings/docker-ce.asc\n")));
    EXPECT_EQ(results.at(1).at("key"), (build_ / "binary.gpg").string());
}

TEST_F(PartFetching, WhatIsNotWhatItShouldBeLeavesNothingAndStopsNoOther) {
    WantedPart forged = part("forged", "other");
    forged.sha256 = std::string(64, 'a');
    WantedPart absent = part("absent", "x");
    std::filesystem::remove(directory_ / "absent.source");
    WantedPart larger = part("larger", "12345");
    larger.size = 4;
    WantedPart smaller = part("smaller", "123");
    smaller.size = 4;
    WantedPart unreachable = part("unreachable", "x");
    unreachable.url = "http://127.0.0.1:1/x";
    const auto results = fetch({forged, absent, larger, smaller, unreachable, part("good", "g")});
    const auto said = [&](std::size_t i) {
        return results.at(i).at("error").at("message").get<std::string>();
    };
    EXPECT_THAT(said(0), testing::AllOf(HasSubstr("forged.source"), HasSubstr("sha256")));
    EXPECT_THAT(said(1), HasSubstr("absent.source"));
    EXPECT_THAT(said(2), HasSubstr("larger than 4 B"));
    EXPECT_THAT(said(3), HasSubstr("3 bytes, not 4"));
    EXPECT_THAT(said(4), HasSubstr("http://127.0.0.1:1/x"));
    EXPECT_EQ(results.at(4).at("error").at("code"), "NetworkUnavailable");
    EXPECT_EQ(results.at(5), nlohmann::json::object());
    EXPECT_EQ(files_in_build(), 1U) << "good.tar alone";
}

TEST_F(PartFetching, AKeyOfAMegabyteIsNoKey) {
    const auto results = fetch({key("huge", std::string((1U << 20U) + 1, 'x'))});
    EXPECT_EQ(results.at(0).at("error").at("code"), "LimitsExceeded");
    EXPECT_EQ(files_in_build(), 0U);
}

} // namespace
