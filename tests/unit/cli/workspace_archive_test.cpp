#include "base/error.hpp"
#include "cli/workspace_archive.hpp"
#include "tests/unit/cli/repository.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <csignal>
#include <thread>

namespace banger::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

/// Packs the workspace and unpacks it with GNU tar, as a guest of another make would.
class Guest {
public:
    explicit Guest(const WorkspaceOptions &options) {
        const Workspace workspace(options);
        const WorkspaceArchive archive(workspace);
        FdPair pipe = make_pipe();
        Command command;
        command.argv = {"tar", "--warning=no-unknown-keyword", "--extract", "--directory",
                        path().native()};
        command.standard_input = pipe.first.get();
        ChildProcess tar = spawn(command);
        pipe.first.reset();
        const UniqueFd stop{::eventfd(0, EFD_CLOEXEC)};
        std::atomic<std::uint64_t> written = 0;
        archive.write(pipe.second.get(), stop.get(), written);
        pipe.second.reset();
        EXPECT_EQ(tar.wait(), 0);
        EXPECT_GT(written, 0U);
    }

    const std::filesystem::path &path() const { return temporary_.path(); }
    std::string git(std::vector<std::string> arguments) const {
        return Repository::git_in(path(), std::move(arguments));
    }
    std::string read(const std::string &name) const { return read_file(path() / name); }

private:
    TemporaryDirectory temporary_;
};

std::string status_of(const Repository &repository) {
    return repository.git({"status", "--porcelain", "--untracked-files=no"});
}

TEST(WorkspaceArchive, GitStatusInTheGuestSaysWhatItSaysHere) {
    const Repository repository;
    for (const char *name : {"clean", "edited", "deleted", "removed", "dir/mode", "a\nb", "\xff"}) {
        repository.write(name, "first\n");
    }
    std::filesystem::create_symlink("clean", repository.path() / "link");
    repository.commit();
    repository.write("edited", "second\n");
    std::filesystem::remove(repository.path() / "deleted");
    repository.git({"rm", "--quiet", "removed"});
    repository.write("added", "staged\n");
    repository.git({"add", "added"});
    repository.write("added", "and edited again\n");
    repository.write("secret", "untracked\n");
    std::filesystem::permissions(repository.path() / "dir/mode", std::filesystem::perms::owner_all);

    const Guest guest({repository.path()});
    EXPECT_EQ(guest.git({"status", "--porcelain"}), status_of(repository));
    EXPECT_EQ(guest.read("added"), "and edited again\n");
    EXPECT_EQ(guest.git({"show", ":added"}), "staged\n");
    EXPECT_EQ(guest.read("a\nb"), "first\n");
    EXPECT_TRUE(std::filesystem::is_symlink(guest.path() / "link"));
    EXPECT_FALSE(std::filesystem::exists(guest.path() / "secret"));
    struct stat status {};
    ASSERT_EQ(::stat((guest.path() / "dir/mode").c_str(), &status), 0);
    EXPECT_NE(status.st_mode & 0100U, 0U);
    guest.git({"fsck", "--full", "--strict"});
}

TEST(WorkspaceArchive, TheHistoryAndItsTagsComeAlong) {
    const Repository repository;
    repository.write("f", "1");
    repository.commit("one");
    repository.git({"tag", "--annotate", "--message=first", "v1"});
    repository.write("f", "2");
    repository.commit("two");
    const Guest guest({repository.path()});
    EXPECT_EQ(guest.git({"log", "--format=%s"}), "two\none\n");
    EXPECT_EQ(guest.git({"describe"}), repository.git({"describe"}));
    EXPECT_EQ(guest.git({"branch", "--show-current"}), "main\n");
}

TEST(WorkspaceArchive, UntrackedFilesAreUntrackedThereToo) {
    const Repository repository;
    repository.write("f", "1");
    repository.commit();
    repository.write("note", "1");
    const Guest guest({repository.path(), true});
    EXPECT_EQ(guest.git({"status", "--porcelain"}), "?? note\n");
}

TEST(WorkspaceArchive, ARepositoryWithoutACommitWorks) {
    const Repository repository;
    repository.write("f", "1");
    repository.git({"add", "f"});
    const Guest guest({repository.path()});
    EXPECT_EQ(guest.git({"status", "--porcelain"}), "A  f\n");
}

TEST(WorkspaceArchive, AConflictStaysAConflict) {
    const Repository repository;
    repository.diverge("f");
    EXPECT_THROW(repository.git({"merge", "other"}), Error);
    const Guest guest({repository.path()});
    EXPECT_EQ(guest.git({"status", "--porcelain"}), "UU f\n");
    EXPECT_EQ(guest.git({"rev-parse", "MERGE_HEAD"}), repository.git({"rev-parse", "MERGE_HEAD"}));
}

