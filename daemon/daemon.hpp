#pragma once

#include "base/event_loop.hpp"
#include "base/paths.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace banger {

/// Where the other programs of banger are installed.
struct Programs {
    std::filesystem::path image_worker;
    std::filesystem::path build_guard;
    std::filesystem::path init;  ///< banger-init, for the guest
    std::filesystem::path agent; ///< banger-vsock-agent, for the guest
};

/// bangerd: all its pieces, connected. On the bus from the moment on when the records have been
/// compared with the units that exist.
class Daemon {
public:
    /// Throws Error when there is no session bus.
    Daemon(EventLoop &loop, Paths paths, const Programs &programs);
    ~Daemon();
    Daemon(const Daemon &) = delete;
    Daemon &operator=(const Daemon &) = delete;

private:
    struct Pieces;
    std::unique_ptr<Pieces> pieces_;
};

} // namespace banger
