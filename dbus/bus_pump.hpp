#pragma once

#include "base/event_loop.hpp"

#include <functional>
#include <memory>

namespace sdbus {
class IConnection;
}

namespace banger::bus {

/// Drives a D-Bus connection from an EventLoop. When the bus goes away, `on_lost` is called once;
/// by default the loop ends with status 1. sdbus-c++'s own attachment (2.x) throws through C frames
/// then, and 1.x has none.
class BusPump {
public:
    BusPump(EventLoop &loop, sdbus::IConnection &connection, std::function<void()> on_lost = {});
    ~BusPump();
    BusPump(const BusPump &) = delete;
    BusPump &operator=(const BusPump &) = delete;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace banger::bus
