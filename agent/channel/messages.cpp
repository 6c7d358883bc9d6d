#include "agent/channel/messages.hpp"

#include "agent/channel/handshake.hpp"

#include <nlohmann/json.hpp>

namespace banger::channel {
namespace {

using Json = nlohmann::json;

std::string dump(const Json &json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json parse_object(std::string_view text, std::string_view what) {
    Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) {
        fail(ErrorCode::InvalidArgument, "{} is no JSON object", what);
    }
    return json;
}

/// The field, or `fallback` if it is missing or null; another type is an error that names it.
template <typename T>
T get(const Json &json, const char *name, T fallback) {
    const auto found = json.find(name);
    if (found == json.end() || found->is_null()) {
        return fallback;
    }
    const bool right = std::is_same_v<T, bool>          ? found->is_boolean()
                       : std::is_unsigned_v<T>          ? found->is_number_unsigned()
                       : std::is_integral_v<T>          ? found->is_number_integer()
                       : std::is_same_v<T, std::string> ? found->is_string()
                                                        : found->is_array();
    if (!right) {
        fail(ErrorCode::InvalidArgument, "the field '{}' has the wrong type", name);
    }
    try {
        return found->get<T>();
    } catch (const Json::exception &) {
        fail(ErrorCode::InvalidArgument, "the field '{}' has the wrong type", name);
    }
}

WindowSize window_size(const Json &json) {
    constexpr std::uint64_t limit = 65535;
    const auto rows = get<std::uint64_t>(json, "rows", 0);
    const auto columns = get<std::uint64_t>(json, "cols", 0);
    if (rows > limit || columns > limit) {
        fail(ErrorCode::InvalidArgument, "a terminal of {} rows and {} columns is too large", rows,
             columns);
    }
    return {static_cast<std::uint16_t>(rows), static_cast<std::uint16_t>(columns)};
}

Json window_json(const WindowSize &size) {
    return {{"rows", size.rows}, {"cols", size.columns}};
}

Json error_json(const Error &error) {
    return {{"code", to_string(error.code())}, {"message", error.what()}};
}

Error error_from(const Json &json) {
    return {error_code_from(get<std::string>(json, "code", "Internal")),
            get<std::string>(json, "message", "the guest gave no reason")};
}

template <typename... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

} // namespace

std::string to_json(const Hello &hello) {
    return dump({{"version", hello.version},
                 {"boot_generation", hello.boot_generation},
                 {"boot_id", hello.boot_id},
                 {"agent_version", hello.agent_version},
                 {"init", hello.init},
                 {"kernel", hello.kernel}});
}

Hello parse_hello(std::string_view text) {
    const Json json = parse_object(text, "the agent's hello");
    Hello hello;
    hello.version = get<int>(json, "version", 0);
    hello.boot_generation = get<std::uint64_t>(json, "boot_generation", 0);
    hello.boot_id = get<std::string>(json, "boot_id", "");
    hello.agent_version = get<std::string>(json, "agent_version", "");
    hello.init = get<std::string>(json, "init", "other");
    hello.kernel = get<std::string>(json, "kernel", "");
    return hello;
}

std::string to_json(const ExecSpec &spec) {
    Json json{{"argv", spec.argv},
              {"env", spec.env},
              {"cwd", spec.cwd},
              {"user", spec.user},
              {"tty", nullptr},
              {"stdin", spec.attach_stdin},
              {"stdout", spec.attach_stdout},
              {"stderr", spec.attach_stderr},
              {"detach", spec.detach}};
    if (spec.tty) {
        json["tty"] = window_json(*spec.tty);
        json["tty"]["term"] = spec.term;
    }
    return dump(json);
}

ExecSpec parse_exec_spec(std::string_view text) {
    const Json json = parse_object(text, "the spec of an exec");
    ExecSpec spec;
    spec.argv = get<std::vector<std::string>>(json, "argv", {});
    spec.env = get<std::vector<std::string>>(json, "env", {});
    spec.cwd = get<std::string>(json, "cwd", "");
    spec.user = get<std::string>(json, "user", "");
    spec.attach_stdin = get<bool>(json, "stdin", false);
    spec.attach_stdout = get<bool>(json, "stdout", false);
    spec.attach_stderr = get<bool>(json, "stderr", false);
    spec.detach = get<bool>(json, "detach", false);
    if (const auto tty = json.find("tty"); tty != json.end() && !tty->is_null()) {
        if (!tty->is_object()) {
            fail(ErrorCode::InvalidArgument, "the field 'tty' has the wrong type");
        }
        spec.tty = window_size(*tty);
        spec.term = get<std::string>(*tty, "term", "");
    }
    for (const auto *list : {&spec.argv, &spec.env}) {
        for (const std::string &word : *list) {
            if (word.find('\0') != std::string::npos) {
                fail(ErrorCode::InvalidArgument, "an argument or variable holds a null byte");
            }
        }
    }
    return spec;
}

std::string to_json(const ExecControl &control) {
    return dump(std::visit(Overloaded{[](const WindowSize &size) {
                                          return Json{{"winch", window_json(size)}};
                                      },
                                      [](const SignalRequest &request) {
                                          return Json{{"signal", request.name}};
                                      },
                                      [](const EndOfInput &) {
                                          return Json{{"eof", true}};
                                      }},
                           control));
}

ExecControl parse_exec_control(std::string_view text) {
    const Json json = parse_object(text, "a control line of an exec");
    if (const auto winch = json.find("winch"); winch != json.end() && winch->is_object()) {
        return window_size(*winch);
    }
    if (json.contains("signal")) {
        return SignalRequest{get<std::string>(json, "signal", "")};
    }
    if (get<bool>(json, "eof", false)) {
        return EndOfInput{};
    }
    fail(ErrorCode::InvalidArgument, "a control line of an exec holds none of winch, signal, eof");
}

std::string to_json(const ExecReport &report) {
    return dump(
        std::visit(Overloaded{[](const ExecStarted &started) {
                                  return Json{{"started", {{"pid", started.pid}}}};
                              },
                              [](const ExecExited &exited) {
                                  return Json{{"exit", exited.code}};
                              },
                              [](const ExecSignalled &signalled) {
                                  return Json{{"signal", signalled.name}, {"core", signalled.core}};
                              },
                              [](const Error &error) {
                                  return Json{{"error", error_json(error)}};
                              }},
                   report));
}

ExecReport parse_exec_report(std::string_view text) {
    const Json json = parse_object(text, "a report of an exec");
    if (const auto started = json.find("started"); started != json.end() && started->is_object()) {
        return ExecStarted{get<std::int64_t>(*started, "pid", 0)};
    }
    if (json.contains("exit")) {
        return ExecExited{get<int>(json, "exit", 0)};
    }
    if (json.contains("signal")) {
        return ExecSignalled{get<std::string>(json, "signal", ""), get<bool>(json, "core", false)};
    }
    if (const auto error = json.find("error"); error != json.end() && error->is_object()) {
        return error_from(*error);
    }
    fail(ErrorCode::InvalidArgument, "a report of an exec holds nothing that is known");
}

std::string to_json(const Event &event) {
    switch (event.kind) {
    case Event::Kind::LoginReady:
        return dump({{"event", "login-ready"}});
    case Event::Kind::BootFinished:
        return dump({{"event", "boot-finished"}});
    case Event::Kind::Status:
        return dump({{"event", "status"}, {"text", event.text}});
    case Event::Kind::Shutdown:
        return dump({{"event", "shutdown"}, {"kind", event.text}});
    }
    fail(ErrorCode::Internal, "an event of no known kind");
}

Event parse_event(std::string_view text) {
    const Json json = parse_object(text, "an event");
    const auto name = get<std::string>(json, "event", "");
    if (name == "login-ready") {
        return {Event::Kind::LoginReady, {}};
    }
    if (name == "boot-finished") {
        return {Event::Kind::BootFinished, {}};
    }
    if (name == "status") {
        return {Event::Kind::Status, get<std::string>(json, "text", "")};
    }
    if (name == "shutdown") {
        return {Event::Kind::Shutdown, get<std::string>(json, "kind", "")};
    }
    fail(ErrorCode::InvalidArgument, "the event '{}' is not known", name);
}

std::string to_json(const Error &error) {
    return dump(error_json(error));
}

Error parse_error(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    try {
        if (json.is_object() && json.contains("message")) {
            return error_from(json);
        }
    } catch (const Error &) {
        // Falls through: it is not ours.
    }
    constexpr std::size_t quoted = 200;
    return {ErrorCode::Internal,
            fmt::format("the guest's agent answered with '{}'", text.substr(0, quoted))};
}

int http_status(ErrorCode code) noexcept {
    switch (code) {
    case ErrorCode::NotFound:
        return 404;
    case ErrorCode::InvalidArgument:
        return 400;
    case ErrorCode::NotAuthorized:
        return 403;
    case ErrorCode::AlreadyExists:
    case ErrorCode::InvalidState:
    case ErrorCode::Busy:
        return 409;
    case ErrorCode::LimitsExceeded:
        return 429;
    case ErrorCode::Unsupported:
        return 501;
    case ErrorCode::DiskFull:
        return 507;
    default:
        return 500;
    }
}

std::string new_exec_id() {
    constexpr std::size_t length = 16;
    return new_nonce().substr(0, length);
}

void LineSplitter::feed(std::string_view bytes,
                        const std::function<void(std::string_view line)> &on_line) {
    while (!bytes.empty()) {
        const std::size_t end = bytes.find('\n');
        const std::string_view part = bytes.substr(0, end);
        if (pending_.size() + part.size() > limit_) {
            pending_.clear();
            fail(ErrorCode::LimitsExceeded, "a line is longer than {} bytes", limit_);
        }
        pending_ += part;
        if (end == std::string_view::npos) {
            return;
        }
        bytes.remove_prefix(end + 1);
        const std::string line = std::exchange(pending_, {});
        on_line(line);
    }
}

} // namespace banger::channel
