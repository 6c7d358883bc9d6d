#include "agent/agent/exec_table.hpp"

#include "base/error.hpp"

#include <algorithm>

namespace banger::agent {
namespace {

constexpr std::size_t exec_limit = 512;

bool is_id(std::string_view text) {
    constexpr std::size_t length = 16;
    return text.size() == length && std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
           });
}

} // namespace

std::shared_ptr<Exec> ExecTable::find_or_make(const std::string &id) {
    if (const auto found = execs_.find(id); found != execs_.end()) {
        return found->second;
    }
    if (closed_) {
        fail(ErrorCode::InvalidState, "the guest is shutting down");
    }
    if (execs_.size() >= exec_limit) {
        std::erase_if(execs_, [](const auto &entry) { return entry.second->over(); });
    }
    if (execs_.size() >= exec_limit) {
        fail(ErrorCode::LimitsExceeded, "{} execs run in the guest already", exec_limit);
    }
    auto exec = std::make_shared<Exec>(loop_, id, [this, id] { execs_.erase(id); });
    execs_.emplace(id, exec);
    return exec;
}

void ExecTable::request(const channel::Request &request, std::string_view rest,
                        const channel::Stream &stream) {
    const std::size_t slash = rest.find('/');
    const std::string id{rest.substr(0, slash)};
    const std::string_view part = slash == std::string_view::npos ? "" : rest.substr(slash + 1);
    if (!is_id(id)) {
        fail(ErrorCode::InvalidArgument, "'{}' is no ID of an exec (16 hexadecimal digits)", id);
    }
    const auto is = [&](std::string_view method, std::string_view name) {
        return request.method == method && part == name;
    };
    if (is("POST", "")) {
        find_or_make(id)->attach_control(stream);
    } else if (is("PUT", "stdin")) {
        find_or_make(id)->attach_stdin(stream);
    } else if (is("GET", "stdout")) {
        find_or_make(id)->attach_stdout(stream);
    } else if (is("GET", "stderr")) {
        find_or_make(id)->attach_stderr(stream);
    } else {
        fail(ErrorCode::NotFound, "an exec has no {} {}", request.method, part);
    }
}

void ExecTable::ask_all_to_end() {
    for (const auto &[id, exec] : std::map(execs_)) {
        exec->ask_to_end();
    }
}

void ExecTable::kill_all() {
    for (const auto &[id, exec] : std::map(execs_)) {
        exec->kill();
    }
}

bool ExecTable::any_alive() const {
    return std::any_of(execs_.begin(), execs_.end(),
                       [](const auto &entry) { return entry.second->alive(); });
}

} // namespace banger::agent
