#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace banger::init {

/// An image's tree in a directory that goes with the test.
class ImageTree : public testing::Test {
protected:
    void SetUp() override {
        std::string name = (std::filesystem::temp_directory_path() / "banger-init-XXXXXX").string();
        ASSERT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        image_ = folder_ / "image";
        std::filesystem::create_directory(image_);
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    void file(const std::string &path, const std::string &content = {}) const {
        std::filesystem::create_directories((image_ / path).parent_path());
        std::ofstream(image_ / path) << content;
    }
    void directory(const std::string &path) const {
        std::filesystem::create_directories(image_ / path);
    }
    void link(const std::string &target, const std::string &path) const {
        std::filesystem::create_directories((image_ / path).parent_path());
        std::filesystem::create_symlink(target, image_ / path);
    }

    std::filesystem::path folder_;
    std::filesystem::path image_;
};

} // namespace banger::init
