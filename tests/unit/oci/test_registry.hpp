#pragma once

#include "tests/lib/server_process.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace banger::oci::test {

/// registry.py, running.
class TestRegistry {
public:
    TestRegistry(const std::filesystem::path &layout, std::filesystem::path log,
                 const std::vector<std::string> &options = {})
        : process_(BANGER_TEST_REGISTRY, layout, std::move(log), options) {}

    /// "127.0.0.1:PORT"
    std::string address() const { return process_.address(); }
    /// The requests so far whose path has this in it.
    std::vector<nlohmann::json> requests(const std::string &part = "") const {
        auto requests = process_.requests();
        std::erase_if(requests, [&](const nlohmann::json &request) {
            return request.at("path").get<std::string>().find(part) == std::string::npos;
        });
        return requests;
    }

private:
    banger::test::ServerProcess process_;
};

} // namespace banger::oci::test
