#pragma once

// The one place that includes the library's headers: they are C, and not free of warnings.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wshadow"
extern "C" {
// ext2fs.h brings the types that the others need, and so must be the first.
#include <ext2fs/ext2fs.h>
}
extern "C" {
#include <ext2fs/ext2_ext_attr.h>
#include <ext2fs/ext3_extents.h>
}
#pragma GCC diagnostic pop
// A macro of its newer versions, which takes std::clamp away from whoever includes <algorithm>
// later.
#undef clamp

#include <string_view>

namespace banger::ext4 {

/// Closes a file system without writing anything that is still to be written.
struct FreeFileSystem {
    void operator()(ext2_filsys fs) const noexcept { ext2fs_free(fs); }
};

/// Throws Error{Internal}, or DiskFull where the code is errno's, when a call of libext2fs has
/// failed.
void check(errcode_t code, std::string_view what);

} // namespace banger::ext4
