#pragma once

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>
#include <functional>
#include <string>

namespace banger::supervisor {

/// Where the guest's channel comes from. Each connection replaces the one before.
class Transport {
public:
    using OnConnected = std::function<void(UniqueFd connection)>;

    virtual ~Transport() = default;
};

/// The VMM dials `socket` for the guest (Firecracker's vsock); it exists before the VMM starts.
class ListeningTransport : public Transport {
public:
    ListeningTransport(EventLoop &loop, const std::filesystem::path &socket, OnConnected callback);

private:
    UniqueFd listener_;
    EventSource io_;
};

/// The VMM listens on `socket` (QEMU's chardev). It is connected to, once, when `sign` appears in
/// the same directory: the next socket that the VMM makes, because the appearance of `socket`
/// itself comes before it listens.
class ConnectingTransport : public Transport {
public:
    ConnectingTransport(EventLoop &loop, const std::filesystem::path &directory, std::string socket,
                        std::string sign, OnConnected callback,
                        std::function<void(const Error &)> on_failed);

private:
    void on_change();

    std::filesystem::path directory_;
    std::string socket_;
    std::string sign_;
    OnConnected callback_;
    std::function<void(const Error &)> on_failed_;
    UniqueFd inotify_;
    EventSource io_;
};

} // namespace banger::supervisor
