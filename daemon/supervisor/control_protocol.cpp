#include "daemon/supervisor/control_protocol.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace banger::supervisor {
namespace {

using Json = nlohmann::ordered_json;

// Texts of a guest may hold anything.
std::string dump(const Json &json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string text_of(const Json &object, const char *key) {
    const auto found = object.find(key);
    if (found == object.end() || !found->is_string()) {
        fail(ErrorCode::InvalidArgument, "the request has no text '{}'", key);
    }
    return found->get<std::string>();
}

ExecRequest exec_request(const Json &json, std::string_view text) {
    ExecRequest request{.spec = channel::parse_exec_spec(text), .streams = {}};
    const auto found = json.find("streams");
    if (found != json.end() && !found->is_array()) {
        fail(ErrorCode::InvalidArgument, "'streams' of the exec is not a list");
    }
    for (const Json &stream : found == json.end() ? Json::array() : *found) {
        const std::string name = stream.is_string() ? stream.get<std::string>() : "";
        const auto &seen = request.streams;
        if ((name != "stdin" && name != "stdout" && name != "stderr") ||
            std::find(seen.begin(), seen.end(), name) != seen.end()) {
            fail(ErrorCode::InvalidArgument,
                 "'streams' of the exec holds other things than stdin, stdout and stderr, once "
                 "each");
        }
        request.streams.push_back(name);
    }
    return request;
}

} // namespace

std::uint64_t request_id(std::string_view text) noexcept {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) {
        return 0;
    }
    const auto found = json.find("id");
    return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

Operation parse_operation(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object() || request_id(text) == 0) {
        fail(ErrorCode::InvalidArgument, "the packet is no JSON object with a positive 'id'");
    }
    const std::string op = text_of(json, "op");
    if (op == "subscribe") {
        return SubscribeRequest{};
    }
    if (op == "exec") {
        return exec_request(json, text);
    }
    if (op == "open") {
        return OpenRequest{text_of(json, "target")};
    }
    if (op == "put-files") {
        return PutFilesRequest{text_of(json, "directory")};
    }
    if (op == "identity") {
        const auto found = json.find("identity");
        if (found == json.end() || !found->is_object()) {
            fail(ErrorCode::InvalidArgument, "the request has no object 'identity'");
        }
        return IdentityRequest{dump(*found)};
    }
    fail(ErrorCode::Unsupported, "this supervisor does not know the request '{}'", op);
}

std::string_view to_string(Stage stage) noexcept {
    switch (stage) {
    case Stage::Preparing:
        return "preparing";
    case Stage::VmmStarted:
        return "vmm-started";
    case Stage::AgentReady:
        return "agent-ready";
    case Stage::Stopping:
        return "stopping";
    }
    return "preparing";
}

std::string hello_packet(std::string_view name) {
    return dump(Json{{"hello", {{"version", control_version}, {"name", name}}}});
}

std::string state_packet(const MachineState &state) {
    Json timings = Json::array();
    for (const auto &[stage, usec] : state.timings) {
        timings.push_back(Json::array({stage, usec}));
    }
    return dump(Json{{"event", "state"},
                     {"stage", to_string(state.stage)},
                     {"login_ready", state.login_ready},
                     {"boot_finished", state.boot_finished},
                     {"status", state.status},
                     {"timings", std::move(timings)}});
}

std::string ok_packet(std::uint64_t id) {
    return dump(Json{{"id", id}, {"ok", true}});
}

std::string ok_packet(std::uint64_t id, std::uint64_t entries, std::uint64_t bytes) {
    return dump(Json{{"id", id}, {"ok", true}, {"entries", entries}, {"bytes", bytes}});
}

std::string error_packet(std::uint64_t id, const Error &error) {
    return dump(Json{{"id", id},
                     {"error", {{"code", to_string(error.code())}, {"message", error.what()}}}});
}

std::string lost_packet(std::string_view why) {
    return dump(Json{{"lost", why}});
}

} // namespace banger::supervisor
