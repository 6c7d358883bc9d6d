#include "daemon/vm/run_async.hpp"

#include <sys/wait.h>

namespace banger::vm {
namespace {

constexpr std::size_t output_limit = 1U << 20U;

struct Run {
    std::string program;
    std::string output;
    std::string complaint;
};

} // namespace

std::unique_ptr<task::ChildTask> run_async(EventLoop &loop, Command command,
                                           std::function<void(Outcome<std::string>)> done) {
    // Shared by the handlers, which live as long as the task.
    const auto run = std::make_shared<Run>();
    run->program = command.argv.at(0);
    task::ChildTask::Handlers handlers;
    handlers.output = [run](std::string_view line) {
        if (run->output.size() + line.size() < output_limit) {
            run->output.append(line).append("\n");
        }
    };
    handlers.complaint = [run](std::string_view line) { run->complaint = line; };
    handlers.ended = [run, done = std::move(done)](int status) {
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            done(run->output);
        } else {
            done(Error(ErrorCode::Internal,
                       fmt::format("{} {}{}{}", run->program, describe_exit(status),
                                   run->complaint.empty() ? "" : ": ", run->complaint)));
        }
    };
    return std::make_unique<task::ChildTask>(loop, std::move(command), std::move(handlers));
}

} // namespace banger::vm
