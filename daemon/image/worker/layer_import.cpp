#include "daemon/image/worker/layer_import.hpp"

#include "base/error.hpp"
#include "daemon/image/worker/entry_import.hpp"

#include <algorithm>
#include <array>

namespace banger::image {
namespace {

constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view opaque_whiteout = ".wh..wh..opq";
constexpr std::string_view aufs_prefix = ".wh..wh.";
/// What belongs to the machine that the layer was made on.
constexpr std::array<std::string_view, 3> ignored_xattrs{"security.selinux", "system.nfs4_acl",
                                                         "trusted.overlay.opaque"};

std::vector<std::string_view> components_of(std::string_view path) {
    std::vector<std::string_view> components;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const std::string_view component = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (!component.empty() && component != ".") {
            components.push_back(component);
        }
    }
    return components;
}

/// The target of a hard link counts from the root, and ".." leads no further up than there.
std::string inside_root(std::string_view path) {
    std::vector<std::string_view> inside;
    for (const std::string_view component : components_of(path)) {
        if (component != "..") {
            inside.push_back(component);
        } else if (!inside.empty()) {
            inside.pop_back();
        }
    }
    return fmt::format("{}", fmt::join(inside, "/"));
}

bool is_aufs_metadata(const std::vector<std::string_view> &components) {
    const auto is_metadata = [](std::string_view name) { return name.starts_with(aufs_prefix); };
    return std::any_of(components.begin(), components.end() - 1, is_metadata) ||
           (is_metadata(components.back()) && components.back() != opaque_whiteout);
}

void apply_whiteout(const std::vector<std::string_view> &components, ext4::Writer &to) {
    const std::string directory =
        fmt::format("{}", fmt::join(components.begin(), components.end() - 1, "/"));
    if (components.back() == opaque_whiteout) {
        to.remove_lower_content(directory);
        return;
    }
    const std::string_view name = components.back().substr(whiteout_prefix.size());
    if (name.empty() || name == "." || name == "..") {
        fail(ErrorCode::ImageCorrupt, "the whiteout names nothing that it could remove");
    }
    to.remove_lower(fmt::format("{}/{}", directory, name));
}

ext4::Metadata layer_metadata_of(archive_entry *entry) {
    // ACLs come as extended attributes; what tar has beside is not part of the format.
    archive_entry_acl_clear(entry);
    ext4::Metadata metadata = metadata_of(entry);
    std::erase_if(metadata.xattrs, [](const ext4::Xattr &xattr) {
        // Without a value a pax record says that there is none.
        return xattr.value.empty() || std::find(ignored_xattrs.begin(), ignored_xattrs.end(),
                                                xattr.name) != ignored_xattrs.end();
    });
    if (archive_entry_filetype(entry) == AE_IFLNK) {
        // What Linux gives to every symbolic link.
        metadata.permissions = 0777;
    }
    return metadata;
}

void import_entry(ArchiveReader &tar, archive_entry *entry, const std::string &path,
                  ext4::Writer &to) {
    const std::vector<std::string_view> components = components_of(path);
    if (!components.empty()) {
        if (is_aufs_metadata(components)) {
            return;
        }
        if (components.back().starts_with(whiteout_prefix)) {
            apply_whiteout(components, to);
            return;
        }
    }
    if (const char *target = archive_entry_hardlink(entry); target != nullptr) {
        to.add_hard_link(path, inside_root(target));
    } else {
        import_inode(tar, entry, path, layer_metadata_of(entry), to);
    }
}

} // namespace

void import_layer(ArchiveReader &tar, ext4::Writer &to) {
    to.begin_layer();
    for_each_entry(tar, [&](archive_entry *entry, const std::string &path) {
        import_entry(tar, entry, path, to);
    });
}

} // namespace banger::image
