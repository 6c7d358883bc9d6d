#include "agent/agent/readiness.hpp"

#include "agent/agent/log.hpp"
#include "agent/agent/notify.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <unistd.h>

#include <chrono>
#include <utility>

namespace banger::agent {
namespace {

using namespace std::chrono_literals;

constexpr unsigned ssh_port = 22;
constexpr auto between_looks = 200ms;
/// Half a minute, then two: not every image that has an SSH server starts it.
constexpr int looks_of_boot = 150;
constexpr int most_looks = 600;

} // namespace

bool has_sshd() {
    return ::access("/usr/sbin/sshd", X_OK) == 0;
}

bool listens_on(unsigned port) {
    // proc(5): "sl: LOCAL:PORT REMOTE:PORT STATE", in hexadecimal; 0A is TCP_LISTEN.
    const std::string wanted = fmt::format(":{:04X} ", port);
    for (const char *table : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        std::string content;
        try {
            content = read_file(table);
        } catch (const Error &) {
            continue;
        }
        std::string_view rest = content;
        while (!rest.empty()) {
            const std::string_view line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(line.size() + 1, rest.size()));
            const std::size_t local = line.find(wanted);
            const std::size_t remote = line.find(":0000 0A ");
            if (local != std::string_view::npos && remote != std::string_view::npos &&
                local < remote) {
                return true;
            }
        }
    }
    return false;
}

int tell_login_ready() {
    constexpr auto answer_time = 5000ms;
    if (!has_sshd()) {
        return 0;
    }
    if (!listens_on(ssh_port)) {
        log("the SSH server does not listen: no login is possible");
        return 1;
    }
    return notify_and_wait("BANGER=login-ready", answer_time) ? 0 : 1;
}

LoginWatch::LoginWatch(Loop &loop, Events &events, bool init_may_start_sshd)
    : loop_(loop), events_(events) {
    if (!has_sshd() || !init_may_start_sshd) {
        boot_finished();
    }
    if (has_sshd()) {
        look();
    }
}

void LoginWatch::look() {
    if (listens_on(ssh_port)) {
        events_.tell({channel::Event::Kind::LoginReady, {}});
        boot_finished();
        return;
    }
    ++looks_;
    if (looks_ == looks_of_boot) {
        boot_finished();
    }
    if (looks_ < most_looks) {
        timer_ = loop_.timer(between_looks, [this] { look(); });
    }
}

void LoginWatch::boot_finished() {
    if (!std::exchange(boot_finished_, true)) {
        events_.tell({channel::Event::Kind::BootFinished, {}});
    }
}

} // namespace banger::agent
