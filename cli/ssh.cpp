#include "cli/ssh.hpp"

#include "base/paths.hpp"
#include "base/process.hpp"
#include "cli/format.hpp"

#include <fmt/ranges.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace banger::cli {
namespace {

// ssh takes % in a ProxyCommand for itself.
std::string without_tokens(const std::string &text) {
    std::string escaped;
    for (const char c : text) {
        escaped += c == '%' ? "%%" : std::string(1, c);
    }
    return escaped;
}

std::string option(const char *name, const std::string &value) {
    return fmt::format("-o{}=\"{}\"", name, without_tokens(value));
}

} // namespace

SshFiles ssh_files(const config::Config &config) {
    const Paths paths = Paths::for_this_user();
    const auto &key = config.ssh_key_path.value;
    return {key.empty() ? paths.ssh() / "id_ed25519" : key, paths.ssh() / "known_hosts",
            std::filesystem::read_symlink("/proc/self/exe")};
}

bool has_ssh() {
    const char *path = std::getenv("PATH");
    std::string_view rest = path != nullptr ? path : "/usr/bin:/bin";
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find(':'), rest.size());
        const auto candidate = std::filesystem::path(rest.substr(0, end)) / "ssh";
        if (::access(candidate.c_str(), X_OK) == 0) {
            return true;
        }
        rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    return false;
}

std::vector<std::string> ssh_command(const SshFiles &files, const VmInfo &vm,
                                     const std::string &remote_command, bool terminal) {
    const std::string host = vm.host_name.empty() ? vm.name + ".vm" : vm.host_name;
    std::vector<std::string> argv{
        "ssh",
        "-F",
        "none",
        terminal ? "-t" : "-T",
        option("IdentityFile", files.key.native()),
        "-oIdentitiesOnly=yes",
        option("UserKnownHostsFile", files.known_hosts.native()),
        "-oGlobalKnownHostsFile=/dev/null",
        "-oStrictHostKeyChecking=yes",
        "-oUpdateHostKeys=no",
        // The connection does not leave this machine, and the guest may be an emulated one.
        "-oKexAlgorithms=^curve25519-sha256",
        "-oHostKeyAlias=" + host,
        "-oLogLevel=ERROR",
        // The connection itself is handed over: no process stands between ssh and the guest.
        "-oProxyUseFdpass=yes",
        fmt::format("-oProxyCommand={} stream --pass-descriptor {} 22",
                    without_tokens(quote_word(files.banger.native())), vm.name),
        "root@" + host,
    };
    if (!remote_command.empty()) {
        argv.insert(argv.end(), {"--", remote_command});
    }
    return argv;
}

std::string quote_words(const std::vector<std::string> &words) {
    std::vector<std::string> quoted;
    quoted.reserve(words.size());
    for (const std::string &word : words) {
        quoted.push_back(quote_word(word));
    }
    return fmt::format("{}", fmt::join(quoted, " "));
}

std::string shell_in(const std::string &directory) {
    return fmt::format("cd {} && exec \"${{SHELL:-/bin/sh}}\" -l", quote_word(directory));
}

int run_ssh(Client &client, const std::vector<std::string> &argv) {
    Command command;
    command.argv = argv;
    command.standard_input = STDIN_FILENO;
    // ssh reads the terminal, so it belongs to the terminal's foreground group: ours.
    command.own_process_group = false;
    ChildProcess ssh = spawn(command);
    block_signals({SIGCHLD});
    std::optional<int> status;
    ssh.on_exit(client.loop(), [&](int ended) { status = ended; });
    while (true) {
        try {
            client.wait_until([&] { return status.has_value(); });
            break;
        } catch (const Interrupted &interrupt) {
            client.clear_interrupt();
            // The terminal's Ctrl-C reaches ssh by itself.
            if (interrupt.signal_number != SIGINT) {
                ssh.kill(interrupt.signal_number);
            }
        }
    }
    return WIFSIGNALED(*status) ? exit_status::of_signal(WTERMSIG(*status)) : WEXITSTATUS(*status);
}

} // namespace banger::cli
