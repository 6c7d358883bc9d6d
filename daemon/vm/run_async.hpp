#pragma once

#include "base/event_loop.hpp"
#include "base/outcome.hpp"
#include "base/process.hpp"

#include <functional>
#include <memory>
#include <string>

namespace banger::vm {

/// A program that runs beside the event loop. Destroying it kills the program, and `done` is not
/// called.
class AsyncRun {
public:
    virtual ~AsyncRun() = default;
};

/// Calls back later, once, with what the program wrote to standard output (at most 1 MiB), or with
/// an Error that holds the end of what it wrote to standard error. Throws Error when it cannot be
/// started.
std::unique_ptr<AsyncRun> run_async(EventLoop &loop, Command command,
                                    std::function<void(Outcome<std::string>)> done);

} // namespace banger::vm
