#include "agent/channel/handshake.hpp"

#include "base/error.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace banger::channel {
namespace {

bool is_hex(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

/// The nonce if `line` begins with a whole hello line.
std::optional<std::string> hello_at_front(std::string_view line) {
    if (line.size() < hello_length || !line.starts_with(hello_prefix) ||
        line[hello_length - 1] != '\n') {
        return std::nullopt;
    }
    const std::string_view nonce = line.substr(hello_prefix.size(), nonce_length);
    if (!std::all_of(nonce.begin(), nonce.end(), is_hex)) {
        return std::nullopt;
    }
    return std::string(nonce);
}

bool is_beginning_of(std::string_view bytes, std::string_view whole) {
    return whole.starts_with(bytes.substr(0, whole.size()));
}

} // namespace

std::string new_nonce() {
    std::array<std::uint8_t, nonce_length / 2> random{};
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size())) {
        throw_errno("get random bytes");
    }
    std::string nonce;
    for (const std::uint8_t byte : random) {
        nonce += fmt::format("{:02x}", byte);
    }
    return nonce;
}

std::string hello_line(std::string_view nonce) {
    return fmt::format("{}{}\n", hello_prefix, nonce);
}

std::optional<std::string> HelloScanner::next() {
    for (;;) {
        const std::size_t at = pending_.find(hello_prefix);
        if (at == std::string::npos) {
            const std::size_t keep = std::min(pending_.size(), hello_prefix.size() - 1);
            pending_.erase(0, pending_.size() - keep);
            return std::nullopt;
        }
        pending_.erase(0, at);
        if (pending_.size() < hello_length) {
            return std::nullopt;
        }
        auto nonce = hello_at_front(pending_);
        pending_.erase(0, nonce ? hello_length : 1);
        if (nonce) {
            return nonce;
        }
    }
}

std::string HelloScanner::take_rest() {
    return std::exchange(pending_, {});
}

HandshakeServer::Step HandshakeServer::feed(std::string_view bytes) {
    Step step;
    if (answered_) {
        pending_ += bytes;
    } else {
        scanner_.feed(bytes);
    }
    for (;;) {
        if (!answered_) {
            const auto nonce = scanner_.next();
            if (!nonce) {
                return step;
            }
            step.answer += hello_line(*nonce);
            answered_ = true;
            pending_ = scanner_.take_rest();
        }
        // Newlines are the filler of another hello.
        pending_.erase(0, std::min(pending_.find_first_not_of('\n'), pending_.size()));
        if (pending_.size() >= http2_preface.size() && pending_.starts_with(http2_preface)) {
            step.http2_data = std::exchange(pending_, {});
            return step;
        }
        if (const auto nonce = hello_at_front(pending_)) {
            step.answer += hello_line(*nonce);
            pending_.erase(0, hello_length);
            continue;
        }
        if (is_beginning_of(pending_, http2_preface) ||
            (pending_.size() < hello_length && is_beginning_of(pending_, hello_prefix))) {
            return step;
        }
        scanner_.feed(std::exchange(pending_, {}));
        answered_ = false;
    }
}

} // namespace banger::channel
