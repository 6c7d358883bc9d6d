#include "daemon/debian/apt_failure.hpp"

#include "base/byte_size.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <limits>
#include <utility>

namespace banger::debian {
namespace {

struct Symptom {
    std::string_view text;
    ErrorCode code;
    std::string_view advice;
};

// In this order: a full disk also makes downloads fail.
constexpr auto symptoms = std::to_array<Symptom>({
    {"No space left on device", ErrorCode::DiskFull, "free some room and try again"},
    {"not enough free space", ErrorCode::DiskFull, "free some room and try again"},
    {"Disk quota exceeded", ErrorCode::DiskFull, "free some room and try again"},
    {"/etc/subuid", ErrorCode::Unsupported,
     "give this user subordinate ids: sudo usermod --add-subuids 100000-165535 --add-subgids "
     "100000-165535 $USER"},
    {"/etc/subgid", ErrorCode::Unsupported,
     "give this user subordinate ids: sudo usermod --add-subuids 100000-165535 --add-subgids "
     "100000-165535 $USER"},
    {"newuidmap", ErrorCode::Unsupported, "install the package uidmap"},
    {"unprivileged_userns_clone", ErrorCode::Unsupported,
     "allow user namespaces: sudo sysctl kernel.unprivileged_userns_clone=1"},
    {"unshare", ErrorCode::Unsupported, "user namespaces must be allowed for this user"},
    {"NO_PUBKEY", ErrorCode::NotAuthorized, "update the package debian-archive-keyring"},
    {"is not signed", ErrorCode::NotAuthorized, "the archive is not Debian's"},
    {"Unable to locate package", ErrorCode::NotFound, "correct its name"},
    {"has no installation candidate", ErrorCode::NotFound, "correct its name"},
    {"was not found", ErrorCode::NotFound, "correct its name, version or suite"},
    {"Could not resolve", ErrorCode::NetworkUnavailable, "check the network and try again"},
    {"Temporary failure resolving", ErrorCode::NetworkUnavailable,
     "check the network and try again"},
    {"Could not connect", ErrorCode::NetworkUnavailable, "check the network and try again"},
    {"Unable to connect", ErrorCode::NetworkUnavailable, "check the network and try again"},
    {"Cannot initiate the connection", ErrorCode::NetworkUnavailable,
     "check the network and try again"},
    {"Connection timed out", ErrorCode::NetworkUnavailable, "check the network and try again"},
    {"Failed to fetch", ErrorCode::NetworkUnavailable, "check the network and try again"},
});

std::string_view trimmed(std::string_view line) {
    for (const std::string_view prefix : {"E: ", "W: ", "  "}) {
        while (line.starts_with(prefix)) {
            line.remove_prefix(prefix.size());
        }
    }
    return line;
}

} // namespace

std::optional<Error> UnreachableArchive::take(std::string_view doing, std::string_view line) {
    if (!std::exchange(gave_up_, line.starts_with("Err:"))) {
        return std::nullopt;
    }
    Error reason = explain_failure(doing, "", {std::string(line)});
    return reason.code() == ErrorCode::NetworkUnavailable ? std::optional{std::move(reason)}
                                                          : std::nullopt;
}

Failure find_failure(std::string_view ended, const std::deque<std::string> &complaints) {
    for (const auto &symptom : symptoms) {
        const auto line =
            std::find_if(complaints.begin(), complaints.end(), [&](const std::string &l) {
                return l.find(symptom.text) != std::string::npos;
            });
        if (line != complaints.end()) {
            return {symptom.code, std::string(trimmed(*line)), std::string(symptom.advice)};
        }
    }
    // The first error is the cause; what follows are its consequences.
    const auto first = std::find_if(complaints.begin(), complaints.end(),
                                    [](const std::string &l) { return l.starts_with("E: "); });
    const std::string_view reason = first != complaints.end() ? trimmed(*first)
                                    : complaints.empty()      ? ended
                                                              : trimmed(complaints.back());
    return {ErrorCode::Internal, std::string(reason), ""};
}

Error explain_failure(std::string_view doing, std::string_view ended,
                      const std::deque<std::string> &complaints) {
    const Failure failure = find_failure(ended, complaints);
    return {failure.code, fmt::format("cannot {}: {}{}{}", doing, failure.reason,
                                      failure.advice.empty() ? "" : "; ", failure.advice)};
}

Error with_least_room(const Error &error, std::span<const std::filesystem::path> directories) {
    if (error.code() != ErrorCode::DiskFull) {
        return error;
    }
    std::string room;
    auto least = std::numeric_limits<std::uintmax_t>::max();
    for (const auto &directory : directories) {
        std::error_code unknown;
        const auto space = std::filesystem::space(directory, unknown);
        if (!unknown && space.available < least) {
            least = space.available;
            room = fmt::format("{} has {} left", directory.string(), format_byte_size(least));
        }
    }
    return room.empty() ? error : Error{error.code(), fmt::format("{} ({})", error.what(), room)};
}

} // namespace banger::debian
