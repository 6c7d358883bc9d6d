#include "daemon/debian/private_apt.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <time.h>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace banger::debian {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_release = 4U << 20U; // Debian's own have 150 KiB

/// "Sat, 06 Sep 2025 10:12:45 UTC"
std::int64_t parse_date(const std::string &text) {
    std::tm date{};
    const char *end = ::strptime(text.c_str(), "%a, %d %b %Y %H:%M:%S", &date);
    return end != nullptr ? std::max<std::int64_t>(0, ::timegm(&date)) : 0;
}

std::int64_t date_of_release(const fs::path &file) {
    constexpr std::string_view field = "Date: ";
    std::istringstream lines{read_file(file, max_release)};
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with(field)) {
            return parse_date(line.substr(field.size()));
        }
    }
    return 0;
}

} // namespace

PrivateApt::PrivateApt(fs::path directory, const std::vector<std::string> &source_lines)
    : directory_(std::move(directory)) {
    for (const char *name : {"state/lists/partial", "cache/archives/partial", "packages"}) {
        make_private_directories(directory_ / name);
    }
    write_file_atomically(directory_ / "status", "");
    use(source_lines);
}

void PrivateApt::use(const std::vector<std::string> &source_lines) {
    std::string sources;
    for (const auto &line : source_lines) {
        sources += line + "\n";
    }
    write_file_atomically(directory_ / "sources.list", sources);
}

Command PrivateApt::command(std::string program, std::vector<std::string> arguments) const {
    const std::string base = directory_.string();
    Command command;
    command.argv = {std::move(program), "-q", "-oDir::State=" + base + "/state",
                    "-oDir::State::status=" + base + "/status", "-oDir::Cache=" + base + "/cache",
                    "-oDir::Etc::SourceList=" + base + "/sources.list",
                    "-oDir::Etc::SourceParts=/dev/null", "-oAcquire::Languages=none",
                    "-oAcquire::Retries=1",
                    // apt 2.6 waits for ever for a second try that would be later, when nothing
                    // else is left to fetch.
                    "-oAcquire::Retries::Delay=false", "-oAPT::Architecture=amd64",
                    "-oAPT::Architectures=amd64",
                    // One list that cannot be fetched is a failure, not a warning.
                    "-oAPT::Update::Error-Mode=any",
                    // Archives are added one by one.
                    "-oAPT::Get::List-Cleanup=false"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {"LC_ALL=C.UTF-8"};
    command.die_with_parent = true;
    return command;
}

Command PrivateApt::update() const {
    return command("apt-get", {"-oAPT::Status-Fd=3", "update"});
}

Command PrivateApt::update_briefly() const {
    return command("apt-get", {"-oAcquire::Retries=0", "-oAcquire::http::Timeout=10",
                               "-oAcquire::https::Timeout=10", "-oAPT::Status-Fd=3", "update"});
}

Command PrivateApt::show(const std::vector<std::string> &packages) const {
    std::vector<std::string> arguments{"--no-all-versions", "show", "--"};
    arguments.insert(arguments.end(), packages.begin(), packages.end());
    return command("apt-cache", std::move(arguments));
}

Command PrivateApt::names(const std::string &prefix) const {
    return command("apt-cache", {"pkgnames", prefix});
}

Command PrivateApt::download(const std::string &package) const {
    Command download = command("apt-get", {"-oAPT::Status-Fd=3", "download", package});
    download.working_directory = packages().string();
    return download;
}

Command PrivateApt::try_install(const std::vector<std::string> &names) const {
    // In memory alone: a cache of apt's takes as much room as the lists.
    std::vector<std::string> arguments{"-oDir::Cache::pkgcache=", "-oDir::Cache::srcpkgcache=",
                                       "-oAPT::Install-Recommends=false", "--simulate", "install"};
    arguments.insert(arguments.end(), names.begin(), names.end());
    return command("apt-get", std::move(arguments));
}

std::vector<fs::path> PrivateApt::lists() const {
    std::vector<fs::path> found;
    for (const auto &entry : fs::directory_iterator{directory_ / "state/lists"}) {
        if (entry.is_regular_file() && entry.path().filename() != "lock") {
            found.push_back(entry.path());
        }
    }
    std::sort(found.begin(), found.end());
    return found;
}

std::int64_t newest_release(const std::vector<fs::path> &lists) {
    std::int64_t newest = 0;
    for (const auto &list : lists) {
        if (list.filename().string().ends_with("Release")) { // "…_InRelease", too
            newest = std::max(newest, date_of_release(list));
        }
    }
    return newest;
}

std::optional<double> download_fraction(std::string_view status_line) {
    if (!status_line.starts_with("dlstatus:")) {
        return std::nullopt;
    }
    const auto first = status_line.find(':', sizeof "dlstatus:" - 1);
    if (first == std::string_view::npos) {
        return std::nullopt;
    }
    double percent = 0;
    const char *begin = status_line.data() + first + 1;
    const char *end = status_line.data() + status_line.size();
    if (std::from_chars(begin, end, percent).ec != std::errc{}) {
        return std::nullopt;
    }
    return std::clamp(percent / 100, 0.0, 1.0);
}

} // namespace banger::debian
