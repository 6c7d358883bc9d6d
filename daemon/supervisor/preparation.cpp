#include "daemon/supervisor/preparation.hpp"

#include "dbus/bus_pump.hpp"
#include "dbus/compat.hpp"
#include "dbus/guard.hpp"

#include <org.banger.Supervision_proxy.hpp>

#include <utility>

namespace banger::supervisor {
namespace {

using Proxies = sdbus::ProxyInterfaces<org::banger::Supervision_proxy>;

class SupervisionProxy : public Proxies {
public:
    using Reply = std::function<void(const std::string &directory, const Error *error)>;

    SupervisionProxy(sdbus::IConnection &connection, Reply reply)
        : ProxyInterfaces(connection, bus::ServiceName{"org.banger.Manager"},
                          sdbus::ObjectPath{"/org/banger/Manager"}),
          reply_(std::move(reply)) {
        registerProxy();
    }
    ~SupervisionProxy() { unregisterProxy(); }
    SupervisionProxy(const SupervisionProxy &) = delete;
    SupervisionProxy &operator=(const SupervisionProxy &) = delete;

private:
    void onPrepareReply(const std::string &directory, bus::AsyncError error) override {
        if (error) {
            const Error translated = bus::from_bus_error(error->getName(), error->getMessage());
            reply_({}, &translated);
        } else {
            reply_(directory, nullptr);
        }
    }

    Reply reply_;
};

} // namespace

struct Preparation::State {
    Callbacks callbacks;
    std::unique_ptr<sdbus::IConnection> connection;
    std::unique_ptr<bus::BusPump> pump;
    std::unique_ptr<SupervisionProxy> proxy;
    EventSource delivery;

    // The owner destroys this object on the answer: never from inside the bus's own frames.
    void deliver(EventLoop &loop, std::function<void()> answer) {
        if (!delivery) {
            delivery = loop.add_deferred(std::move(answer));
        }
    }
};

Preparation::Preparation(EventLoop &loop, const std::string &name, Callbacks callbacks)
    : state_(std::make_unique<State>()) {
    State *state = state_.get();
    state->callbacks = std::move(callbacks);
    const auto failed = [state, &loop](const Error &error) {
        state->deliver(loop, [state, error] { state->callbacks.on_failed(error); });
    };
    try {
        state->connection = sdbus::createSessionBusConnection();
        state->pump = std::make_unique<bus::BusPump>(loop, *state->connection, [failed] {
            failed(Error(ErrorCode::Internal,
                         "the session bus went away while the VM was being prepared"));
        });
        state->proxy = std::make_unique<SupervisionProxy>(
            *state->connection,
            [state, &loop, failed](const std::string &directory, const Error *error) {
                if (error != nullptr) {
                    failed(*error);
                } else {
                    state->deliver(loop,
                                   [state, directory] { state->callbacks.on_prepared(directory); });
                }
            });
        state->proxy->Prepare(name);
    } catch (const sdbus::Error &e) {
        throw bus::from_bus_error(e.getName(), e.getMessage())
            .with_context("ask bangerd over the session bus to prepare the VM");
    }
}

Preparation::~Preparation() = default;

} // namespace banger::supervisor
