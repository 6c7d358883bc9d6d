#include "daemon/supervisor/guest_channel.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include <fmt/format.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace banger::supervisor {
namespace {

using namespace std::chrono_literals;

// A guest that boots takes no bytes: the first hello waits for it in the socket, and repetitions
// are for an agent that had begun to read in the middle of one.
constexpr auto hello_interval = 5s;
constexpr auto pause_after_loss = 1s;
constexpr std::size_t buffer_size = 64U << 10U;
// What is moved in one turn of the event loop, each way.
constexpr std::size_t turn = 1U << 20U;
constexpr std::size_t max_answer = 64U << 10U;

Error lost_error() {
    return {ErrorCode::InvalidState, "the connection to the guest's agent was lost"};
}

} // namespace

GuestChannel::GuestChannel(EventLoop &loop, Callbacks callbacks)
    : loop_(loop), callbacks_(std::move(callbacks)),
      client_({.on_connected = [this] { on_connected(); },
               .on_lost = [this](const std::string &why) { lose(why); },
               .on_output =
                   [this] {
                       if (!pumping_) {
                           io_.set_events(EPOLLIN | EPOLLOUT);
                       }
                   }}),
      buffer_(buffer_size) {}

void GuestChannel::attach(UniqueFd transport) {
    detach();
    transport_ = std::move(transport);
    io_ = loop_.add_io(transport_.get(), EPOLLIN | EPOLLOUT,
                       [this](std::uint32_t revents) { on_io(revents); });
    say_hello();
}

void GuestChannel::detach() {
    drop_transport("the transport was closed");
}

void GuestChannel::drop_transport(const std::string &why) {
    hello_timer_.reset();
    io_.reset();
    client_.disconnect();
    transport_.reset();
    if (std::exchange(ready_, false) && callbacks_.on_lost) {
        callbacks_.on_lost(why);
    }
}

void GuestChannel::say_hello() {
    client_.restart();
    hello_timer_ = loop_.add_timer(hello_interval, [this] { say_hello(); });
}

void GuestChannel::lose(const std::string &why) {
    log::debug(fmt::format("the session with the guest's agent is over: {}", why));
    hello_timer_ = loop_.add_timer(pause_after_loss, [this] { say_hello(); });
    if (std::exchange(ready_, false) && callbacks_.on_lost) {
        callbacks_.on_lost(why);
    }
}

void GuestChannel::on_io(std::uint32_t revents) {
    pumping_ = true;
    try {
        pump(revents);
    } catch (...) {
        pumping_ = false;
        throw;
    }
    pumping_ = false;
}

