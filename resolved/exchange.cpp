#include "resolved/exchange.hpp"

#include "base/error.hpp"
#include "base/unique_fd.hpp"

#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <span>
#include <utility>

namespace banger::resolved {

namespace {

constexpr std::size_t max_message_bytes = 65'535;
constexpr std::size_t question_tail_bytes = 4; // type and class

std::array<std::uint8_t, 2> random_id() {
    std::array<std::uint8_t, 2> id{};
    if (getrandom(id.data(), id.size(), 0) != static_cast<ssize_t>(id.size())) {
        throw_errno("get a random number");
    }
    return id;
}

// Header and question of a message of ours, whose question is not compressed.
std::size_t question_end(std::span<const std::uint8_t> query) {
    std::size_t at = header_bytes;
    while (at < query.size() && query[at] != 0) {
        at += 1U + query[at];
    }
    return std::min(at + 1 + question_tail_bytes, query.size());
}

bool same_byte(std::uint8_t a, std::uint8_t b) {
    const auto lower = [](std::uint8_t c) {
        return c >= 'A' && c <= 'Z' ? static_cast<std::uint8_t>(c + ('a' - 'A')) : c;
    };
    return lower(a) == lower(b);
}

/// Knows the query as it went out, and turns what comes back into the reply to the query as it
/// came in.
class Matcher {
public:
    explicit Matcher(const Bytes &query) : query_(query), question_end_(question_end(query)) {
        const auto id = random_id();
        std::copy_n(query_.begin(), id.size(), asked_id_.begin());
        std::copy_n(id.begin(), id.size(), query_.begin());
    }

    const Bytes &query() const noexcept { return query_; }

    /// Nothing if it is not the reply.
    Bytes accept(std::span<const std::uint8_t> message) const {
        constexpr std::uint8_t qr_and_opcode = 0xf8;
        constexpr std::uint8_t response_to_query = 0x80;
        if (message.size() < header_bytes ||
            !std::equal(message.begin(), message.begin() + 2, query_.begin()) ||
            (message[2] & qr_and_opcode) != response_to_query) {
            return {};
        }
        Bytes reply{message.begin(), message.end()};
        if (!is_bare_failure(message)) {
            const std::size_t name_end = question_end_ - question_tail_bytes;
            const bool same = message.size() >= question_end_ && message[4] == 0 &&
                              message[5] == 1 &&
                              std::equal(query_.begin() + header_bytes, at(query_, name_end),
                                         message.begin() + header_bytes, same_byte) &&
                              std::equal(at(query_, name_end), at(query_, question_end_),
                                         message.begin() + static_cast<std::ptrdiff_t>(name_end));
            if (!same) {
                return {};
            }
            // In the case in which the guest asked, whatever the resolver made of it.
            std::copy(query_.begin() + header_bytes, at(query_, question_end_),
                      reply.begin() + header_bytes);
        }
        std::copy(asked_id_.begin(), asked_id_.end(), reply.begin());
        return reply;
    }

private:
    static Bytes::const_iterator at(const Bytes &bytes, std::size_t offset) {
        return bytes.begin() + static_cast<std::ptrdiff_t>(offset);
    }

    // FORMERR, SERVFAIL, NOTIMP and REFUSED may come as a header alone.
    static bool is_bare_failure(std::span<const std::uint8_t> message) {
        constexpr std::uint8_t rcode_mask = 0x0f;
        const unsigned rcode = message[3] & rcode_mask;
        return message.size() == header_bytes && message[4] == 0 && message[5] == 0 &&
               (rcode == 1 || rcode == 2 || rcode == 4 || rcode == 5);
    }

