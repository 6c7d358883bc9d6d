#include "tests/unit/oci/test_registry.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <unistd.h>

#include <sstream>

namespace banger::oci::test {

TestRegistry::TestRegistry(const std::filesystem::path &layout, std::filesystem::path log,
                           std::vector<std::string> options)
    : log_(std::move(log)) {
    FdPair output = make_pipe();
    Command command;
    command.argv = {"python3", BANGER_TEST_REGISTRY, layout.string(), "--log", log_.string()};
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
        fail(ErrorCode::Internal, "the test's registry did not start");
    }
}

std::vector<nlohmann::json> TestRegistry::requests(const std::string &part) const {
    std::vector<nlohmann::json> requests;
    std::istringstream lines{read_file(log_)};
    for (std::string line; std::getline(lines, line);) {
        auto request = nlohmann::json::parse(line);
        if (request["path"].get<std::string>().find(part) != std::string::npos) {
            requests.push_back(std::move(request));
        }
    }
    return requests;
}

} // namespace banger::oci::test
