#include "base/files.hpp"
#include "base/paths.hpp"
#include "cli/ssh_config_file.hpp"
#include "cli/verbs.hpp"

#include <nlohmann/json.hpp>
#include <sys/stat.h>

namespace banger::cli {
namespace {

namespace fs = std::filesystem;

struct Flags {
    bool install = false;
    bool uninstall = false;
    bool json = false;
};

fs::path user_config() {
    const fs::path path = home_directory() / ".ssh" / "config";
    std::error_code error;
    // A link into somebody's dotfiles stays a link.
    const fs::path real = fs::canonical(path, error);
    return error ? path : real;
}

std::string read_if_there(const fs::path &path) {
    std::error_code error;
    return fs::exists(path, error) ? read_file(path) : std::string{};
}

void replace(const fs::path &path, const std::string &text) {
    struct stat status {};
    const bool there = ::stat(path.c_str(), &status) == 0;
    make_private_directories(path.parent_path());
    write_file_atomically(path, text, there ? status.st_mode & 0777U : 0600U);
}

int run(const Flags &flags) {
    const fs::path config = user_config();
    const fs::path included = Paths::for_this_user().config / "ssh_config";
    const std::string before = read_if_there(config);
    if (flags.install || flags.uninstall) {
        const std::string after =
            flags.install ? with_include(before, included) : without_include(before);
        if (after == before) {
            print_notice(fmt::format("{} is as it should be already", config.native()));
            return 0;
        }
        replace(config, after);
        print_notice(flags.install
                         ? fmt::format("`ssh NAME.vm` works now: {} includes {}", config.native(),
                                       included.native())
                         : fmt::format("{} is as it was without banger", config.native()));
        return 0;
    }
    if (flags.json) {
        fmt::print("{}\n", nlohmann::ordered_json{{"config", config.native()},
                                                  {"include", include_line(included)},
                                                  {"installed", has_include(before)}}
                               .dump(2));
    } else {
        fmt::print("{}\n", include_line(included));
        print_notice(has_include(before)
                         ? fmt::format("It is in {} already.", config.native())
                         : fmt::format("Put it at the top of {}, or run `banger ssh-config "
                                       "--install`.",
                                       config.native()));
    }
    return 0;
}

} // namespace

void add_ssh_config(CLI::App &root, Context &context) {
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb = root.add_subcommand(
        "ssh-config", "Make plain `ssh NAME.vm` work, or print the line that does");
    auto *install =
        verb->add_flag("--install", flags->install, "Include banger's file in ~/.ssh/config");
    verb->add_flag("--uninstall", flags->uninstall, "Take that out again")->excludes(install);
    verb->add_flag("--json", flags->json, "Print as JSON");
    verb->callback([flags, &context] { context.action = [flags] { return run(*flags); }; });
}

} // namespace banger::cli
