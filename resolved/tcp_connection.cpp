#include "resolved/tcp_connection.hpp"

#include "resolved/answer.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <tuple>
#include <utility>

namespace banger::resolved {

namespace {

constexpr std::size_t max_unanswered = 32;
constexpr std::size_t max_unsent_bytes = 65'536;
constexpr std::size_t max_message_bytes = 65'535;

bool may_come_again() {
    return errno == EAGAIN || errno == EINTR;
}

} // namespace

TcpConnection::TcpConnection(EventLoop &loop, UniqueFd socket, Ipv4 client, Quota::Ticket ticket,
                             std::chrono::milliseconds idle, const QueryHandler &handler,
                             std::function<void()> closed)
    : loop_(loop), socket_(std::move(socket)), client_(client), ticket_(std::move(ticket)),
      idle_(idle), handler_(handler), closed_(std::move(closed)) {}

void TcpConnection::start() {
    source_ =
        loop_.add_io(socket_.get(), EPOLLIN, [this](std::uint32_t events) { on_event(events); });
    restart_idle_timer();
}

void TcpConnection::on_event(std::uint32_t events) {
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        broken_ = true;
    }
    if ((events & EPOLLOUT) != 0) {
        write();
    }
    if ((events & EPOLLIN) != 0) {
        read();
    }
    take_queries();
    settle();
}

void TcpConnection::read() {
    const std::size_t had = in_.size();
    if (had >= 2 + max_query_bytes) {
        return; // a whole query that waits for room
    }
    in_.resize(2 + max_query_bytes);
    const ssize_t size = recv(socket_.get(), in_.data() + had, in_.size() - had, 0);
    in_.resize(had + (size > 0 ? static_cast<std::size_t>(size) : 0));
    if (size == 0) {
        end_of_input_ = true;
    } else if (size < 0 && !may_come_again()) {
        broken_ = true;
    }
}

void TcpConnection::take_queries() {
    std::size_t at = 0;
    while (!broken_ && in_.size() - at >= 2 && has_room()) {
        const std::size_t length = in_[at] * 256U + in_[at + 1];
        if (length < header_bytes || length > max_query_bytes) {
            broken_ = true;
        } else if (in_.size() - at < 2 + length) {
            break;
        } else {
            handle(std::span{in_}.subspan(at + 2, length));
            at += 2 + length;
        }
    }
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(at));
}

void TcpConnection::handle(std::span<const std::uint8_t> query) {
    ++unanswered_;
    restart_idle_timer();
    handler_(query, client_, Transport::Tcp, [self = weak_from_this()](Bytes reply) {
        if (const auto connection = self.lock()) {
            connection->queue(std::move(reply));
        }
    });
}

void TcpConnection::queue(Bytes reply) {
    --unanswered_;
    if (!reply.empty() && reply.size() <= max_message_bytes) {
        out_.push_back(static_cast<std::uint8_t>(reply.size() >> 8U));
        out_.push_back(static_cast<std::uint8_t>(reply.size() & 0xffU));
        out_.insert(out_.end(), reply.begin(), reply.end());
    }
    // Written, and the connection looked after, when the loop finds it writable.
    source_.set_events(EPOLLOUT);
}

void TcpConnection::write() {
    if (out_.empty()) {
        return;
    }
    const ssize_t size = send(socket_.get(), out_.data(), out_.size(), MSG_NOSIGNAL);
    if (size > 0) {
        out_.erase(out_.begin(), out_.begin() + size);
        if (out_.empty()) {
            restart_idle_timer();
        }
    } else if (size < 0 && !may_come_again()) {
        broken_ = true;
    }
}

// Decides what to wait for; the last that a callback does, since it may end the connection.
void TcpConnection::settle() {
    if (!broken_ && !out_.empty()) {
        write();
    }
    const bool query_waits = in_.size() >= 2 && in_.size() >= 2U + in_[0] * 256U + in_[1];
    if (broken_ || (end_of_input_ && unanswered_ == 0 && out_.empty() && !query_waits)) {
        close();
        return;
    }
    const bool go_on = has_room() && query_waits;
    source_.set_events((has_room() && !end_of_input_ ? EPOLLIN : 0U) |
                       (go_on || !out_.empty() ? EPOLLOUT : 0U));
}

bool TcpConnection::has_room() const noexcept {
    return unanswered_ < max_unanswered && out_.size() < max_unsent_bytes;
}

void TcpConnection::restart_idle_timer() {
    timer_ = loop_.add_timer(idle_, [this] {
        if (unanswered_ > 0) {
            restart_idle_timer();
        } else {
            close();
        }
    });
}

void TcpConnection::close() {
    source_.enable(false);
    if (!out_.empty()) {
        // Nobody reads: else the kernel would keep what it holds, and the end behind it, for
        // minutes.
        const linger at_once{1, 0};
        std::ignore = setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    const auto closed = std::move(closed_);
    closed();
}

} // namespace banger::resolved
