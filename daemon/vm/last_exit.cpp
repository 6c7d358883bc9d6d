#include "daemon/vm/last_exit.hpp"

#include <nlohmann/json.hpp>

namespace banger::vm {

std::optional<Error> error_of_last_exit(std::string_view text) {
    try {
        const auto exit = nlohmann::json::parse(text);
        if (exit.at("clean").get<bool>()) {
            return std::nullopt;
        }
        const auto reason = exit.at("reason").get<std::string>();
        const auto message = exit.at("message").get<std::string>();
        if (const auto code = exit.find("code"); code != exit.end() && code->is_string()) {
            return Error(error_code_from(code->get<std::string>()), message);
        }
        return Error(reason == "out-of-memory" ? ErrorCode::LimitsExceeded : ErrorCode::VmmFailed,
                     message.empty() ? reason : message);
    } catch (const nlohmann::json::exception &e) {
        return Error(ErrorCode::Internal,
                     fmt::format("how the VM ended is not known: last-exit.json: {}", e.what()));
    }
}

} // namespace banger::vm
