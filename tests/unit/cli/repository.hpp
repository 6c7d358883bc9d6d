#pragma once

#include "base/files.hpp"
#include "base/process.hpp"
#include "cli/temporary_directory.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace banger::cli {

/// A real git repository in a temporary directory.
class Repository {
public:
    Repository() : path_(temporary_.path() / "repo") {
        std::filesystem::create_directory(path_);
        git({"init", "--quiet", "--initial-branch=main"});
        git({"config", "user.name", "A Tester"});
        git({"config", "user.email", "tester@example.org"});
    }

    const std::filesystem::path &path() const { return path_; }
    std::filesystem::path beside(const std::string &name) const { return temporary_.path() / name; }

    void write(const std::string &name, const std::string &text) const {
        const auto file = path_ / name;
        std::filesystem::create_directories(file.parent_path());
        write_file_atomically(file, text, 0644);
    }
    std::string git(std::vector<std::string> arguments) const {
        return git_in(path_, std::move(arguments));
    }
    void commit(const std::string &message = "a commit") const {
        git({"add", "--all"});
        git({"commit", "--quiet", "--message", message});
    }
    /// Branches main and other, which is not checked out, each with its own text of `name`.
    void diverge(const std::string &name) const {
        write(name, "base\n");
        commit();
        git({"switch", "--quiet", "--create", "other"});
        write(name, "other\n");
        commit();
        git({"switch", "--quiet", "main"});
        write(name, "main\n");
        commit();
    }

    static std::string git_in(const std::filesystem::path &directory,
                              std::vector<std::string> arguments) {
        Command command;
        command.argv = {"git", "-C", directory.native()};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        command.environment = {"GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null"};
        return run_and_read(command);
    }

private:
    TemporaryDirectory temporary_;
    std::filesystem::path path_;
};

} // namespace banger::cli
