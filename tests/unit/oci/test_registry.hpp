#pragma once

#include "base/process.hpp"
#include "base/unique_fd.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace banger::oci::test {

/// registry.py, running.
class TestRegistry {
public:
    TestRegistry(const std::filesystem::path &layout, std::filesystem::path log,
                 std::vector<std::string> options = {});

    /// "127.0.0.1:PORT"
    std::string address() const { return "127.0.0.1:" + port_; }
    /// The requests so far whose path has this in it.
    std::vector<nlohmann::json> requests(const std::string &part = "") const;

private:
    std::filesystem::path log_;
    UniqueFd output_;
    ChildProcess process_;
    std::string port_;
};

} // namespace banger::oci::test
