#pragma once

#include "daemon/config/config.hpp"

#include <string_view>

namespace banger::config {

/// "~/x" and "/x" as an absolute path. Throws Error{InvalidArgument} for all else.
std::filesystem::path expand_host_path(std::string_view text);

/// "~/x" and "/root/x" as an absolute path of the guest. Throws Error{InvalidArgument} for a path
/// outside, with "..", or of another user ("~user").
std::filesystem::path expand_guest_path(std::string_view text);

/// "0600" as a number. Throws Error{InvalidArgument}.
std::uint32_t parse_mode(std::string_view text);

} // namespace banger::config
