#pragma once

#include "base/process.hpp"
#include "base/unique_fd.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace banger::test {

/// server.py, running.
class TestServer {
public:
    TestServer(const std::filesystem::path &directory, std::filesystem::path log,
               std::vector<std::string> options = {});

    std::string url(const std::string &file) const {
        return "http://127.0.0.1:" + port_ + "/" + file;
    }
    std::vector<nlohmann::json> requests() const;

private:
    std::filesystem::path log_;
    UniqueFd output_;
    ChildProcess process_;
    std::string port_;
};

} // namespace banger::test
