#pragma once

#include "tests/lib/server_process.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace banger::test {

/// server.py, running.
class TestServer {
public:
    TestServer(const std::filesystem::path &directory, std::filesystem::path log,
               const std::vector<std::string> &options = {})
        : process_(BANGER_TEST_SERVER, directory, std::move(log), options) {}

    std::string url(const std::string &file) const {
        return "http://" + process_.address() + "/" + file;
    }
    std::vector<nlohmann::json> requests() const { return process_.requests(); }

private:
    ServerProcess process_;
};

} // namespace banger::test
