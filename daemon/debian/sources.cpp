#include "daemon/debian/sources.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

#include <algorithm>
#include <map>
#include <sstream>

namespace banger::debian {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view default_archive = "http://deb.debian.org/debian";
constexpr std::string_view default_security = "http://deb.debian.org/debian-security";

std::vector<std::string> words(const std::string &text) {
    std::istringstream stream{text};
    std::vector<std::string> result;
    for (std::string word; stream >> word;) {
        result.push_back(word);
    }
    return result;
}

std::string without_final_slash(std::string uri) {
    while (uri.ends_with('/')) {
        uri.pop_back();
    }
    return uri;
}

bool is_debians(const std::string &uri, const std::string &signed_by,
                const std::vector<std::string> &components) {
    if (std::find(components.begin(), components.end(), "main") == components.end()) {
        return false;
    }
    if (!signed_by.empty()) {
        return signed_by.find("debian-archive") != std::string::npos;
    }
    return uri.ends_with("/debian") || uri.ends_with("/debian-security");
}

void add(std::vector<Source> &to, std::string uri, const std::string &suite,
         const std::string &signed_by, const std::vector<std::string> &components) {
    uri = without_final_slash(std::move(uri));
    if ((uri.starts_with("http://") || uri.starts_with("https://")) &&
        is_debians(uri, signed_by, components)) {
        to.push_back({uri, suite, signed_by});
    }
}

/// "deb [signed-by=/usr/share/keyrings/x.gpg arch=amd64] http://… bookworm main contrib"
void read_list(const std::string &text, std::vector<Source> &to) {
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        line = line.substr(0, line.find('#'));
        std::string signed_by;
        const auto open = line.find('[');
        const auto close = line.find(']');
        if (open != std::string::npos && close != std::string::npos && open < close) {
            for (const auto &option : words(line.substr(open + 1, close - open - 1))) {
                if (option.starts_with("signed-by=")) {
                    signed_by = option.substr(sizeof "signed-by=" - 1);
                }
            }
            line.erase(open, close - open + 1);
        }
        const auto fields = words(line);
        if (fields.size() >= 4 && fields[0] == "deb") {
            add(to, fields[1], fields[2], signed_by, {fields.begin() + 3, fields.end()});
        }
    }
}

/// deb822(5): stanzas of "Field: value", a value continued by lines that begin with a space.
void read_deb822(const std::string &text, std::vector<Source> &to) {
    std::map<std::string, std::string> stanza;
    std::string field;
    const auto finish = [&] {
        const auto types = words(stanza["types"]);
        const bool enabled = stanza["enabled"] != "no";
        if (enabled && std::find(types.begin(), types.end(), "deb") != types.end()) {
            const auto keys = words(stanza["signed-by"]);
            for (const auto &uri : words(stanza["uris"])) {
                for (const auto &suite : words(stanza["suites"])) {
                    // A key given inline is no path, and not Debian's keyring either.
                    add(to, uri, suite, keys.size() == 1 ? keys[0] : stanza["signed-by"],
                        words(stanza["components"]));
                }
            }
        }
        stanza.clear();
        field.clear();
    };
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line);) {
        if (line.empty()) {
            finish();
        } else if (line[0] == '#') {
            continue;
        } else if (line[0] == ' ' || line[0] == '\t') {
            stanza[field] += " " + line;
        } else if (const auto colon = line.find(':'); colon != std::string::npos) {
            field = line.substr(0, colon);
            std::transform(field.begin(), field.end(), field.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
            const auto value = words(line.substr(colon + 1));
            for (const auto &word : value) {
                stanza[field] += (stanza[field].empty() ? "" : " ") + word;
            }
        }
    }
    finish();
}

bool is_security(const Source &source) {
    return source.suite.ends_with("-security") || source.uri.ends_with("debian-security");
}

bool is_main(const Source &source) {
    return !is_security(source) && source.suite.find('-') == std::string::npos;
}