TEST(WorkspaceArchive, WorktreesAlternatesAndDetachedHeadsAreWholeInTheGuest) {
    const Repository repository;
    repository.write("f", "1");
    repository.commit();
    const auto clone = repository.beside("clone");
    repository.git({"clone", "--quiet", "--shared", ".", clone.native()});
    const auto linked = repository.beside("linked");
    Repository::git_in(clone, {"worktree", "add", "--quiet", "--detach", linked.native()});
    write_file_atomically(linked / "f", "2");

    const Guest guest({linked});
    EXPECT_EQ(guest.git({"status", "--porcelain"}), " M f\n");
    EXPECT_EQ(guest.git({"branch", "--show-current"}), "");
    guest.git({"fsck", "--full"});
}

TEST(WorkspaceArchive, ASplitIndexAndAShallowCloneAreWholeInTheGuest) {
    const Repository repository;
    repository.write("f", "1");
    repository.commit("one");
    repository.write("f", "2");
    repository.commit("two");
    const auto clone = repository.beside("clone");
    repository.git(
        {"clone", "--quiet", "--depth=1", "file://" + repository.path().native(), clone.native()});
    Repository::git_in(clone, {"config", "core.splitIndex", "true"});
    Repository::git_in(clone, {"update-index", "--split-index"});
    write_file_atomically(clone / "f", "3");
    const Guest guest({clone});
    EXPECT_EQ(guest.git({"status", "--porcelain"}), " M f\n");
    EXPECT_EQ(guest.git({"log", "--format=%s"}), "two\n");
    guest.git({"fsck", "--full"});
}

TEST(WorkspaceArchive, NoSecretOfTheConfigurationAndNoHookComesAlong) {
    const Repository repository;
    repository.write("f", "1");
    repository.commit();
    repository.git({"remote", "add", "origin", "https://user:hunter2@example.org/x.git"});
    repository.git({"config", "http.https://example.org/.extraheader", "AUTHORIZATION: hunter2"});
    repository.git({"config", "credential.helper", "store --file=hunter2"});
    repository.git({"config", "core.sshCommand", "ssh -i hunter2"});
    repository.write(".git/hooks/post-checkout", "#!/bin/sh\necho hunter2\n");
    const Guest guest({repository.path()});
    const std::string config = guest.read(".git/config");
    EXPECT_THAT(config, Not(HasSubstr("hunter2")));
    EXPECT_THAT(config, HasSubstr("https://example.org/x.git"));
    EXPECT_FALSE(std::filesystem::exists(guest.path() / ".git/hooks"));
}

TEST(WorkspaceArchive, ANewBranchCarriesTheEditsAlong) {
    const Repository repository;
    repository.write("f", "1");
    repository.commit();
    repository.write("f", "2");
    const Guest guest({repository.path(), false, "topic"});
    EXPECT_EQ(guest.git({"branch", "--show-current"}), "topic\n");
    EXPECT_EQ(guest.git({"status", "--porcelain"}), " M f\n");
}

TEST(WorkspaceArchive, ANewBranchFromACommitIsClean) {
    const Repository repository;
    repository.write("f", "1");
    repository.commit();
    repository.write("f", "2");
    repository.commit();
    repository.write("f", "3");
    const Guest guest({repository.path(), false, "topic", "HEAD^"});
    EXPECT_EQ(guest.git({"branch", "--show-current"}), "topic\n");
    EXPECT_EQ(guest.git({"status", "--porcelain"}), "");
    EXPECT_EQ(guest.read("f"), "1");
}

TEST(WorkspaceArchive, AReceiverThatEndsIsAnErrorAndNoSignal) {
    ::signal(SIGPIPE, SIG_IGN);
    const Repository repository;
    repository.write("f", std::string(1U << 20U, 'x'));
    repository.commit();
    const Workspace workspace({repository.path()});
    const WorkspaceArchive archive(workspace);
    FdPair pipe = make_pipe();
    pipe.first.reset();
    const UniqueFd stop{::eventfd(0, EFD_CLOEXEC)};
    std::atomic<std::uint64_t> written = 0;
    EXPECT_THROW(archive.write(pipe.second.get(), stop.get(), written), Error);
}

TEST(WorkspaceArchive, AStalledReceiverDoesNotKeepItFromStopping) {
    const Repository repository;
    repository.write("f", std::string(1U << 20U, 'x'));
    repository.commit();
    const Workspace workspace({repository.path()});
    const WorkspaceArchive archive(workspace);
    const FdPair pipe = make_pipe();
    set_nonblocking(pipe.second.get());
    const UniqueFd stop{::eventfd(1, EFD_CLOEXEC)};
    std::atomic<std::uint64_t> written = 0;
    EXPECT_THROW(archive.write(pipe.second.get(), stop.get(), written), Error);
}

} // namespace
} // namespace banger::cli
