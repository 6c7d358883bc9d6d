#include "cli/exec_control.hpp"

#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <vector>

namespace banger::cli {
namespace {

constexpr std::size_t max_packet = 64UL * 1024UL;

int signal_number(const std::string &name) {
    for (int number = 1; number < NSIG; ++number) {
        const char *known = ::sigabbrev_np(number);
        if (known != nullptr && name == known) {
            return number;
        }
    }
    return SIGKILL;
}

} // namespace

ExecEvent parse_exec_event(std::string_view packet) {
    const auto json = nlohmann::json::parse(packet, nullptr, false);
    if (!json.is_object()) {
        fail(ErrorCode::Internal, "the guest's supervisor sent what is no JSON object");
    }
    ExecEvent event;
    if (const auto exit = json.find("exit"); exit != json.end() && exit->is_number_integer()) {
        event.kind = ExecEvent::Kind::Ended;
        event.status = static_cast<int>(exit->get<std::int64_t>() & 0xff);
    } else if (const auto name = json.find("signal"); name != json.end() && name->is_string()) {
        event.kind = ExecEvent::Kind::Ended;
        event.status = 128 + signal_number(name->get<std::string>());
    } else if (const auto lost = json.find("lost"); lost != json.end()) {
        event.kind = ExecEvent::Kind::Failed;
        event.message = "the guest's program was lost";
        if (lost->is_string()) {
            event.message += ": " + printable(lost->get<std::string>());
        }
    } else if (const auto error = json.find("error"); error != json.end() && error->is_object()) {
        event.kind = ExecEvent::Kind::Failed;
        event.code = error_code_from(error->value("code", "Internal"));
        event.message = printable(error->value("message", "the guest could not run it"));
    }
    return event;
}

void ExecControl::resize(WindowSize size) {
    send(nlohmann::json{{"winch", {{"rows", size.rows}, {"cols", size.columns}}}}.dump());
}

void ExecControl::signal(int number) {
    if (const char *name = ::sigabbrev_np(number); name != nullptr) {
        send(nlohmann::json{{"signal", name}}.dump());
    }
}

void ExecControl::send(const std::string &packet) {
    // A peer that has gone is told by receive().
    [[maybe_unused]] const ssize_t n =
        ::send(socket_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
}

std::optional<ExecEvent> ExecControl::receive() {
    std::vector<char> packet(max_packet);
    ssize_t n = 0;
    do {
        n = ::recv(socket_.get(), packet.data(), packet.size(), 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        return std::nullopt;
    }
    return parse_exec_event({packet.data(), static_cast<std::size_t>(n)});
}

void ExecControl::wait_for_start() {
    const std::optional<ExecEvent> event = receive();
    if (!event) {
        fail(ErrorCode::Internal, "the connection to the guest was lost before the program ran");
    }
    if (event->kind == ExecEvent::Kind::Failed) {
        throw Error(event->code, event->message);
    }
}

} // namespace banger::cli
