#include "agent/init/tree_path.hpp"
#include "base/error.hpp"
#include "tests/unit/init/image_tree.hpp"

namespace banger::init {
namespace {

using TreePath = ImageTree;

TEST_F(TreePath, IsItselfWithoutLinks) {
    directory("usr/lib");
    EXPECT_EQ(resolve_in(image_, "/usr/lib/banger"), "usr/lib/banger");
    EXPECT_EQ(resolve_in(image_, "usr//./lib/../bin"), "usr/bin");
    EXPECT_EQ(resolve_in(image_, "/"), "");
}

TEST_F(TreePath, FollowsLinksAsTheGuestWill) {
    link("usr/lib", "lib");
    link("/usr/lib", "lib64");
    link(".", "usr/everything");
    EXPECT_EQ(resolve_in(image_, "lib/modules"), "usr/lib/modules");
    EXPECT_EQ(resolve_in(image_, "lib64/modules"), "usr/lib/modules");
    EXPECT_EQ(resolve_in(image_, "usr/everything/lib"), "usr/lib");
}

TEST_F(TreePath, NeverLeavesTheTree) {
    link("../../../../tmp", "up");
    link("/up/..", "around");
    EXPECT_EQ(resolve_in(image_, "up/file"), "tmp/file");
    EXPECT_EQ(resolve_in(image_, "around/../../etc"), "etc");
}

TEST_F(TreePath, GoesThroughLinksThatLeadNowhere) {
    link("var/roothome", "root");
    EXPECT_EQ(resolve_in(image_, "root/.ssh"), "var/roothome/.ssh");
}

TEST_F(TreePath, EndsWhereLinksLeadInACircle) {
    link("b", "a");
    link("a", "b");
    EXPECT_THROW(resolve_in(image_, "a/file"), Error);
}

} // namespace
} // namespace banger::init
