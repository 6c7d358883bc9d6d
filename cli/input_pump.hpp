#pragma once

#include "base/unique_fd.hpp"

#include <poll.h>

#include <string>

namespace banger::cli {

/// Moves our standard input into a pipe, as fast as its reader takes it, from within a poll(2)
/// loop. Closing the pipe is the program's end of file.
class InputPump {
public:
    /// `from` stays the caller's; an empty `to` means that nothing is passed.
    InputPump(int from, UniqueFd to);

    /// What to wait for: our input, or room in the pipe, or the pipe's reader going away.
    pollfd wanted() const noexcept;
    /// Call when that has come; false at the end of the input or of the reader.
    bool pump();
    void close() noexcept;

private:
    int from_;
    UniqueFd to_;
    std::string pending_;
};

} // namespace banger::cli
