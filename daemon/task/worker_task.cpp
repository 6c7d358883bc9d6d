#include "daemon/task/worker_task.hpp"

#include "base/log.hpp"

#include <nlohmann/json.hpp>
#include <sys/wait.h>

namespace banger::task {

WorkerTask::WorkerTask(EventLoop &loop, const std::filesystem::path &worker,
                       std::vector<std::string> arguments, std::optional<int> standard_input,
                       Handlers handlers)
    : handlers_(std::move(handlers)) {
    Command command;
    command.argv = std::move(arguments);
    command.argv.insert(command.argv.begin(), worker.string());
    command.standard_input = standard_input;
    command.die_with_parent = true;
    child_ = std::make_unique<ChildTask>(
        loop, std::move(command),
        ChildTask::Handlers{[this](std::string_view line) { take_line(line); },
                            {},
                            {},
                            [this](int status) { finish(status); }});
}

WorkerTask::~WorkerTask() = default;

void WorkerTask::take_line(std::string_view line) {
    try {
        const auto message = nlohmann::json::parse(line);
        if (message.contains("bytes") && handlers_.bytes) {
            handlers_.bytes(message.at("bytes").get<std::uint64_t>(),
                            message.at("total").get<std::uint64_t>());
        } else if (message.contains("result")) {
            result_ = std::make_unique<nlohmann::json>(message.at("result"));
        } else if (message.contains("error")) {
            const auto &error = message.at("error");
            error_ = Error{error_code_from(error.at("code").get<std::string>()),
                           error.at("message").get<std::string>()};
        }
    } catch (const nlohmann::json::exception &error) {
        log::warning(
            fmt::format("banger-image-worker wrote a line that is no message: {}", error.what()));
    }
}

void WorkerTask::finish(int status) {
    const auto ended = std::move(handlers_.ended);
    if (error_) {
        ended(*error_);
    } else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !result_) {
        const auto &said = child_->complaints();
        ended(Error{ErrorCode::Internal,
                    fmt::format("banger-image-worker {}{}{}", describe_exit(status),
                                said.empty() ? "" : ": ", said.empty() ? "" : said.back())});
    } else {
        ended(std::move(*result_));
    }
}

} // namespace banger::task
