#include "agent/agent/users.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

namespace banger::agent {
namespace {

std::optional<std::uint32_t> number(std::string_view text) {
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    return error == std::errc() && end == text.data() + text.size() && !text.empty()
               ? std::optional(value)
               : std::nullopt;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
    std::vector<std::string_view> parts;
    for (;;) {
        const std::size_t at = text.find(separator);
        parts.push_back(text.substr(0, at));
        if (at == std::string_view::npos) {
            return parts;
        }
        text.remove_prefix(at + 1);
    }
}

/// Calls back with the fields of each line of passwd(5) or group(5) that has at least `count`.
void for_each_line(const std::filesystem::path &file, std::size_t count,
                   const std::function<void(const std::vector<std::string_view> &)> &callback) {
    std::string content;
    try {
        content = read_file(file);
    } catch (const Error &) {
        return; // An image may have none.
    }
    for (const std::string_view line : split(content, '\n')) {
        const auto fields = split(line, ':');
        if (fields.size() >= count) {
            callback(fields);
        }
    }
}

} // namespace

User find_user(std::string_view text, const std::filesystem::path &etc) {
    constexpr std::size_t passwd_fields = 7;
    constexpr std::size_t group_fields = 4;
    const std::size_t colon = text.find(':');
    const std::string_view wanted = text.empty() ? "root" : text.substr(0, colon);
    const auto wanted_uid = number(wanted);

    User user;
    bool found = false;
    for_each_line(etc / "passwd", passwd_fields, [&](const auto &fields) {
        const auto uid = number(fields[2]);
        const auto gid = number(fields[3]);
        if (!found && uid && gid && (fields[0] == wanted || uid == wanted_uid)) {
            found = true;
            user.name = fields[0];
            user.uid = *uid;
            user.gid = *gid;
            user.home = fields[5].empty() ? "/" : fields[5];
            user.shell = fields[6].empty() ? "/bin/sh" : fields[6];
        }
    });
    if (!found && wanted == "root") {
        user.name = "root";
        user.home = "/root";
    } else if (!found && wanted_uid) {
        user.name = wanted;
        user.uid = *wanted_uid;
    } else if (!found) {
        fail(ErrorCode::NotFound, "the guest has no user '{}'", wanted);
    }

    user.groups = {user.gid};
    std::optional<gid_t> group;
    const std::string_view wanted_group =
        colon == std::string_view::npos ? "" : text.substr(colon + 1);
    for_each_line(etc / "group", group_fields, [&](const auto &fields) {
        const auto gid = number(fields[2]);
        if (!gid) {
            return;
        }
        if (!wanted_group.empty() && fields[0] == wanted_group) {
            group = *gid;
        }
        const auto members = split(fields[3], ',');
        if (*gid != user.gid && std::count(members.begin(), members.end(), user.name) > 0) {
            user.groups.push_back(*gid);
        }
    });
    if (!wanted_group.empty()) {
        if (!group) {
            group = number(wanted_group);
        }
        if (!group) {
            fail(ErrorCode::NotFound, "the guest has no group '{}'", wanted_group);
        }
        user.gid = *group;
        user.groups = {user.gid};
    }
    return user;
}

} // namespace banger::agent
