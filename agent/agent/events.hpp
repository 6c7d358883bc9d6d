#pragma once

#include "agent/channel/messages.hpp"
#include "agent/channel/session.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>

namespace banger::agent {

/// What has become of the guest, for all who listen on GET /v1/events.
class Events {
public:
    void tell(const channel::Event &event);
    /// Answers the request: first what already holds, then what comes.
    void subscribe(const channel::Stream &stream);

private:
    bool login_ready_ = false;
    bool boot_finished_ = false;
    std::optional<channel::Event> status_;
    std::optional<channel::Event> shutdown_;
    std::map<std::uint64_t, channel::Stream> subscribers_;
    std::uint64_t next_ = 0;
};

} // namespace banger::agent
