#pragma once

#include "base/event_loop.hpp"
#include "base/unique_fd.hpp"
#include "daemon/supervisor/control_server.hpp"
#include "daemon/supervisor/guest_channel.hpp"
#include "daemon/supervisor/session.hpp"

#include <list>
#include <memory>
#include <vector>

namespace banger::supervisor {

/// What `supervisor.sock` offers: owns the sessions that its requests begin. They live on when
/// whoever asked for them goes.
class Service {
public:
    Service(EventLoop &loop, GuestChannel &channel) : loop_(loop), channel_(channel) {}

    /// Throws Error when the request cannot be begun.
    void handle(Operation operation, std::vector<UniqueFd> descriptors, const Answer &answer);

private:
    void exec(ExecRequest request, std::vector<UniqueFd> descriptors, const Answer &answer);
    void open(const OpenRequest &request, const Answer &answer);
    void put_files(const PutFilesRequest &request, std::vector<UniqueFd> descriptors,
                   const Answer &answer);
    void identity(IdentityRequest request, const Answer &answer);
    void sweep();

    EventLoop &loop_;
    GuestChannel &channel_;
    std::list<std::unique_ptr<Session>> sessions_;
    EventSource sweep_;
};

} // namespace banger::supervisor
