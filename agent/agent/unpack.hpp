#pragma once

#include "agent/agent/loop.hpp"
#include "agent/channel/session.hpp"

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace banger::agent {

struct Unpacked {
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
};

/// Unpacks the tar stream at `fd` below the root directory of the calling process, all of it owned
/// by root, set-id bits dropped; what is there is replaced. Names that leave the directory, and
/// anything but files, directories and links, throw Error{InvalidArgument}. Blocking.
Unpacked unpack_tar(int fd);

/// PUT /v1/files: the body of the stream into `directory`, by a process that has no other root. The
/// answer is {entries, bytes}.
void receive_files(Loop &loop, const channel::Stream &stream, std::string_view directory);

} // namespace banger::agent
