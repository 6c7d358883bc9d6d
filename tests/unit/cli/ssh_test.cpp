#include "base/process.hpp"
#include "cli/ssh.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace banger::cli {
namespace {

VmInfo sandbox() {
    VmInfo vm;
    vm.name = "sandbox";
    vm.host_name = "sandbox.vm";
    return vm;
}

const SshFiles files{"/home/a b/key", "/home/a b/known_hosts", "/opt/my tools/100%/banger"};

/// What ssh itself makes of the command line.
std::string resolved(std::vector<std::string> argv, const std::string &key) {
    argv.insert(argv.begin() + 1, "-G");
    Command command;
    command.argv = argv;
    const std::string output = run_and_read(command);
    const std::size_t at = ("\n" + output).find("\n" + key + " ");
    return at == std::string::npos
               ? ""
               : output.substr(at + key.size() + 1, output.find('\n', at) - at - key.size() - 1);
}

TEST(SshCommand, TakesOnlyOurKeyAndThePinnedHostKey) {
    const auto argv = ssh_command(files, sandbox(), "", true);
    EXPECT_EQ(resolved(argv, "identityfile"), "/home/a b/key");
    EXPECT_EQ(resolved(argv, "userknownhostsfile"), "/home/a b/known_hosts");
    EXPECT_EQ(resolved(argv, "stricthostkeychecking"), "true");
    EXPECT_EQ(resolved(argv, "hostkeyalias"), "sandbox.vm");
    EXPECT_EQ(resolved(argv, "user"), "root");
    EXPECT_EQ(resolved(argv, "requesttty"), "true");
}

TEST(SshCommand, ReachesTheGuestThroughItsChannel) {
    const auto argv = ssh_command(files, sandbox(), "", false);
    EXPECT_EQ(resolved(argv, "proxycommand"),
              "'/opt/my tools/100%%/banger' stream --pass-descriptor sandbox 22");
    EXPECT_EQ(resolved(argv, "proxyusefdpass"), "yes");
}

TEST(SshCommand, RemoteWordsSurviveTheGuestsShell) {
    Command command;
    command.argv = {"sh", "-c", quote_words({"printf", "%s|", "a b", "$HOME", "it's", ""})};
    EXPECT_EQ(run_and_read(command), "a b|$HOME|it's||");
}

TEST(SshCommand, AShellStartsInADirectoryOfAnyName) {
    Command command;
    command.argv = {"sh", "-c", shell_in("/no such 'dir'") + " || true"};
    EXPECT_EQ(run_and_read(command), "");
}

} // namespace
} // namespace banger::cli
