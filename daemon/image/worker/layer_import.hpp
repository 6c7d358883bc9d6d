#pragma once

#include "daemon/archive/archive_reader.hpp"
#include "daemon/ext4/writer.hpp"

namespace banger::image {

/// Applies a layer of an OCI image (image-spec, layer.md) to what is already in the file system, to
/// the same result as `umoci unpack`: whiteouts take away, parents that are symbolic links are
/// followed inside the root. Throws Error that names the entry, also for a path with "..".
void import_layer(ArchiveReader &tar, ext4::Writer &to);

} // namespace banger::image
