#pragma once

#include "daemon/image/worker/report.hpp"

#include <filesystem>
#include <optional>

namespace banger::image {

/// A root file system that somebody else made.
struct RootfsFile {
    std::filesystem::path file;
    std::optional<std::filesystem::path> copy; ///< also write one there, with its holes
};

/// Reads the file once, from end to end: checks that it is an ext4 that can be mounted read-only,
/// and sums it up. Result: {"digest","size","identity"}, the last as FileIdentity's JSON has it.
/// Throws Error{InvalidArgument} that says what is wrong with it, Error{InvalidState} when it
/// changed meanwhile.
void take_rootfs_file(const RootfsFile &wanted, Report &report);

} // namespace banger::image
