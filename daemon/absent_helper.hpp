#pragma once

#include "base/event_loop.hpp"
#include "daemon/net/network_helper.hpp"

#include <map>

namespace banger {

/// The network helper of a host without a system bus: every call ends with
/// Error{NetworkUnavailable}.
class AbsentHelper final : public net::NetworkHelper {
public:
    explicit AbsentHelper(EventLoop &loop) : loop_(loop) {}

    void ensure_network(bool, Callback<net::Network> done) override { refuse(std::move(done)); }
    void create_tap(const Ipv4 &, bool, bool, Callback<net::Tap> done) override {
        refuse(std::move(done));
    }
    void release_tap(const std::string &, Callback<void> done) override { refuse(std::move(done)); }
    void set_nat(const std::string &, bool, bool, Callback<void> done) override {
        refuse(std::move(done));
    }
    void open_dns_sockets(bool, Callback<net::DnsSockets> done) override {
        refuse(std::move(done));
    }
    void describe(Callback<net::NetworkState> done) override { refuse(std::move(done)); }
    void check_authorization(Callback<net::Authorization> done) override {
        refuse(std::move(done));
    }
    void remove_all(Callback<void> done) override { refuse(std::move(done)); }

private:
    template <typename T>
    void refuse(Callback<T> done) {
        const std::uint64_t id = ++last_;
        pending_[id] = loop_.add_deferred([this, id, done = std::move(done)] {
            const EventSource self = std::move(pending_[id]);
            pending_.erase(id);
            done(Error(ErrorCode::NetworkUnavailable,
                       "this host has no system bus, so no banger-network-helper can be reached"));
        });
    }

    EventLoop &loop_;
    std::uint64_t last_ = 0;
    std::map<std::uint64_t, EventSource> pending_;
};

} // namespace banger
