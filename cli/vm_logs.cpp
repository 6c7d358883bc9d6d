#include "cli/verbs.hpp"
#include "cli/vm_info.hpp"

#include <unistd.h>

#include <cerrno>

namespace banger::cli {
namespace {

struct Flags {
    std::string name;
    bool follow = false;
    std::string lines;
    bool json = false;
};

std::vector<std::string> journal_command(const Flags &flags, const std::string &unit) {
    // --user-unit instead of --user: the latter reads per-user journals alone, which a host without
    // a persistent journal has not.
    std::vector<std::string> argv{"journalctl", "--quiet", "--user-unit=" + unit,
                                  fmt::format("_UID={}", ::getuid())};
    if (flags.follow) {
        argv.emplace_back("--follow");
    }
    if (!flags.lines.empty()) {
        argv.push_back("--lines=" + flags.lines);
    }
    if (flags.json) {
        argv.emplace_back("--output=json");
    }
    return argv;
}

[[noreturn]] void become(const std::vector<std::string> &argv) {
    std::vector<char *> words;
    words.reserve(argv.size() + 1);
    for (const std::string &word : argv) {
        words.push_back(const_cast<char *>(word.c_str()));
    }
    words.push_back(nullptr);
    ::execvp(words.front(), words.data());
    throw_errno(fmt::format("start {}", argv.front()));
}

} // namespace

void add_vm_logs(CLI::App &vm, Context &context) {
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = vm.add_subcommand(
        "logs", "Show a VM's console and what its supervisor said, from the journal");
    verb->add_option("VM", flags->name, "Its name")->type_name(kind::vm)->required();
    verb->add_flag("-f,--follow", flags->follow, "Go on with what is new");
    verb->add_option("-n,--lines", flags->lines, "The last N lines, or \"all\"")->type_name("N");
    verb->add_flag("--json", flags->json, "Print journal entries as JSON");
    verb->callback([flags, &context] {
        context.action = [flags]() -> int {
            std::string unit;
            {
                // Gone before journalctl takes over, with the signals it blocks.
                Client client;
                unit = find_vm(client, flags->name).unit;
            }
            become(journal_command(*flags, unit));
        };
    });
}

} // namespace banger::cli
