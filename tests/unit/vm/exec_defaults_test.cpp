#include "daemon/vm/exec_defaults.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace banger::vm {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

image::RunConfig nginx() {
    return {.environment = {"PATH=/opt/bin", "VERSION=1"},
            .working_directory = "/srv",
            .user = "www:www",
            .entrypoint = {"/entrypoint.sh"},
            .command = {"nginx", "-g", "daemon off;"}};
}

ExecRequest request(std::vector<std::string> argv) {
    ExecRequest request;
    request.argv = std::move(argv);
    return request;
}

TEST(ImageDefaults, AProgramRunsAsTheImageSays) {
    ExecRequest exec = request({"id"});
    apply_image_defaults(exec, nginx());
    EXPECT_THAT(exec.argv, ElementsAre("id"));
    EXPECT_EQ(exec.cwd, "/srv");
    EXPECT_EQ(exec.user, "www:www");
    EXPECT_THAT(exec.env, ElementsAre("PATH=/opt/bin", "VERSION=1"));
}

TEST(ImageDefaults, WhatIsAskedForGoesBefore) {
    ExecRequest exec = request({"id"});
    exec.cwd = "/tmp";
    exec.user = "root";
    exec.env = {"VERSION=2"};
    apply_image_defaults(exec, nginx());
    EXPECT_EQ(exec.cwd, "/tmp");
    EXPECT_EQ(exec.user, "root");
    EXPECT_EQ(exec.env.back(), "VERSION=2") << "the last value is the one that counts";
}

TEST(ImageDefaults, ArgumentsAreTheEntrypoints) {
    ExecRequest exec = request({"nginx", "-t"});
    exec.entrypoint = true;
    apply_image_defaults(exec, nginx());
    EXPECT_THAT(exec.argv, ElementsAre("/entrypoint.sh", "nginx", "-t"));
}

TEST(ImageDefaults, WithoutArgumentsTheCommandIs) {
    ExecRequest exec = request({});
    exec.entrypoint = true;
    apply_image_defaults(exec, nginx());
    EXPECT_THAT(exec.argv, ElementsAre("/entrypoint.sh", "nginx", "-g", "daemon off;"));
}

TEST(ImageDefaults, AnImageOfARecipeChangesNothing) {
    ExecRequest exec = request({"true"});
    exec.entrypoint = true;
    apply_image_defaults(exec, {});
    EXPECT_THAT(exec.argv, ElementsAre("true"));
    EXPECT_EQ(exec.cwd, "");
    EXPECT_EQ(exec.user, "");
    EXPECT_THAT(exec.env, IsEmpty());
}

} // namespace
} // namespace banger::vm