    Bytes query_;
    std::size_t question_end_;
    std::array<std::uint8_t, 2> asked_id_{};
};

UniqueFd connect_to(const SocketAddress &server, int type) {
    UniqueFd socket{::socket(server.family(), type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    if (!socket) {
        throw_errno("make a socket to the host's resolver");
    }
    if (connect(socket.get(), server.get(), server.size) != 0 && errno != EINPROGRESS) {
        throw_errno("connect to the host's resolver");
    }
    return socket;
}

class UdpExchange final : public Exchange {
public:
    UdpExchange(EventLoop &loop, const SocketAddress &server, const Bytes &query, Done done)
        : matcher_(query), done_(std::move(done)), socket_(connect_to(server, SOCK_DGRAM)) {
        const Bytes &out = matcher_.query();
        if (send(socket_.get(), out.data(), out.size(), MSG_NOSIGNAL) < 0) {
            throw_errno("send to the host's resolver");
        }
        source_ = loop.add_io(socket_.get(), EPOLLIN, [this](std::uint32_t) { receive(); });
    }

private:
    void receive() {
        Bytes buffer(max_message_bytes);
        const ssize_t size = recv(socket_.get(), buffer.data(), buffer.size(), 0);
        if (size < 0) {
            if (errno != EAGAIN && errno != EINTR) { // ECONNREFUSED: nobody listens there
                finish({});
            }
            return;
        }
        buffer.resize(static_cast<std::size_t>(size));
        if (Bytes reply = matcher_.accept(buffer); !reply.empty()) {
            finish(std::move(reply));
        }
    }

    // The last that this object does: the callback destroys it.
    void finish(Bytes reply) {
        source_.enable(false);
        const Done done = std::move(done_);
        done(std::move(reply));
    }

    Matcher matcher_;
    Done done_;
    UniqueFd socket_;
    EventSource source_;
};

class TcpExchange final : public Exchange {
public:
    TcpExchange(EventLoop &loop, const SocketAddress &server, const Bytes &query, Done done)
        : matcher_(query), done_(std::move(done)), socket_(connect_to(server, SOCK_STREAM)) {
        const Bytes &out = matcher_.query();
        out_ = {static_cast<std::uint8_t>(out.size() >> 8U),
                static_cast<std::uint8_t>(out.size() & 0xffU)};
        out_.insert(out_.end(), out.begin(), out.end());
        source_ = loop.add_io(socket_.get(), EPOLLOUT, [this](std::uint32_t) {
            if (sent_ < out_.size()) {
                send_rest();
            } else {
                receive();
            }
        });
    }

private:
    void send_rest() {
        const ssize_t size =
            send(socket_.get(), out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL);
        if (size < 0) {
            if (errno != EAGAIN && errno != EINTR) {
                finish({});
            }
            return;
        }
        sent_ += static_cast<std::size_t>(size);
        if (sent_ == out_.size()) {
            source_.set_events(EPOLLIN);
        }
    }

    void receive() {
        // First the length, then no more than the message.
        const std::size_t wanted = in_.size() < 2 ? 2 : 2U + in_[0] * 256U + in_[1];
        const std::size_t had = in_.size();
        in_.resize(wanted);
        const ssize_t size = recv(socket_.get(), in_.data() + had, wanted - had, 0);
        in_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        }
        if (size <= 0) {
            finish({});
        } else if (in_.size() >= 2 && in_.size() == 2U + in_[0] * 256U + in_[1]) {
            finish(matcher_.accept(std::span{in_}.subspan(2)));
        }
    }

    void finish(Bytes reply) {
        source_.enable(false);
        const Done done = std::move(done_);
        done(std::move(reply));
    }

    Matcher matcher_;
    Done done_;
    UniqueFd socket_;
    Bytes out_;
    std::size_t sent_ = 0;
    Bytes in_;
    EventSource source_;
};

} // namespace

std::unique_ptr<Exchange> start_exchange(EventLoop &loop, const SocketAddress &server,
                                         Transport transport, const Bytes &query,
                                         Exchange::Done done) {
    if (transport == Transport::Udp) {
        return std::make_unique<UdpExchange>(loop, server, query, std::move(done));
    }
    return std::make_unique<TcpExchange>(loop, server, query, std::move(done));
}

} // namespace banger::resolved
