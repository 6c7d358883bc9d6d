#pragma once

#include "base/error.hpp"

#include <nlohmann/json_fwd.hpp>

#include <chrono>
#include <cstdint>

namespace banger::image {

/// What a worker tells its parent, as JSON lines on standard output:
/// {"bytes":done,"total":total}, {"result":{…}} and {"error":{"code":"DiskFull","message":"…"}}.
class Report {
public:
    explicit Report(int fd) : fd_(fd) {}

    /// At most ten lines a second go out.
    void bytes(std::uint64_t done, std::uint64_t total);
    void result(const nlohmann::json &result);
    void error(const Error &error);

private:
    void line(const nlohmann::json &value);

    int fd_;
    std::chrono::steady_clock::time_point last_{};
};

} // namespace banger::image
