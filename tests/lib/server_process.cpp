#include "tests/lib/server_process.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <nlohmann/json.hpp>
#include <unistd.h>

#include <sstream>

namespace banger::test {

ServerProcess::ServerProcess(const std::filesystem::path &program,
                             const std::filesystem::path &directory, std::filesystem::path log,
                             const std::vector<std::string> &options)
    : log_(std::move(log)) {
    FdPair output = make_pipe();
    Command command;
    command.argv = {"python3", program.string(), directory.string(), "--log", log_.string()};
    command.argv.insert(command.argv.end(), options.begin(), options.end());
    command.standard_output = output.second.get();
    command.die_with_parent = true;
    process_ = spawn(command);
    output_ = std::move(output.first);
    output.second.reset();
    char byte = 0;
    while (::read(output_.get(), &byte, 1) == 1 && byte != '\n') {
        port_ += byte;
    }
    if (port_.empty()) {
        fail(ErrorCode::Internal, "{} did not start", program.string());
    }
}

std::vector<nlohmann::json> ServerProcess::requests() const {
    std::vector<nlohmann::json> requests;
    std::istringstream lines{read_file(log_)};
    for (std::string line; std::getline(lines, line);) {
        requests.push_back(nlohmann::json::parse(line));
    }
    return requests;
}

} // namespace banger::test
