#include "daemon/supervisor/control_server.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "base/unix_socket.hpp"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace banger::supervisor {
namespace {

bool same_user(int fd) {
    ucred peer{};
    socklen_t length = sizeof peer;
    return ::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0 && peer.uid == ::getuid();
}

} // namespace

void Answer::ok(std::vector<UniqueFd> descriptors) const {
    if (const auto client = client_.lock()) {
        client->send(ok_packet(id_), std::move(descriptors));
    }
}

void Answer::ok(std::uint64_t entries, std::uint64_t bytes) const {
    if (const auto client = client_.lock()) {
        client->send(ok_packet(id_, entries, bytes));
    }
}

void Answer::fail(const Error &error) const {
    if (const auto client = client_.lock()) {
        client->send(error_packet(id_, error));
    }
}

ControlServer::ControlServer(EventLoop &loop, std::filesystem::path path, std::string name,
                             Handler handler)
    : loop_(loop), path_(std::move(path)), name_(std::move(name)), handler_(std::move(handler)),
      state_(state_packet({})), listener_(listen_at(path_, SOCK_SEQPACKET)),
      io_(loop.add_io(listener_.get(), EPOLLIN, [this](std::uint32_t) { accept_one(); })) {}

ControlServer::~ControlServer() {
    ::unlink(path_.c_str());
}

void ControlServer::publish(const MachineState &state) {
    std::string packet = state_packet(state);
    if (packet == state_) {
        return;
    }
    state_ = std::move(packet);
    for (const Client &client : clients_) {
        if (client.subscribed) {
            client.socket->send(state_);
        }
    }
}

void ControlServer::accept_one() {
    UniqueFd fd{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    if (!fd) {
        return;
    }
    if (!same_user(fd.get()) || clients_.size() >= max_clients) {
        log::warning("refused a client of the supervisor's socket: of another user, or too many");
        return;
    }
    const auto client = clients_.emplace(clients_.end());
    client->socket = std::make_shared<PacketSocket>(
        loop_, std::move(fd),
        PacketSocket::Callbacks{
            .on_packet = [this, client](Packet p) { on_packet(client, std::move(p)); },
            .on_closed = [this, client] { clients_.erase(client); }});
    client->socket->send(hello_packet(name_));
}

void ControlServer::on_packet(Clients::iterator client, Packet packet) {
    const std::uint64_t id = request_id(packet.text);
    const Answer answer(client->socket, id);
    try {
        Operation operation = parse_operation(packet.text);
        if (std::holds_alternative<SubscribeRequest>(operation)) {
            client->subscribed = true;
            answer.ok();
            client->socket->send(state_);
            return;
        }
        handler_(std::move(operation), std::move(packet.descriptors), answer);
    } catch (const Error &e) {
        answer.fail(e);
    }
}

} // namespace banger::supervisor
