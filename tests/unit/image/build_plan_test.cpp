// What a build is made of, as mmdebstrap gets it.

#include "daemon/image/build_host.hpp"
#include "daemon/image/build_plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace banger;
using namespace banger::image;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::Not;

namespace {

catalog::AptSource docker() {
    catalog::AptSource source;
    source.name = "docker-ce";
    source.uri = "https://download.example/debian";
    source.suite = "bookworm";
    source.components = {"stable", "test"};
    source.packages = {"docker-ce", "containerd.io"};
    source.replaces = {"docker.io"};
    return source;
}

catalog::Recipe recipe() {
    catalog::Recipe recipe;
    recipe.suite = "bookworm";
    recipe.packages = {"git", "docker.io=20.10.24", "jq"};
    recipe.sources = {docker()};
    return recipe;
}

BuildPlan plan() {
    BuildPlan plan;
    plan.suite = "bookworm";
    plan.variant = "minbase";
    plan.packages = {"git", "jq"};
    plan.source_lines = {"deb http://deb.example/debian bookworm main"};
    plan.apt_settings = "/b/apt.conf";
    plan.lists = {"/b/apt/it's_InRelease", "/b/apt/x_Packages"};
    return plan;
}

TEST(PackagesOfARecipe, ASourceInReachReplacesWhatItIsBetterThan) {
    EXPECT_THAT(packages_of(recipe(), {docker()}, {"sl"}),
                ElementsAre("git", "jq", "docker-ce", "containerd.io", "sl"));
}

TEST(PackagesOfARecipe, WithoutTheSourceTheRecipesOwnPackagesStay) {
    EXPECT_THAT(packages_of(recipe(), {}, {}), ElementsAre("git", "docker.io=20.10.24", "jq"));
}

TEST(AptSourceOfARecipe, IsWrittenInBothFormatsOfApt) {
    EXPECT_EQ(source_line(docker(), "/b/docker-ce.asc"),
              "deb [arch=amd64 signed-by=/b/docker-ce.asc] https://download.example/debian "
              "bookworm stable test");
    EXPECT_EQ(source_stanza(docker()),
              "Types: deb\nURIs: https://download.example/debian\nSuites: bookworm\n"
              "Components: stable test\nArchitectures: amd64\n");
    catalog::AptSource flat = docker();
    flat.suite = "./";
    flat.components.clear();
    EXPECT_EQ(source_stanza(flat), "Types: deb\nURIs: https://download.example/debian\n"
                                   "Suites: ./\nArchitectures: amd64\n");
}

TEST(Mmdebstrap, GetsTheListsThatThePlanWasMadeBy) {
    const auto command = debootstrap_command(plan(), "/b");
    EXPECT_THAT(command.argv, AllOf(Contains("--skip=update"), Contains("--include=git,jq")));
    EXPECT_THAT(command.argv, Contains("--setup-hook=copy-in '/b/apt/it'\\''s_InRelease' "
                                       "'/b/apt/x_Packages' /var/lib/apt/lists"));
}

TEST(Mmdebstrap, GetsTheArchivesDateWhereItIsKnown) {
    BuildPlan dated = plan();
    dated.date = 1767225601;
    EXPECT_THAT(debootstrap_command(dated, "/b").environment,
                Contains("SOURCE_DATE_EPOCH=1767225601"));
    EXPECT_THAT(debootstrap_command(plan(), "/b").environment,
                Not(Contains(testing::StartsWith("SOURCE_DATE_EPOCH"))));
}

TEST(Mmdebstrap, UnpacksSourcesBeforeThePackagesAndFilesAfterThem) {
    BuildPlan with_parts = plan();
    with_parts.before = {"/b/docker-ce.tar"};
    with_parts.after = {"/b/mise.tar"};
    EXPECT_THAT(debootstrap_command(with_parts, "/b").argv,
                AllOf(Contains("--setup-hook=tar-in /b/docker-ce.tar /"),
                      Contains("--customize-hook=tar-in /b/mise.tar /")));
}

} // namespace
