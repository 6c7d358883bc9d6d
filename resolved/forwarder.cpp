#include "resolved/forwarder.hpp"

#include "base/error.hpp"
#include "base/log.hpp"
#include "resolved/answer.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace banger::resolved {

namespace {

constexpr std::size_t max_attempts = 3;

// The resolver could not or would not; another one may.
bool is_failure(const Bytes &reply) {
    constexpr std::uint8_t rcode_mask = 0x0f;
    constexpr unsigned servfail = 2;
    constexpr unsigned notimp = 4;
    constexpr unsigned refused = 5;
    const unsigned rcode = reply[3] & rcode_mask;
    return rcode == servfail || rcode == notimp || rcode == refused;
}

} // namespace

/// One query on its way.
class Forwarder::Forward {
public:
    Forward(EventLoop &loop, const ServerOptions &options, std::vector<SocketAddress> servers,
            Quota::Ticket ticket, Bytes query, Transport transport, Done done)
        : loop_(loop), options_(options), servers_(std::move(servers)), ticket_(std::move(ticket)),
          query_(std::move(query)), transport_(transport), done_(std::move(done)) {
        deadline_ = loop_.add_timer(options_.upstream_deadline, [this] { finish(); });
        // Not from here: it may end at once, and only who owns this object can do that.
        start_ = loop_.add_deferred([this] { proceed(); });
    }

private:
    void proceed() {
        try_untried_servers();
        if (over_ == exchanges_.size()) {
            finish();
        }
    }

    // Starts one exchange more; further ones only where one could not even be started.
    void try_untried_servers() {
        while (exchanges_.size() < servers_.size() && !start(servers_[exchanges_.size()])) {
        }
    }

    bool start(const SocketAddress &server) {
        std::unique_ptr<Exchange> exchange;
        try {
            exchange = start_exchange(loop_, server, transport_, query_,
                                      [this](Bytes reply) { receive(std::move(reply)); });
        } catch (const Error &e) {
            log::debug(e.what());
            ++over_;
        }
        const bool started = exchange != nullptr;
        exchanges_.push_back(std::move(exchange));
        patience_ = loop_.add_timer(options_.upstream_patience, [this] { lose_patience(); });
        return started;
    }

    // The network loses datagrams, so that a resolver that was asked before may be asked again.
    void lose_patience() {
        if (exchanges_.size() < std::max(max_attempts, servers_.size())) {
            start(servers_[exchanges_.size() % servers_.size()]);
        }
    }

    void receive(Bytes reply) {
        if (!reply.empty() && !is_failure(reply)) {
            second_best_ = std::move(reply);
            finish();
            return;
        }
        ++over_;
        if (!reply.empty()) {
            second_best_ = std::move(reply);
        }
        proceed();
    }

    // The last that this object does: the callback destroys it.
    void finish() {
        const Done done = std::move(done_);
        done(second_best_.empty() ? server_failure(query_) : std::move(second_best_));
    }

    EventLoop &loop_;
    const ServerOptions &options_;
    std::vector<SocketAddress> servers_;
    Quota::Ticket ticket_;
    Bytes query_;
    Transport transport_;
    Done done_;
    Bytes second_best_;
    std::vector<std::unique_ptr<Exchange>> exchanges_;
    std::size_t over_ = 0;
    EventSource patience_;
    EventSource deadline_;
    EventSource start_;
};

Forwarder::Forwarder(EventLoop &loop, const ServerOptions &options)
    : loop_(loop), options_(options), nameservers_(options.resolv_conf, options.upstream_port),
      quota_(options.max_forwards, options.max_forwards_per_client) {}

Forwarder::~Forwarder() = default;

void Forwarder::forward(Bytes query, Ipv4 client, Transport transport, Done done) {
    auto ticket = quota_.take(client);
    if (!ticket) {
        done(server_failure(query));
        return;
    }
    const auto id = next_id_++;
    auto finish = [this, id, done = std::move(done)](Bytes reply) {
        // Owned until the end of this function, in which its caller is still at work.
        const auto owner = forwards_.extract(id);
        done(std::move(reply));
    };
    forwards_.emplace(id, std::make_unique<Forward>(loop_, options_, nameservers_.current(),
                                                    std::move(*ticket), std::move(query), transport,
                                                    std::move(finish)));
}

} // namespace banger::resolved
