#include "base/error.hpp"
#include "cli/workspace.hpp"
#include "tests/unit/cli/repository.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace banger::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

std::string refusal(const WorkspaceOptions &options) {
    try {
        const Workspace workspace(options);
    } catch (const Error &e) {
        return e.what();
    }
    return "it was taken";
}

TEST(Workspace, TakesTrackedFilesAsTheyAreInTheWorkingTree) {
    const Repository repository;
    repository.write("kept", "1");
    repository.write("deleted", "1");
    repository.write("dir/renamed", "1");
    repository.write(".gitignore", "*.o\n");
    repository.commit();
    repository.write("kept", "2");
    std::filesystem::remove(repository.path() / "deleted");
    repository.write("staged", "1");
    repository.git({"add", "staged"});
    repository.write("untracked", "secret");
    repository.write("x.o", "ignored");

    const Workspace workspace({repository.path()});
    EXPECT_THAT(workspace.files(),
                UnorderedElementsAre(".gitignore", "dir/renamed", "kept", "staged"));
    EXPECT_EQ(workspace.untracked_left_out(), 1U);
    EXPECT_EQ(workspace.guest_directory(), "/root/repo");
}

TEST(Workspace, TakesUntrackedFilesOnRequestAndIgnoredOnesNever) {
    const Repository repository;
    repository.write(".gitignore", "*.o\n");
    repository.commit();
    repository.write("untracked", "1");
    repository.write("x.o", "1");
    const Workspace workspace({repository.path(), true});
    EXPECT_THAT(workspace.files(), ElementsAre(".gitignore", "untracked"));
    EXPECT_EQ(workspace.untracked_left_out(), 0U);
}

TEST(Workspace, TakesEveryNameThatGitTakes) {
    const Repository repository;
    const std::vector<std::string> names{"a\nb",     "\"quoted\"",         "-rf", "back\\slash",
                                         "ünï",      "\xff\xfe",           "* ?", " space ",
                                         ":(glob)x", std::string(200, 'n')};
    for (const std::string &name : names) {
        repository.write(name, "x");
    }
    repository.commit();
    EXPECT_THAT(Workspace({repository.path()}).files(), testing::UnorderedElementsAreArray(names));
}

TEST(Workspace, DoesNotFollowADirectoryThatHasBecomeALink) {
    const Repository repository;
    repository.write("dir/file", "tracked");
    repository.commit();
    std::filesystem::create_directory(repository.beside("outside"));
    write_file_atomically(repository.beside("outside") / "file", "not of the repository");
    std::filesystem::remove_all(repository.path() / "dir");
    std::filesystem::create_symlink(repository.beside("outside"), repository.path() / "dir");
    EXPECT_THAT(Workspace({repository.path()}).files(), ElementsAre());
}

TEST(Workspace, ListsAConflictedFileOnce) {
    const Repository repository;
    repository.diverge("f");
    EXPECT_THROW(repository.git({"merge", "other"}), Error);
    EXPECT_THAT(Workspace({repository.path()}).files(), ElementsAre("f"));
}

TEST(Workspace, FindsTheRepositoryFromBelowAndFromALinkedWorktree) {
    const Repository repository;
    repository.write("dir/file", "1");
    repository.commit();
    EXPECT_EQ(Workspace({repository.path() / "dir"}).root(), repository.path());

    const auto linked = repository.beside("linked");
    repository.git({"worktree", "add", "--quiet", linked.native()});
    const Workspace workspace({linked});
    EXPECT_EQ(workspace.guest_directory(), "/root/linked");
    EXPECT_THAT(workspace.files(), ElementsAre("dir/file"));
}

TEST(Workspace, ANameOfTheGuestsOwnIsNotTaken) {
    const Repository repository;
    const auto hidden = repository.beside(".ssh");
    std::filesystem::create_directory(hidden);
    Repository::git_in(hidden, {"init", "--quiet"});
    EXPECT_EQ(Workspace({hidden}).guest_directory(), "/root/ssh");
}

TEST(Workspace, BeginsANewBranchFromACommitAsItWas) {
    const Repository repository;
    repository.write("old", "1");
    repository.commit();
    repository.git({"tag", "v1"});
    repository.write("new", "1");
    repository.commit();
    EXPECT_THAT(Workspace({repository.path(), false, "topic", "v1"}).files(), ElementsAre("old"));
}

TEST(Workspace, RefusesWhatItCannotSend) {
    const Repository repository;
    repository.write("f", "1");
    repository.commit();
    EXPECT_THAT(refusal({repository.beside("missing")}), HasSubstr("there is no"));
    EXPECT_THAT(refusal({repository.path() / "f"}), HasSubstr("is no directory"));
    std::filesystem::create_directory(repository.beside("plain"));
    EXPECT_THAT(refusal({repository.beside("plain")}), HasSubstr("is no git repository"));
    Repository::git_in(repository.beside("plain"), {"init", "--quiet", "--bare", "bare"});
    EXPECT_THAT(refusal({repository.beside("plain") / "bare"}), HasSubstr("bare repository"));
    EXPECT_THAT(refusal({repository.path() / ".git"}), HasSubstr("inside a .git directory"));
    EXPECT_THAT(refusal({repository.path(), false, "", "HEAD"}), HasSubstr("--from needs"));
    EXPECT_THAT(refusal({repository.path(), false, "a..b"}), HasSubstr("'a..b'"));
    EXPECT_THAT(refusal({repository.path(), false, "b", "no-such"}),
                HasSubstr("no commit 'no-such'"));
    EXPECT_THAT(refusal({repository.path(), false, "b", "--output=x"}),
                HasSubstr("no commit '--output=x'"));
}

TEST(Workspace, RefusesSubmodules) {
    const Repository inner;
    inner.write("f", "1");
    inner.commit();
    const Repository outer;
    outer.git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add",
               inner.path().native(), "sub"});
    EXPECT_THAT(refusal({outer.path()}), HasSubstr("submodule (sub)"));
}

} // namespace
} // namespace banger::cli
