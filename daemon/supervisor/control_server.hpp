#pragma once

#include "base/event_loop.hpp"
#include "base/packet_socket.hpp"
#include "base/unique_fd.hpp"
#include "daemon/supervisor/control_protocol.hpp"

#include <filesystem>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

namespace banger::supervisor {

/// The way back to who asked: a value that may be kept. The first answer counts; one to a client
/// that has gone goes nowhere.
class Answer {
public:
    Answer(std::weak_ptr<PacketSocket> client, std::uint64_t id)
        : client_(std::move(client)), id_(id) {}

    void ok(std::vector<UniqueFd> descriptors = {}) const;
    void ok(std::uint64_t entries, std::uint64_t bytes) const;
    void fail(const Error &error) const;

private:
    std::weak_ptr<PacketSocket> client_;
    std::uint64_t id_;
};

/// `supervisor.sock`: takes clients of this user only, hands on their requests, and tells
/// subscribers the state. Clients come and go as they like.
class ControlServer {
public:
    static constexpr std::size_t max_clients = 16;

    /// A request that is not a subscription. An Error that it throws is the answer.
    using Handler = std::function<void(Operation operation, std::vector<UniqueFd> descriptors,
                                       const Answer &answer)>;

    /// Replaces a socket that a dead supervisor left behind. Throws Error.
    ControlServer(EventLoop &loop, std::filesystem::path path, std::string name, Handler handler);
    ~ControlServer();
    ControlServer(const ControlServer &) = delete;
    ControlServer &operator=(const ControlServer &) = delete;

    void publish(const MachineState &state);

private:
    struct Client {
        std::shared_ptr<PacketSocket> socket;
        bool subscribed = false;
    };
    using Clients = std::list<Client>;

    void accept_one();
    void on_packet(Clients::iterator client, Packet packet);

    EventLoop &loop_;
    std::filesystem::path path_;
    std::string name_;
    Handler handler_;
    std::string state_;
    UniqueFd listener_;
    EventSource io_;
    Clients clients_;
};

} // namespace banger::supervisor
