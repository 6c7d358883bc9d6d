#include "base/log.hpp"
#include "resolved/listener.hpp"
#include "resolved/tcp_connection.hpp"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace banger::resolved {

namespace {

constexpr int max_accepts_at_once = 16;
// Without descriptors the listener would be ready again and again; it rests for so long.
constexpr std::chrono::seconds rest{1};

class TcpListener final : public Listener {
public:
    TcpListener(EventLoop &loop, UniqueFd socket, Quota &quota, std::chrono::milliseconds idle,
                QueryHandler handler)
        : loop_(loop), socket_(std::move(socket)), quota_(quota), idle_(idle),
          handler_(std::move(handler)) {
        source_ = loop_.add_io(socket_.get(), EPOLLIN, [this](std::uint32_t) {
            for (int i = 0; i < max_accepts_at_once && accept_one(); ++i) {
            }
        });
    }

private:
    bool accept_one() {
        sockaddr_in client{};
        socklen_t size = sizeof(client);
        UniqueFd connection{accept4(socket_.get(), reinterpret_cast<sockaddr *>(&client), &size,
                                    SOCK_CLOEXEC | SOCK_NONBLOCK)};
        if (!connection) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                log::warning(fmt::format("cannot accept a DNS connection: {}", strerror(errno)));
                source_.enable(false);
                rest_ = loop_.add_timer(rest, [this] { source_.enable(true); });
                return false;
            }
            return errno != EAGAIN; // else this one connection was given up by its client
        }
        const Ipv4 address = Ipv4::from(client.sin_addr);
        auto ticket = quota_.take(address);
        if (!ticket) {
            return true;
        }
        const auto id = next_id_++;
        auto accepted = std::make_shared<TcpConnection>(loop_, std::move(connection), address,
                                                        std::move(*ticket), idle_, handler_,
                                                        [this, id] { connections_.erase(id); });
        connections_.emplace(id, accepted);
        accepted->start();
        return true;
    }

    EventLoop &loop_;
    UniqueFd socket_;
    Quota &quota_;
    std::chrono::milliseconds idle_;
    QueryHandler handler_;
    std::map<std::uint64_t, std::shared_ptr<TcpConnection>> connections_;
    std::uint64_t next_id_ = 0;
    EventSource source_;
    EventSource rest_;
};

} // namespace

std::unique_ptr<Listener> listen_tcp(EventLoop &loop, UniqueFd socket, Quota &quota,
                                     std::chrono::milliseconds idle, QueryHandler handler) {
    return std::make_unique<TcpListener>(loop, std::move(socket), quota, idle, std::move(handler));
}

} // namespace banger::resolved
