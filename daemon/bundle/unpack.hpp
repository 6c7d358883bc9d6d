#pragma once

#include "base/unique_fd.hpp"
#include "daemon/archive/archive_reader.hpp"
#include "daemon/bundle/manifest.hpp"

#include <functional>
#include <string>

namespace banger::bundle {

/// Makes the empty file of a member, to be read and written. The path is one that a bundle of its
/// kind may have, and comes once.
using MakeFile = std::function<UniqueFd(const std::string &path)>;

/// Writes the members of a bundle into files, as they arrive, and holds each to the manifest, which
/// comes first. Throws Error that names the member: one that the manifest does not have, that is no
/// regular file, that comes twice or not at all, that is not what the manifest says, that is too
/// large.
Manifest unpack(ArchiveReader &tar, Kind kind, const MakeFile &make_file,
                std::uint64_t max_member_bytes = max_rootfs_bytes);

} // namespace banger::bundle
