#include "daemon/image/worker/report.hpp"

#include "base/files.hpp"

#include <nlohmann/json.hpp>

namespace banger::image {

void Report::bytes(std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < std::chrono::milliseconds{100}) {
        return;
    }
    last_ = now;
    line({{"bytes", done}, {"total", total}});
}

void Report::result(const nlohmann::json &result) {
    line({{"result", result}});
}

void Report::error(const Error &error) {
    line({{"error", {{"code", to_string(error.code())}, {"message", error.what()}}}});
}

void Report::line(const nlohmann::json &value) {
    // A message may quote a file name that is not UTF-8.
    write_all(fd_, value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
              "report progress");
}

} // namespace banger::image
