#pragma once

#include "base/error.hpp"
#include "base/event_loop.hpp"

#include <functional>
#include <memory>
#include <string>

namespace banger::supervisor {

/// The one call of org.banger.Supervision.Prepare on the session bus, under way. Destroying it
/// forgets the answer and leaves the bus.
class Preparation {
public:
    /// Exactly one of the two is called, from the event loop, unless the object is destroyed first;
    /// not from inside the constructor. Throws Error when there is no session bus.
    struct Callbacks {
        std::function<void(const std::string &runtime_directory)> on_prepared;
        std::function<void(const Error &error)> on_failed;
    };
    Preparation(EventLoop &loop, const std::string &name, Callbacks callbacks);
    ~Preparation();
    Preparation(const Preparation &) = delete;
    Preparation &operator=(const Preparation &) = delete;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace banger::supervisor
