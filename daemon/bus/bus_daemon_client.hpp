#pragma once

#include "base/outcome.hpp"

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

namespace sdbus {
class IConnection;
class IProxy;
} // namespace sdbus

namespace banger::bus {

/// What the message bus knows of who is connected to it.
class BusDaemonClient {
public:
    explicit BusDaemonClient(sdbus::IConnection &bus);
    ~BusDaemonClient();

    /// The process behind a unique name (":1.42"); calls back later.
    void process_of(const std::string &unique_name, std::function<void(Outcome<pid_t>)> done);

private:
    std::unique_ptr<sdbus::IProxy> proxy_;
};

} // namespace banger::bus
