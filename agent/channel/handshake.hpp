#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace banger::channel {

/// "banger-channel/1 " NONCE "\n"
constexpr std::string_view hello_prefix = "banger-channel/1 ";
constexpr std::size_t nonce_length = 32;
constexpr std::size_t hello_length = hello_prefix.size() + nonce_length + 1;
/// One HTTP/2 frame of the largest size that the channel uses, header included: ends whatever frame
/// a dead session left half-sent.
constexpr std::size_t filler_length = 16384 + 9;
/// What an HTTP/2 client says first (RFC 9113, 3.4).
constexpr std::string_view http2_preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// 32 hexadecimal digits from getrandom(2).
std::string new_nonce();
std::string hello_line(std::string_view nonce);

/// Finds hello lines among bytes that mean nothing; keeps less than one line of them.
class HelloScanner {
public:
    void feed(std::string_view bytes) { pending_ += bytes; }
    /// The nonce of the next hello line; what stood before it is gone.
    std::optional<std::string> next();
    /// What follows the line that next() returned last; the scanner is empty then.
    std::string take_rest();

private:
    std::string pending_;
};

/// The agent's half of the handshake: which of hello line, HTTP/2 preface and rubbish comes next.
class HandshakeServer {
public:
    struct Step {
        std::string answer;     ///< to be sent
        std::string http2_data; ///< not empty: the session begins, with these bytes
    };
    Step feed(std::string_view bytes);

private:
    bool answered_ = false;
    std::string pending_; ///< after an answer: the beginning of a preface or a hello line
    HelloScanner scanner_;
};

} // namespace banger::channel
