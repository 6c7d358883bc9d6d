#pragma once

#include "base/error.hpp"

#include <deque>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace banger::debian {

/// Why apt or mmdebstrap failed.
struct Failure {
    ErrorCode code;
    std::string reason; ///< the line that says it
    std::string advice; ///< what to do about it; may be empty
};
/// `ended` is the reason where they wrote nothing.
Failure find_failure(std::string_view ended, const std::deque<std::string> &complaints);

/// The Error that fits what apt or mmdebstrap wrote before it ended: NetworkUnavailable when the
/// archive could not be reached, NotFound for a package that is not in it, DiskFull, Unsupported
/// for missing subordinate ids, else Internal. `doing` reads like "read the package lists".
Error explain_failure(std::string_view doing, std::string_view ended,
                      const std::deque<std::string> &complaints);

/// Follows what apt writes on its way. It tries each file several times before it gives it up and
/// goes on to the next, so that an archive that is not reached takes minutes; after the first one
/// the rest is known.
class UnreachableArchive {
public:
    /// Takes one line; when it is the reason why a file was given up, and that is the network, the
    /// Error for it, as of explain_failure().
    std::optional<Error> take(std::string_view doing, std::string_view line);

private:
    bool gave_up_ = false; ///< in the line before
};

/// For DiskFull the same error with which of the directories has the least room: "… (/var/tmp has
/// 12 MiB left)".
Error with_least_room(const Error &error, std::span<const std::filesystem::path> directories);

} // namespace banger::debian