/// The host's source of that suite, else of any suite of the kind, else Debian's own.
Source pick(const std::vector<Source> &host, const std::string &suite, bool (*kind)(const Source &),
            std::string_view otherwise) {
    const auto exact = std::find_if(host.begin(), host.end(),
                                    [&](const Source &s) { return s.suite == suite && kind(s); });
    if (exact != host.end()) {
        return *exact;
    }
    const auto similar = std::find_if(host.begin(), host.end(), kind);
    if (similar != host.end()) {
        return {similar->uri, suite, similar->signed_by};
    }
    return {std::string(otherwise), suite, ""};
}

} // namespace

std::vector<Source> host_sources(const fs::path &etc_apt) {
    std::vector<Source> sources;
    std::vector<fs::path> files{etc_apt / "sources.list"};
    std::error_code ignored;
    for (fs::directory_iterator i{etc_apt / "sources.list.d", ignored}, end; i != end;
         i.increment(ignored)) {
        files.push_back(i->path());
    }
    std::sort(files.begin() + 1, files.end());
    for (const auto &file : files) {
        if (!fs::is_regular_file(file, ignored)) {
            continue;
        }
        try {
            const std::string text = read_file(file, 1U << 20U);
            if (file.extension() == ".sources") {
                read_deb822(text, sources);
            } else if (file.extension() == ".list") {
                read_list(text, sources);
            }
        } catch (const Error &error) {
            log::warning(fmt::format("ignoring an apt source: {}", error.what()));
        }
    }
    return sources;
}

std::vector<std::string> source_lines(const std::vector<Source> &host, std::string_view suite,
                                      const fs::path &keyring) {
    const std::string name(suite);
    const Source main = pick(host, name, is_main, default_archive);
    Source updates = main;
    updates.suite = name + "-updates";
    const Source security = pick(host, name + "-security", is_security, default_security);
    std::vector<std::string> lines;
    for (const auto &source : {main, updates, security}) {
        lines.push_back(fmt::format("deb [signed-by={}] {} {} main",
                                    source.signed_by.empty() ? keyring.string() : source.signed_by,
                                    source.uri, source.suite));
    }
    return lines;
}

fs::path archive_keyring() {
    for (const char *path : {"/usr/share/keyrings/debian-archive-keyring.gpg",
                             "/usr/share/keyrings/debian-archive-keyring.pgp"}) {
        std::error_code ignored;
        if (fs::exists(path, ignored)) {
            return path;
        }
    }
    fail(ErrorCode::Unsupported,
         "Debian's public keys are missing: install the package debian-archive-keyring");
}

std::string transport_settings(std::string_view apt_config) {
    std::string result;
    std::istringstream lines{std::string(apt_config)};
    for (std::string line; std::getline(lines, line);) {
        for (const std::string_view wanted :
             {"Acquire::http", "Acquire::Check-", "Acquire::Retries", "Acquire::ForceIPv4",
              "Acquire::ForceIPv6"}) {
            // "Acquire::http::Proxy" and "Acquire::https::…", but no program that apt would run.
            if (line.starts_with(wanted) && line.ends_with(';') &&
                line.find("Auto-Detect") == std::string::npos) {
                result += line + "\n";
                break;
            }
        }
    }
    return result;
}

std::string proxy(std::string_view apt_config, bool https) {
    // "Acquire::http::Proxy "http://cache.example:3142";"; what is for http is for https, too.
    std::string http;
    std::string secure;
    std::istringstream lines{std::string(apt_config)};
    for (std::string line; std::getline(lines, line);) {
        for (const auto &[name, target] :
             {std::pair{"Acquire::http::Proxy \"", &http}, {"Acquire::https::Proxy \"", &secure}}) {
            if (line.starts_with(name)) {
                const auto begin = line.find('"') + 1;
                *target = line.substr(begin, line.find('"', begin) - begin);
            }
        }
    }
    const std::string &found = https && !secure.empty() ? secure : http;
    return found == "DIRECT" ? "" : found;
}

} // namespace banger::debian
