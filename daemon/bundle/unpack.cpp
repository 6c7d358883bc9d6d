#include "daemon/bundle/unpack.hpp"

#include "base/error.hpp"
#include "daemon/bundle/member_file.hpp"

#include <algorithm>
#include <set>

namespace banger::bundle {
namespace {

std::string path_of(archive_entry *entry) {
    const char *path = archive_entry_pathname(entry);
    if (path == nullptr) {
        fail(ErrorCode::ImageCorrupt, "the bundle has a member whose name cannot be read");
    }
    return path;
}

void require_regular(archive_entry *entry, const std::string &path) {
    if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr ||
        archive_entry_symlink(entry) != nullptr) {
        fail(ErrorCode::ImageCorrupt, "{:?} in the bundle is no regular file", path);
    }
}

Manifest read_manifest(ArchiveReader &tar, Kind kind) {
    archive_entry *entry = tar.next();
    if (entry == nullptr) {
        fail(ErrorCode::ImageCorrupt, "the bundle is empty");
    }
    const std::string path = path_of(entry);
    if (path != manifest_name) {
        fail(ErrorCode::ImageCorrupt, "the bundle begins with {:?}, and must with {}", path,
             manifest_name);
    }
    require_regular(entry, path);
    return parse_manifest(tar.read_all(max_manifest_bytes), kind);
}

void unpack_member(ArchiveReader &tar, archive_entry *entry, const Member &member,
                   const MakeFile &make_file) {
    const la_int64_t size = archive_entry_size(entry);
    if (size < 0 || static_cast<std::uint64_t>(size) != member.size) {
        fail(ErrorCode::ImageCorrupt, "it has {} bytes, and {} says {}", size, manifest_name,
             member.size);
    }
    MemberFile file{make_file(member.path), member};
    while (const auto piece = tar.data()) {
        file.write(piece->offset, piece->bytes);
    }
    file.finish();
}

} // namespace

Manifest unpack(ArchiveReader &tar, Kind kind, const MakeFile &make_file,
                std::uint64_t max_member_bytes) {
    Manifest manifest = read_manifest(tar, kind);
    std::set<std::string> seen;
    while (archive_entry *entry = tar.next()) {
        const std::string path = path_of(entry);
        const auto member =
            std::find_if(manifest.members.begin(), manifest.members.end(),
                         [&](const Member &candidate) { return candidate.path == path; });
        if (member == manifest.members.end()) {
            fail(ErrorCode::ImageCorrupt, "the bundle has {:?}, which its {} does not name", path,
                 manifest_name);
        }
        if (!seen.insert(path).second) {
            fail(ErrorCode::ImageCorrupt, "the bundle has {:?} twice", path);
        }
        require_regular(entry, path);
        if (member->size > max_member_bytes) {
            fail(ErrorCode::LimitsExceeded, "{:?} in the bundle is larger than {} bytes", path,
                 max_member_bytes);
        }
        try {
            unpack_member(tar, entry, *member, make_file);
        } catch (const Error &error) {
            // A disk that is full has nothing to do with the member.
            if (error.code() != ErrorCode::ImageCorrupt) {
                throw;
            }
            throw error.with_context(fmt::format("{:?} in the bundle", path));
        }
    }
    for (const Member &member : manifest.members) {
        if (!seen.contains(member.path)) {
            fail(ErrorCode::ImageCorrupt, "the bundle has no {:?}, which its {} names", member.path,
                 manifest_name);
        }
    }
    return manifest;
}

} // namespace banger::bundle
