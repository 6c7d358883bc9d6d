#pragma once

#include "base/unique_fd.hpp"

#include <filesystem>

namespace banger {

/// Sockets of unix(7) at a path that may be longer than the 107 bytes of sun_path; `type` is
/// SOCK_STREAM or SOCK_SEQPACKET. Neither blocks; an Error names the path.

/// Listens, mode 0600, in the place of a stale one.
UniqueFd listen_at(const std::filesystem::path &path, int type);
UniqueFd connect_to(const std::filesystem::path &path, int type);

} // namespace banger
