#include "agent/agent/environment.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <algorithm>

namespace banger::agent {
namespace {

bool is_name(std::string_view name) {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
               c == '_';
    });
}

/// The NAME=VALUE lines that pam_env(8) would take, quotes removed.
void add_from(Environment &environment, const std::filesystem::path &file) {
    std::string content;
    try {
        content = read_file(file);
    } catch (const Error &) {
        return;
    }
    std::string_view rest = content;
    while (!rest.empty()) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.starts_with("export ")) {
            line.remove_prefix(std::string_view("export ").size());
        }
        const std::size_t equals = line.find('=');
        if (equals == std::string_view::npos || !is_name(line.substr(0, equals))) {
            continue;
        }
        std::string_view value = line.substr(equals + 1);
        if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') &&
            value.back() == value.front()) {
            value = value.substr(1, value.size() - 2);
        }
        set_variable(environment, fmt::format("{}={}", line.substr(0, equals), value));
    }
}

} // namespace

Environment login_environment(const User &user, const std::filesystem::path &etc) {
    Environment environment{
        user.uid == 0 ? "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
                      : "PATH=/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
        "HOME=" + user.home, "USER=" + user.name, "LOGNAME=" + user.name, "SHELL=" + user.shell};
    add_from(environment, etc / "environment");
    add_from(environment, etc / "default/locale");
    add_from(environment, etc / "locale.conf");
    return environment;
}

void set_variable(Environment &environment, std::string_view assignment) {
    const std::string_view name = assignment.substr(0, assignment.find('=') + 1);
    const auto found = std::find_if(environment.begin(), environment.end(),
                                    [&](const auto &entry) { return entry.starts_with(name); });
    if (found == environment.end()) {
        environment.emplace_back(assignment);
    } else {
        *found = assignment;
    }
}

std::string_view variable(const Environment &environment, std::string_view name) {
    for (const std::string &entry : environment) {
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=') {
            return std::string_view(entry).substr(name.size() + 1);
        }
    }
    return {};
}

} // namespace banger::agent