void GuestChannel::pump(std::uint32_t revents) {
    if ((revents & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0 && !receive()) {
        drop_transport("the transport was closed");
        return;
    }
    if (transport_) {
        const bool all_sent = flush();
        io_.set_events(all_sent ? EPOLLIN : EPOLLIN | EPOLLOUT);
    }
}

bool GuestChannel::receive() {
    for (std::size_t got = 0; got < turn && transport_;) {
        const ssize_t n = ::recv(transport_.get(), buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (n < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        if (n == 0) {
            return false;
        }
        got += static_cast<std::size_t>(n);
        client_.receive(channel::Bytes(buffer_).first(static_cast<std::size_t>(n)));
    }
    return true;
}

bool GuestChannel::flush() {
    for (std::size_t sent = 0; sent < turn;) {
        const channel::Bytes data = client_.output();
        if (data.empty()) {
            return true;
        }
        const ssize_t n =
            ::send(transport_.get(), data.data(), data.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n < 0) {
            // A broken transport shows itself at the next reading.
            return errno != EAGAIN && errno != EINTR;
        }
        client_.sent(static_cast<std::size_t>(n));
        sent += static_cast<std::size_t>(n);
    }
    return false;
}

void GuestChannel::on_connected() {
    hello_timer_.reset();
    send_request("GET", "/v1/hello", {},
                 {.on_done =
                      [this](const std::string &body) {
                          const channel::Hello hello = channel::parse_hello(body);
                          ready_ = true;
                          callbacks_.on_ready(hello);
                          follow_events();
                      },
                  .on_failed =
                      [](const Error &e) {
                          log::warning(
                              fmt::format("the guest's agent did not say hello: {}", e.what()));
                      }});
}

void GuestChannel::follow_events() {
    const auto lines = std::make_shared<channel::LineSplitter>();
    start("GET", "/v1/events", {}, false,
          {.on_response = {},
           .on_data =
               [this, lines](channel::Bytes data) {
                   lines->feed(channel::as_text(data), [this](std::string_view line) {
                       callbacks_.on_event(channel::parse_event(line));
                   });
                   return data.size();
               },
           .on_end = {},
           .on_pull = {},
           .on_writable = {},
           .on_close =
               [](channel::CloseReason reason) {
                   if (reason != channel::CloseReason::Lost) {
                       log::warning("the guest's agent ended its events");
                   }
               }});
}

channel::Stream GuestChannel::start(std::string_view method, std::string_view path,
                                    const channel::Headers &headers, bool has_body,
                                    channel::StreamCallbacks callbacks) {
    return client_.start_request(method, path, headers, has_body, std::move(callbacks));
}

channel::Stream GuestChannel::start_request(std::string_view method, std::string_view path,
                                            const channel::Headers &headers, bool has_body,
                                            channel::StreamCallbacks callbacks) {
    if (!ready_) {
        fail(ErrorCode::InvalidState, "the guest's agent is not there yet, or its connection is "
                                      "being made again: try again in a moment");
    }
    return start(method, path, headers, has_body, std::move(callbacks));
}

void GuestChannel::request(std::string_view method, std::string_view path, std::string body,
                           Answer answer) {
    if (!ready_) {
        fail(ErrorCode::InvalidState, "the guest's agent is not there");
    }
    send_request(method, path, std::move(body), std::move(answer));
}

void GuestChannel::send_request(std::string_view method, std::string_view path, std::string body,
                                Answer answer) {
    struct Exchange {
        std::string question;
        std::size_t sent = 0;
        int status = 0;
        std::string body;
        Answer answer;
    };
    const auto exchange = std::make_shared<Exchange>();
    exchange->question = std::move(body);
    exchange->answer = std::move(answer);
    const bool has_body = !exchange->question.empty();
    channel::StreamCallbacks callbacks;
    callbacks.on_response = [exchange](int status, const channel::Headers &) {
        exchange->status = status;
    };
    callbacks.on_data = [exchange](channel::Bytes data) {
        if (exchange->body.size() + data.size() > max_answer) {
            fail(ErrorCode::LimitsExceeded, "the answer of the guest's agent is too long");
        }
        exchange->body += channel::as_text(data);
        return data.size();
    };
    if (has_body) {
        callbacks.on_pull = [exchange](std::span<std::byte> buffer) {
            const std::string_view rest =
                std::string_view(exchange->question).substr(exchange->sent);
            const std::size_t n = std::min(rest.size(), buffer.size());
            std::memcpy(buffer.data(), rest.data(), n);
            exchange->sent += n;
            return channel::Pulled{.bytes = n, .end = n == rest.size()};
        };
    }
    callbacks.on_close = [exchange](channel::CloseReason reason) {
        const bool refused = exchange->status >= 400;
        if (reason == channel::CloseReason::Lost || exchange->status == 0 ||
            (reason == channel::CloseReason::Reset && !refused)) {
            exchange->answer.on_failed(lost_error());
        } else if (refused) {
            exchange->answer.on_failed(channel::parse_error(exchange->body));
        } else {
            exchange->answer.on_done(exchange->body);
        }
    };
    start(method, path, {}, has_body, std::move(callbacks));
}

} // namespace banger::supervisor
