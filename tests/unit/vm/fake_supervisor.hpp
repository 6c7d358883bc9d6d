#pragma once

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace banger::vm {

/// The supervisor's end of supervisor.sock, as docs/architecture.md has it.
class FakeSupervisor {
public:
    FakeSupervisor(EventLoop &loop, const std::filesystem::path &socket);
    ~FakeSupervisor();

    /// Sends a state event.
    void tell(const std::string &stage, bool login_ready = false);
    /// Sends a packet as it is.
    void send(const std::string &packet, int fd = -1);
    /// Closes the connection.
    void hang_up();

    std::vector<std::string> requests; ///< as they came
    /// Answers a request other than subscribe, given its id.
    std::function<void(const std::string &request, std::uint64_t id)> on_request;

private:
    void accept_one();
    void receive();

    EventLoop &loop_;
    std::filesystem::path path_;
    UniqueFd listener_;
    UniqueFd connection_;
    EventSource listening_;
    EventSource reading_;
    std::string state_ = R"({"event":"state","stage":"preparing"})";
};

} // namespace banger::vm
