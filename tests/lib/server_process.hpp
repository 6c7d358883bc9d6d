#pragma once

#include "base/process.hpp"
#include "base/unique_fd.hpp"

#include <nlohmann/json_fwd.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace banger::test {

/// A Python program that serves a directory on 127.0.0.1: its first line is the port, and each
/// request becomes a line of JSON in the log. Ends with this object.
class ServerProcess {
public:
    ServerProcess(const std::filesystem::path &program, const std::filesystem::path &directory,
                  std::filesystem::path log, const std::vector<std::string> &options);

    /// "127.0.0.1:PORT"
    std::string address() const { return "127.0.0.1:" + port_; }
    /// The requests so far.
    std::vector<nlohmann::json> requests() const;

private:
    std::filesystem::path log_;
    UniqueFd output_;
    ChildProcess process_;
    std::string port_;
};

} // namespace banger::test
