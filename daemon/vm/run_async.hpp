#pragma once

#include "base/event_loop.hpp"
#include "base/outcome.hpp"
#include "base/process.hpp"
#include "daemon/task/child_task.hpp"

#include <functional>
#include <memory>
#include <string>

namespace banger::vm {

/// Calls back later, once, with what the program wrote to standard output (at most 1 MiB), or with
/// an Error that holds the last line which it wrote to standard error. Destroying the task kills
/// the program, and `done` is not called. Throws Error when it cannot be started.
std::unique_ptr<task::ChildTask> run_async(EventLoop &loop, Command command,
                                           std::function<void(Outcome<std::string>)> done);

} // namespace banger::vm
