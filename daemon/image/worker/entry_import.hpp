#pragma once

#include "daemon/archive/archive_reader.hpp"
#include "daemon/ext4/writer.hpp"

#include <functional>
#include <string>

namespace banger::image {

/// Calls `take` with every entry and its path. An Error that it throws gets the path as context.
void for_each_entry(ArchiveReader &tar,
                    const std::function<void(archive_entry *, const std::string &path)> &take);

ext4::Metadata metadata_of(archive_entry *entry);

/// Adds the entry at `path`, with its content if it is a regular file; not for hard links.
void import_inode(ArchiveReader &tar, archive_entry *entry, const std::string &path,
                  const ext4::Metadata &metadata, ext4::Writer &to);

} // namespace banger::image
