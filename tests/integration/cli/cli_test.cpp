#include "base/error.hpp"
#include "base/files.hpp"
#include "base/process.hpp"
#include "cli/temporary_directory.hpp"
#include "tests/integration/cli/fake_manager.hpp"
#include "tests/unit/cli/repository.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <optional>

namespace banger::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

struct Outcome {
    int status; ///< as a shell has it
    std::string output;
    std::string error;
};

/// The program itself, on a session bus of its own with a fake bangerd.
class Cli : public testing::Test {
protected:
    Cli() {
        FdPair address = make_pipe();
        Command daemon;
        // No service files: nothing can be activated on this bus.
        const auto configuration = scratch_.path() / "bus.conf";
        write_file_atomically(configuration, fmt::format(R"(<busconfig><type>session</type>
<listen>unix:dir={}</listen>
<policy context="default">
  <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
</policy></busconfig>)",
                                                         scratch_.path().native()));
        daemon.argv = {"dbus-daemon", "--nofork", "--config-file=" + configuration.native(),
                       "--print-address=5"};
        daemon.descriptors = {{address.second.get(), 5}};
        bus_ = spawn(daemon);
        address.second.reset();
        char buffer[256];
        const ssize_t n = ::read(address.first.get(), buffer, sizeof buffer);
        address_.assign(buffer, n > 0 ? static_cast<std::size_t>(n) - 1 : 0);
        behaviour_.guest = scratch_.path() / "guest";
        std::filesystem::create_directory(behaviour_.guest);
    }

    void start_manager() { manager_.emplace(address_, behaviour_); }
    void stop_manager() { manager_.reset(); }

    struct Running {
        ChildProcess child;
        std::filesystem::path output;
        std::filesystem::path error;

        Outcome finish() {
            const int status = child.wait();
            return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
                    read_file(output), read_file(error)};
        }
    };

    Running begin(std::vector<std::string> arguments, const std::string &input = "") {
        const auto in = scratch_.path() / "stdin";
        const auto out = scratch_.path() / "stdout";
        const auto err = scratch_.path() / "stderr";
        write_file_atomically(in, input);
        const UniqueFd in_fd = open_file(in, O_RDONLY);
        const UniqueFd out_fd = open_file(out, O_WRONLY | O_CREAT | O_TRUNC);
        const UniqueFd err_fd = open_file(err, O_WRONLY | O_CREAT | O_TRUNC);
        Command command;
        command.argv = {BANGER_PROGRAM};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        command.environment = {"DBUS_SESSION_BUS_ADDRESS=" + address_,
                               "HOME=" + scratch_.path().native(),
                               "XDG_RUNTIME_DIR=" + scratch_.path().native(),
                               "XDG_CONFIG_HOME=",
                               "XDG_STATE_HOME=",
                               "XDG_CACHE_HOME="};
        command.standard_input = in_fd.get();
        command.standard_output = out_fd.get();
        command.standard_error = err_fd.get();
        return {spawn(command), out, err};
    }
    Outcome run(std::vector<std::string> arguments, const std::string &input = "") {
        return begin(std::move(arguments), input).finish();
    }
    std::vector<std::string> names() {
        std::vector<std::string> found;
        for (const auto &vm : nlohmann::json::parse(run({"vm", "list", "-a", "--json"}).output)) {
            found.push_back(vm["name"]);
        }
        return found;
    }

    TemporaryDirectory scratch_;
    ChildProcess bus_;
    std::string address_;
    FakeBehaviour behaviour_;
    std::optional<FakeManager> manager_;
};

TEST_F(Cli, ACommandsExitStatusAndWordsComeThrough) {
    start_manager();
    const Outcome outcome =
        run({"vm", "run", "--name", "sandbox", "--", "sh", "-c", "echo \"$IN_GUEST\"; exit 42"});
    EXPECT_EQ(outcome.status, 42) << outcome.error;
    EXPECT_EQ(outcome.output, "yes\n");
    EXPECT_THAT(outcome.error, HasSubstr("spec: "));
    EXPECT_THAT(outcome.error, HasSubstr("image debian-bookworm"));
    EXPECT_THAT(names(), testing::ElementsAre("sandbox"));
}

