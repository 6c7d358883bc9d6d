#include "daemon/kernel/apt.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <algorithm>
#include <charconv>

namespace banger::kernel {
namespace {

/// The value of a field of the stanza at the beginning of `text`; "" if it has none.
std::string field(std::string_view text, std::string_view name) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.empty()) {
            break;
        }
        if (line.starts_with(name) && line.substr(name.size()).starts_with(": ")) {
            return std::string(line.substr(name.size() + 2));
        }
    }
    return {};
}

} // namespace

PrivateApt::PrivateApt(std::filesystem::path directory,
                       const std::vector<std::string> &source_lines)
    : directory_(std::move(directory)) {
    for (const char *name : {"state/lists/partial", "cache/archives/partial", "packages"}) {
        make_private_directories(directory_ / name);
    }
    std::string sources;
    for (const auto &line : source_lines) {
        sources += line + "\n";
    }
    write_file_atomically(directory_ / "sources.list", sources);
    write_file_atomically(directory_ / "status", "");
}

Command PrivateApt::command(std::string program, std::vector<std::string> arguments) const {
    const std::string base = directory_.string();
    Command command;
    command.argv = {std::move(program), "-q", "-oDir::State=" + base + "/state",
                    "-oDir::State::status=" + base + "/status", "-oDir::Cache=" + base + "/cache",
                    "-oDir::Etc::SourceList=" + base + "/sources.list",
                    "-oDir::Etc::SourceParts=/dev/null", "-oAcquire::Languages=none",
                    "-oAcquire::Retries=1", "-oAPT::Architecture=amd64",
                    "-oAPT::Architectures=amd64",
                    // One list that cannot be fetched is a failure, not a warning.
                    "-oAPT::Update::Error-Mode=any"};
    command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
    command.environment = {"LC_ALL=C.UTF-8"};
    command.die_with_parent = true;
    return command;
}

Command PrivateApt::update() const {
    return command("apt-get", {"-oAPT::Status-Fd=3", "update"});
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

namespace {

Package package_from(std::string_view text) {
    Package package;
    package.name = field(text, "Package");
    package.version = field(text, "Version");
    package.depends = field(text, "Depends");
    const std::string size = field(text, "Size");
    std::from_chars(size.data(), size.data() + size.size(), package.size);
    return package;
}

} // namespace

Package parse_package(std::string_view text) {
    Package package = package_from(text);
    if (package.name.empty() || package.version.empty()) {
        fail(ErrorCode::NotFound, "the Debian archive has no such package");
    }
    return package;
}

std::vector<Package> parse_packages(std::string_view text) {
    constexpr std::string_view beginning = "Package: ";
    std::vector<Package> packages;
    while (!text.empty()) {
        // The empty lines between stanzas may have been lost on the way.
        const auto next = text.find(fmt::format("\n{}", beginning));
        Package package = package_from(text.substr(0, next));
        if (!package.name.empty() && !package.version.empty()) {
            packages.push_back(std::move(package));
        }
        text.remove_prefix(next == std::string_view::npos ? text.size() : next + 1);
    }
    return packages;
}

std::string kernel_package(const Package &metapackage) {
    const std::string &depends = metapackage.depends;
    const auto begin = depends.find("linux-image-");
    const auto end = depends.find_first_of(" ,|", begin);
    std::string name =
        begin == std::string::npos ? std::string{} : depends.substr(begin, end - begin);
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
        return std::isalnum(c) != 0 || c == '-' || c == '+' || c == '.';
    });
    if (name.empty() || !plain) {
        fail(ErrorCode::NotFound, "the package {} names no kernel: {:?}", metapackage.name,
             depends);
    }
    return name;
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

} // namespace banger::kernel
