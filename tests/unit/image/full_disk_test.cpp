// What the worker says where a disk is too small: how much is missing, as soon as it can know.

#include "base/files.hpp"
#include "base/process.hpp"
#include "tests/unit/ext4/read_back.hpp"
#include "tests/unit/image/tar_builder.hpp"
#include "tests/unit/oci/layout_builder.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <random>

using namespace banger;
using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

namespace {

class FullDisk : public testing::Test {
protected:
    FullDisk() {
        fs::create_directory(small_);
        std::string noise(4U << 20U, '\0'); // no compression makes it small
        std::mt19937 random;
        std::generate(noise.begin(), noise.end(), [&] { return static_cast<char>(random()); });
        test::Tar tar{tar_};
        tar.add({.path = "noise", .content = noise});
    }

    /// The error of a run of the worker that finds a disk of 2 MiB at small_.
    std::string error_of(const std::vector<std::string> &arguments) {
        const fs::path report = directory_ / "report";
        const UniqueFd output = open_file(report, O_WRONLY | O_CREAT | O_TRUNC);
        const UniqueFd input = open_file(tar_, O_RDONLY);
        Command command;
        command.argv = {"unshare",
                        "--user",
                        "--map-root-user",
                        "--mount",
                        "sh",
                        "-c",
                        "mount -t tmpfs -o size=2M tmpfs \"$0\" && exec \"$@\"",
                        small_.string(),
                        BANGER_IMAGE_WORKER};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        command.standard_input = input.get();
        command.standard_output = output.get();
        spawn(command).wait();
        const std::string text = read_file(report, 1U << 20U);
        const auto last = nlohmann::json::parse(text.substr(text.rfind("\n{") + 1));
        return last.at("error").at("code").get<std::string>() + ": " +
               last.at("error").at("message").get<std::string>();
    }

    test::TemporaryDirectory directory_;
    const fs::path small_ = directory_ / "small";
    const fs::path tar_ = directory_ / "layer.tar";
};

TEST_F(FullDisk, APullIsRefusedBeforeItBegins) {
    oci::test::LayoutBuilder layout{directory_ / "layout"};
    layout.tag(layout.add_image({read_file(tar_, 1U << 30U)}), "1");
    const std::string reference = "oci:" + (directory_ / "layout").string() + ":1";
    EXPECT_THAT(error_of({"oci-to-ext4", "--cache", directory_ / "cache", "--output",
                          small_ / "image", "--max-size", "1G", reference}),
                AllOf(HasSubstr("DiskFull: pulling " + reference + " needs about 4 MiB in " +
                                small_.string()),
                      HasSubstr("which has 2 MiB: 2 MiB are missing")));
}

TEST_F(FullDisk, ACopyIsRefusedBeforeItBegins) {
    const fs::path image = directory_ / "image";
    const UniqueFd input = open_file(tar_, O_RDONLY);
    Command make;
    make.argv = {BANGER_IMAGE_WORKER, "tar-to-ext4", "--output", image};
    make.standard_input = input.get();
    run_and_read(make);
    EXPECT_THAT(error_of({"rootfs-file", "--file", image, "--copy", small_ / "copy"}),
                AllOf(HasSubstr("DiskFull: a copy of " + image.string() + " needs about 4"),
                      HasSubstr("MiB in " + small_.string()), HasSubstr("MiB are missing")));
}

TEST_F(FullDisk, WhatNobodyCouldKnowEndsTheWriting) {
    EXPECT_THAT(error_of({"tar-to-ext4", "--output", small_ / "image"}), HasSubstr("DiskFull: "));
}

} // namespace
