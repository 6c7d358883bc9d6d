#include "daemon/image/worker/tar_import.hpp"

#include "daemon/image/worker/entry_import.hpp"

#include <fnmatch.h>

#include <algorithm>

namespace banger::image {
namespace {

bool left_out(std::string_view path, const std::vector<std::string> &patterns) {
    while (path.starts_with("./") || path.starts_with('/')) {
        path.remove_prefix(path.front() == '/' ? 1 : 2);
    }
    const std::string plain(path);
    return std::any_of(patterns.begin(), patterns.end(), [&](const std::string &pattern) {
        return ::fnmatch(pattern.c_str(), plain.c_str(), FNM_PATHNAME | FNM_PERIOD) == 0;
    });
}

} // namespace

void import_tar(ArchiveReader &tar, ext4::Writer &to, const TarImport &options) {
    for_each_entry(tar, [&](archive_entry *entry, const std::string &path) {
        if (left_out(path, options.without)) {
            return;
        }
        if (const char *target = archive_entry_hardlink(entry); target != nullptr) {
            to.add_hard_link(path, target);
        } else {
            import_inode(tar, entry, path, metadata_of(entry), to);
        }
    });
}

} // namespace banger::image
