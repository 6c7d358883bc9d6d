#pragma once

#include "agent/agent/events.hpp"
#include "agent/agent/loop.hpp"

namespace banger::agent {

/// The guest has an SSH server installed.
bool has_sshd();
/// Something listens on that TCP port, on any address.
bool listens_on(unsigned port);

/// What our unit in a systemd guest runs once logins are possible: tells the agent. Fails when the
/// guest has an SSH server and it does not listen.
int tell_login_ready();

/// For a guest whose init tells nothing: looks until its SSH server listens, for a while.
class LoginWatch {
public:
    LoginWatch(Loop &loop, Events &events);

private:
    void look();

    Loop &loop_;
    Events &events_;
    int looks_left_;
    Loop::Watch timer_;
};

} // namespace banger::agent
