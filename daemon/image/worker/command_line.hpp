#pragma once

#include "daemon/image/worker/report.hpp"

#include <functional>

namespace CLI {
class App;
}

namespace banger::image {

/// What one run of the worker does.
using Task = std::function<void(Report &report)>;

/// Adds a subcommand for each task; the one that is parsed sets `task`. Both must outlive the
/// parsing.
void add_tasks(CLI::App &app, Task &task);

} // namespace banger::image