TEST_F(Cli, ASignalThatKillsTheCommandIs128AndItsNumber) {
    start_manager();
    EXPECT_EQ(run({"vm", "run", "--", "sh", "-c", "kill -KILL $$"}).status, 137);
}

TEST_F(Cli, StandardInputReachesTheCommandWhole) {
    start_manager();
    const std::string input(3U << 20U, 'x');
    const Outcome outcome = run({"vm", "run", "--", "cat"}, input);
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_TRUE(outcome.output == input);
}

TEST_F(Cli, OutputAndErrorsStaySeparate) {
    start_manager();
    const Outcome outcome = run({"vm", "run", "--", "sh", "-c", "echo out; echo err >&2"});
    EXPECT_EQ(outcome.output, "out\n");
    EXPECT_THAT(outcome.error, HasSubstr("err\n"));
}

TEST_F(Cli, WithRmTheVmIsGoneWhateverTheStatus) {
    start_manager();
    const Outcome outcome = run({"vm", "run", "--rm", "--", "sh", "-c", "exit 3"});
    EXPECT_EQ(outcome.status, 3);
    EXPECT_THAT(outcome.error, Not(HasSubstr("still runs")));
    EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(Cli, WithRmTheVmIsGoneAfterSigterm) {
    start_manager();
    Running running = begin({"vm", "run", "--rm", "--", "sh", "-c", "echo ready; exec sleep 60"});
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (read_file(running.output).empty() && std::chrono::steady_clock::now() < deadline) {
        ::usleep(20'000);
    }
    running.child.kill(SIGTERM);
    EXPECT_EQ(running.finish().status, 128 + SIGTERM);
    EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(Cli, WithRmAVmThatIsNotReadyInTimeIsKept) {
    behaviour_.boots = false;
    start_manager();
    const Outcome outcome =
        run({"vm", "run", "--rm", "--name", "slow", "--ready-timeout", "1s", "--", "true"});
    EXPECT_EQ(outcome.status, 125);
    EXPECT_THAT(outcome.error, HasSubstr("'slow' was not ready"));
    EXPECT_THAT(outcome.error, HasSubstr("slow.service"));
    EXPECT_THAT(outcome.error, HasSubstr("banger vm logs slow"));
    EXPECT_THAT(outcome.error, HasSubstr("banger vm delete slow"));
    EXPECT_THAT(names(), testing::ElementsAre("slow"));
}

TEST_F(Cli, AStartThatFailsTellsTheJobsErrorAndKeepsTheVm) {
    behaviour_.refuses_start = true;
    start_manager();
    const Outcome outcome = run({"vm", "run", "--name", "sandbox", "--", "true"});
    EXPECT_EQ(outcome.status, 125);
    EXPECT_THAT(outcome.error, HasSubstr("banger: the VMM did not start"));
    EXPECT_THAT(outcome.error, HasSubstr("banger vm logs sandbox"));
}

TEST_F(Cli, WhereNoVmmCanRunNothingIsBuiltOrMade) {
    behaviour_.has_vmm = false;
    behaviour_.images.clear();
    start_manager();
    const Outcome outcome = run({"vm", "run", "--", "true"});
    EXPECT_EQ(outcome.status, 125);
    EXPECT_EQ(outcome.error, "banger: this user may not open /dev/kvm\n");
    EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(Cli, ADaemonThatDiesIsAnErrorAndNoEndlessWait) {
    behaviour_.dies_in_start = true;
    start_manager();
    const Outcome outcome = run({"vm", "run", "--name", "sandbox", "--", "true"});
    EXPECT_EQ(outcome.status, 125);
    EXPECT_THAT(outcome.error, HasSubstr("bangerd ended"));
}

TEST_F(Cli, WhatIsMissingIsPulledVisiblyFirst) {
    behaviour_.images.clear();
    behaviour_.kernels.clear();
    start_manager();
    const Outcome outcome = run({"vm", "create", "--name", "sandbox"});
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_EQ(outcome.output, "sandbox\n");
    EXPECT_LT(outcome.error.find("image debian-bookworm: "), outcome.error.find("kernel: "));
    EXPECT_LT(outcome.error.find("kernel: "), outcome.error.find("spec: "));
}

TEST_F(Cli, AKernelIsImportedByAbsolutePathsAndWhatItLacksIsSaid) {
    behaviour_.missing = {"br_netfilter", "veth"};
    start_manager();
    const Outcome outcome = run({"kernel", "import", "mine", "--from", "linux", "--modules",
                                 "/lib/modules", "--initrd", "../initrd", "--distro", "fedora"});
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_EQ(outcome.output, "mine\n");
    EXPECT_THAT(outcome.error, HasSubstr("warning: the kernel mine lacks br_netfilter, veth"));
    const auto here = std::filesystem::current_path();
    EXPECT_THAT(run({"kernel", "show", "mine"}).output,
                HasSubstr(fmt::format("Source: {} modules=/lib/modules initrd={} distro=fedora",
                                      (here / "linux").native(), (here / "../initrd").native())));
}

TEST_F(Cli, AnImportUnderATakenNameIsRefusedWithoutForce) {
    start_manager();
    run({"kernel", "import", "mine", "--from", "/a"});
    const Outcome outcome = run({"kernel", "import", "mine", "--from", "/b"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.error, "banger: there is a kernel 'mine' already\n");
    EXPECT_EQ(run({"kernel", "import", "mine", "--from", "/b", "--force"}).status, 0);
    EXPECT_EQ(run({"kernel", "import", "../mine", "--from", "/b"}).status, 1);
    EXPECT_EQ(run({"kernel", "import", "mine"}).status, 2);
}

TEST_F(Cli, AKernelIsShownWithWhatItHasAndWhoNeedsIt) {
    start_manager();
    const Outcome outcome = run({"kernel", "show", "debian"});
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_THAT(outcome.output, HasSubstr("     Version: 6.1.0\n"));
    EXPECT_THAT(outcome.output, HasSubstr("     Missing: nothing\n"));
    EXPECT_THAT(outcome.output, HasSubstr("     Used by: vm/sandbox\n"));
    const auto json = nlohmann::json::parse(run({"kernel", "show", "debian", "--json"}).output);
    EXPECT_EQ(json["package_version"], "6.1.1-2");
    EXPECT_EQ(json["has_modules"], true);
    EXPECT_EQ(json["used_by"], nlohmann::json::array({"vm/sandbox"}));
    EXPECT_EQ(nlohmann::json::parse(run({"kernel", "list", "--json"}).output)[0], json);
    const Outcome unknown = run({"kernel", "show", "nope"});
    EXPECT_EQ(unknown.status, 1);
    EXPECT_EQ(unknown.error, "banger: there is no kernel 'nope'\n");
}

TEST_F(Cli, KernelsOfTheArchiveAreListedAfterItWasAsked) {
    start_manager();
    const Outcome outcome = run({"kernel", "list", "--available"});
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_THAT(outcome.output,
                testing::MatchesRegex("NAME +PACKAGE +ORIGIN +HERE\n"
                                      "debian-trixie +newest +trixie\n"
                                      "debian-6.1.0-56-cloud-amd64 +6.1.192-2 +bookworm +yes\n"));
    EXPECT_EQ(run({"kernel", "list", "--available", "-q"}).output,
              "debian-trixie\ndebian-6.1.0-56-cloud-amd64\n");
    EXPECT_EQ(run({"__complete", "--", "kernel", "pull", "debian-6"}).output,
              "debian-6.1.0-56-cloud-amd64\n");
}

TEST_F(Cli, OneKernelThatCannotBeDeletedStopsNoOther) {
    behaviour_.kernels = {"a", "b"};
    start_manager();
    const Outcome outcome = run({"kernel", "rm", "a", "nope", "b"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.output, "a: deleted\nb: deleted\n");
    EXPECT_THAT(outcome.error, HasSubstr("there is no kernel 'nope'"));
    EXPECT_EQ(run({"kernel", "list", "-q"}).output, "");
}

TEST_F(Cli, AnImageThatDoesNotExistLeavesNothing) {
    start_manager();
    const Outcome outcome = run({"vm", "run", "--image", "nope", "--", "true"});
    EXPECT_EQ(outcome.status, 125);
    EXPECT_THAT(outcome.error, HasSubstr("there is no image 'nope'"));
    EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(Cli, AnImageIsShownWithWhatItTakesAndWhoUsesIt) {
    start_manager();
    const Outcome shown = run({"image", "show", "debian-bookworm"});
    EXPECT_EQ(shown.status, 0) << shown.error;
    EXPECT_THAT(shown.output, HasSubstr("1 GiB: 0 B of its own, 1 GiB shared"));
    EXPECT_THAT(shown.output, HasSubstr("Used by: sandbox"));
    EXPECT_THAT(shown.output, HasSubstr("Packages: systemd jq"));
    EXPECT_THAT(shown.output, HasSubstr("docker-ce is left out: no network"));
    const auto json =
        nlohmann::json::parse(run({"image", "show", "--json", "debian-bookworm"}).output);
    EXPECT_EQ(json.at("used_by"), nlohmann::json({"sandbox"}));
    EXPECT_EQ(json.at("shared_bytes"), 1U << 30U);

    const Outcome unknown = run({"image", "show", "nope"});
    EXPECT_EQ(unknown.status, 1);
    EXPECT_THAT(unknown.error, HasSubstr("there is no image 'nope'"));
}

TEST_F(Cli, AFileIsRegisteredByItsFullPath) {
    start_manager();
    const Outcome outcome = run({"image", "register", "--name", "mine", "--rootfs", "root.ext4"});
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_EQ(outcome.output, "mine\n");
    EXPECT_EQ(run({"image", "promote", "mine"}).status, 0);
    EXPECT_EQ(run({"image", "register", "--name", "../x", "--rootfs", "root.ext4"}).status, 1);
    EXPECT_EQ(run({"image", "register", "--name", "x", "--rootfs", "r", "--initrd", "i"}).status, 2)
        << "an initrd without a kernel";
}

TEST_F(Cli, TheImageCacheIsListedAndPruned) {
    start_manager();
    EXPECT_THAT(run({"image", "cache", "list"}).output,
                AllOf(HasSubstr("sha256:bbbbbbbbbbbb"), HasSubstr("2 MiB"), HasSubstr("partial")));
    const Outcome outcome = run({"image", "cache", "prune", "--unused-for", "7d"});
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_EQ(outcome.output, "0 B freed\n");
    EXPECT_EQ(run({"image", "cache", "prune", "--unused-for", "soon"}).status, 1);
}

TEST_F(Cli, ATakenNameIsRefused) {
    start_manager();
    run({"vm", "create", "--name", "sandbox"});
    const Outcome outcome = run({"vm", "run", "--name", "sandbox"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.error, HasSubstr("there is a VM 'sandbox' already"));
}

TEST_F(Cli, TheRepositoryIsInTheGuestAndTheCommandRunsThere) {
    const Repository repository;
    repository.write("edited", "old\n");
    repository.write("a\nb", "1");
    repository.commit();
    repository.write("edited", "new\n");
    repository.write("secret", "untracked");
    start_manager();
    const Outcome outcome =
        run({"vm", "run", repository.path().native(), "--", "sh", "-c",
             "git status --porcelain; cat edited; ls secret; pwd | grep -o '[^/]*$'"});
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_EQ(outcome.output, " M edited\nnew\nrepo\n");
    EXPECT_THAT(outcome.error, HasSubstr("1 untracked file stays here"));
}

TEST_F(Cli, ADryRunNeedsNoDaemonAndNoBus) {
    const Repository repository;
    repository.write("f", "1");
    repository.commit();
    address_ = "unix:path=/nonexistent";
    const Outcome outcome = run({"vm", "run", repository.path().native(), "--dry-run"});
    EXPECT_EQ(outcome.status, 0) << outcome.error;
    EXPECT_EQ(outcome.output, "f\n");
}

TEST_F(Cli, SeveralVmsAreStoppedWithALineEachInTheOrderGiven) {
    start_manager();
    for (const char *name : {"alpha", "beta", "gamma"}) {
        run({"vm", "create", "--name", name});
    }
    EXPECT_EQ(run({"vm", "start", "gam", "alpha", "alpha"}).output,
              "gamma: started\nalpha: started\n");
    const Outcome outcome = run({"vm", "stop", "alpha", "beta", "nope", "gamma"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_EQ(outcome.output, "alpha: stopped\ngamma: stopped\n");
    EXPECT_THAT(outcome.error, HasSubstr("'beta' does not run"));
    EXPECT_THAT(outcome.error, HasSubstr("there is no VM 'nope'"));
    EXPECT_EQ(run({"vm", "delete", "alpha", "beta", "gamma"}).status, 0);
    EXPECT_THAT(names(), testing::IsEmpty());
}

TEST_F(Cli, ListHidesWhatDoesNotRunUnlessAsked) {
    start_manager();
    run({"vm", "create", "--name", "off"});
    run({"vm", "run", "--name", "on", "--vcpu", "2", "--", "true"});
    EXPECT_EQ(run({"vm", "list", "-q"}).output, "on\n");
    EXPECT_EQ(run({"ps", "-aq"}).output, "off\non\n");
    EXPECT_THAT(run({"vm", "ls"}).output,
                testing::MatchesRegex("NAME +STATE +IMAGE +IP +VCPU +MEM +DISK +WORKSPACE +CREATED"
                                      "\non +running +debian-bookworm +172.16.0.2 +2 .*\n"));
}

TEST_F(Cli, ListAnswersWithinThirtyMilliseconds) {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
    GTEST_SKIP() << "a sanitizer's time is not banger's";
#endif
    start_manager();
    run({"vm", "create", "--name", "sandbox"});
    auto best = std::chrono::steady_clock::duration::max();
    for (int i = 0; i < 10; ++i) {
        const auto began = std::chrono::steady_clock::now();
        run({"vm", "list"});
        best = std::min(best, std::chrono::steady_clock::now() - began);
    }
    EXPECT_LE(std::chrono::duration_cast<std::chrono::milliseconds>(best).count(), 30);
}

TEST_F(Cli, ExecPassesEnvironmentAndStatus) {
    start_manager();
    run({"vm", "run", "--name", "sandbox", "--", "true"});
    const Outcome outcome =
        run({"vm", "exec", "-e", "A=b c", "sandbox", "--", "sh", "-c", "echo $A; exit 7"});
    EXPECT_EQ(outcome.status, 7) << outcome.error;
    EXPECT_EQ(outcome.output, "b c\n");
    EXPECT_EQ(run({"vm", "exec", "sandbox", "sh", "-c", "exit 9"}).status, 9);
    EXPECT_EQ(run({"vm", "exec", "sandbox", "--", "no-such-program"}).status, 125);
    EXPECT_EQ(run({"vm", "exec", "nope", "--", "true"}).status, 125);
}

TEST_F(Cli, AProcessThatTheCommandLeftBehindDoesNotHoldUs) {
    start_manager();
    const auto began = std::chrono::steady_clock::now();
    const Outcome outcome = run({"vm", "run", "--", "sh", "-c", "setsid sleep 30 & echo started"});
    EXPECT_EQ(outcome.status, 0);
    EXPECT_EQ(outcome.output, "started\n");
    EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(20));
}

TEST_F(Cli, CompletionAndDaemonStatusStartNothing) {
    EXPECT_EQ(run({"__complete", "--", "vm", "stop", ""}).output, "");
    start_manager();
    run({"vm", "create", "--name", "sandbox"});
    EXPECT_EQ(run({"__complete", "--", "vm", "stop", ""}).output, "sandbox\n");
}

TEST_F(Cli, DoctorFailsOnWhatBangerdReports) {
    start_manager();
    const Outcome outcome = run({"doctor", "--json"});
    EXPECT_EQ(outcome.status, 1);
    const auto rows = nlohmann::json::parse(outcome.output);
    bool seen = false;
    for (const auto &row : rows) {
        if (row["name"] == "state store") {
            seen = true;
            EXPECT_EQ(row["verdict"], "fail");
            EXPECT_EQ(row["remedy"], "mend it");
        }
    }
    EXPECT_TRUE(seen);
}

TEST_F(Cli, WhatIsAvailableIsListedAlsoWhereACatalogIsOutOfReach) {
    behaviour_.images = {"debian-bookworm"};
    start_manager();
    const Outcome result = run({"image", "list", "--available", "--json"});
    EXPECT_EQ(result.status, 0);
    EXPECT_THAT(result.error, HasSubstr("out of reach"));
    EXPECT_THAT(result.error, HasSubstr("/etc/banger/catalog.d/x.json is no JSON"));
    const auto rows = nlohmann::json::parse(result.output);
    ASSERT_EQ(rows.size(), 2U);
    EXPECT_EQ(rows[0]["here"], true);
    EXPECT_EQ(rows[1]["name"], "tools");
    EXPECT_EQ(rows[1]["origin"], "https://example.org/catalog.json");
    EXPECT_EQ(rows[1]["here"], false);

    EXPECT_THAT(run({"image", "list", "--available", "--offline"}).error,
                Not(HasSubstr("out of reach")));
    EXPECT_NE(run({"image", "list", "--offline"}).status, 0) << "there is nothing to ask for";
}

TEST_F(Cli, ABundleComesWithItsEntryOfACatalog) {
    behaviour_.images = {"tools"};
    start_manager();
    const auto file = scratch_.path() / "tools.tar.zst";
    const Outcome result = run({"image", "bundle", "tools", "-o", file.native()});
    ASSERT_EQ(result.status, 0) << result.error;
    const auto entry = nlohmann::json::parse(result.output);
    EXPECT_EQ(entry["name"], "tools");
    EXPECT_EQ(entry["kernel"], "debian");
    EXPECT_EQ(entry["bundle"]["url"], "tools.tar.zst");
    EXPECT_EQ(entry["bundle"]["size"], 8);
    EXPECT_EQ(entry["bundle"]["sha256"],
              "cd98c950d629c66548537b4ecd68dab3e8cf59974ba6e40df5a1a7354b39db5f");
}

TEST_F(Cli, WithoutBangerdTheErrorSaysSo) {
    const Outcome outcome = run({"vm", "list"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.error, HasSubstr("cannot start bangerd"));
}

TEST_F(Cli, WithoutABusTheErrorSaysSo) {
    address_ = "unix:path=/nonexistent";
    const Outcome outcome = run({"vm", "list"});
    EXPECT_EQ(outcome.status, 1);
    EXPECT_THAT(outcome.error, HasSubstr("there is no session bus"));
}

TEST_F(Cli, AStreamCarriesBytesToAPort) {
    start_manager();
    run({"vm", "create", "--name", "sandbox"});
    EXPECT_EQ(run({"stream", "sandbox", "22"}).output, "port 22\n");
}

TEST_F(Cli, SshConfigLeavesTheUsersFileAsItWas) {
    const auto config = scratch_.path() / ".ssh" / "config";
    std::filesystem::create_directory(config.parent_path());
    write_file_atomically(config, "Host *\n    User me\n", 0644);
    EXPECT_EQ(run({"ssh-config", "--install"}).status, 0);
    EXPECT_THAT(read_file(config), HasSubstr("Include \""));
    EXPECT_EQ(run({"ssh-config", "--uninstall"}).status, 0);
    EXPECT_EQ(read_file(config), "Host *\n    User me\n");
}

} // namespace
} // namespace banger::cli
