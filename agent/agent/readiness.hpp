#pragma once

#include "agent/agent/events.hpp"
#include "agent/agent/loop.hpp"

namespace banger::agent {

/// The guest has an SSH server installed.
bool has_sshd();
/// Something listens on that TCP port, on any address.
bool listens_on(unsigned port);

/// What our unit in a systemd guest runs once logins are possible: tells the agent. Fails when the
/// guest has an SSH server and it does not listen; has nothing to tell where there is none.
int tell_login_ready();

/// For a guest whose init tells nothing: looks for a while until its SSH server listens, which is
/// login-ready. Of the boot it tells the end where nothing is to be waited for: no SSH server, no
/// init that would start it, or one that does not listen in time.
class LoginWatch {
public:
    LoginWatch(Loop &loop, Events &events, bool init_may_start_sshd);

private:
    void look();
    void boot_finished();

    Loop &loop_;
    Events &events_;
    int looks_ = 0;
    bool boot_finished_ = false;
    Loop::Watch timer_;
};

} // namespace banger::agent
