#pragma once

#include "daemon/archive/archive_reader.hpp"
#include "daemon/ext4/writer.hpp"

#include <string>
#include <vector>

namespace banger::image {

struct TarImport {
    /// fnmatch(3) patterns, against the path without leading "./": what to leave out.
    std::vector<std::string> without;
};

/// Streams every entry of a tar into the file system. Paths are checked by the Writer; a warning of
/// libarchive is an error, because the copy would not be faithful. Throws Error that names the
/// entry.
void import_tar(ArchiveReader &tar, ext4::Writer &to, const TarImport &options);

} // namespace banger::image
