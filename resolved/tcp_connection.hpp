#pragma once

#include "resolved/listener.hpp"

namespace banger::resolved {

/// One client's TCP connection (RFC 7766): many queries, answered as their answers come. Bounded:
/// while too many queries or unsent bytes are pending, no more is read.
class TcpConnection : public std::enable_shared_from_this<TcpConnection> {
public:
    /// `closed` is called once, from the loop, when the client or the idle timer ended it; it may
    /// destroy the connection. The handler must outlive the connection.
    TcpConnection(EventLoop &loop, UniqueFd socket, Ipv4 client, Quota::Ticket ticket,
                  std::chrono::milliseconds idle, const QueryHandler &handler,
                  std::function<void()> closed);
    /// Begins. Apart from the constructor, because replies hold the connection weakly.
    void start();

private:
    void on_event(std::uint32_t events);
    void read();
    void take_queries();
    void handle(std::span<const std::uint8_t> query);
    void queue(Bytes reply);
    void write();
    void settle();
    bool has_room() const noexcept;
    void restart_idle_timer();
    void close();

    EventLoop &loop_;
    UniqueFd socket_;
    Ipv4 client_;
    Quota::Ticket ticket_;
    std::chrono::milliseconds idle_;
    const QueryHandler &handler_;
    std::function<void()> closed_;
    Bytes in_;
    Bytes out_;
    std::size_t unanswered_ = 0;
    bool end_of_input_ = false;
    bool broken_ = false;
    EventSource source_;
    EventSource timer_;
};

} // namespace banger::resolved
