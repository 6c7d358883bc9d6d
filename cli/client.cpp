#include "cli/client.hpp"

#include <fcntl.h>
#include <systemd/sd-event.h>

#include <csignal>
#include <limits>

namespace banger::cli {
namespace {

std::unique_ptr<sdbus::IConnection> connect() {
    try {
        return sdbus::createSessionBusConnection();
    } catch (const sdbus::Error &e) {
        fail(
            ErrorCode::NotFound,
            "there is no session bus ({}): log in as this user, or run `loginctl enable-linger` as "
            "this user and set XDG_RUNTIME_DIR=/run/user/UID",
            e.getMessage());
    }
}

} // namespace

Client::SignalMask::SignalMask() {
    ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
    block_signals({SIGINT, SIGTERM, SIGHUP});
}

Client::SignalMask::~SignalMask() {
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

Client::Client() : connection_(connect()) {
    for (const int number : {SIGINT, SIGTERM, SIGHUP}) {
        signals_.push_back(loop_.add_signal(number, [this, number] { interrupt_ = number; }));
    }
    pump_ = std::make_unique<bus::BusPump>(loop_, *connection_, [this] { lost_ = true; });
}

Client::~Client() = default;

bool Client::has_owner(const std::string &bus_name) {
    return call_service<bool>("org.freedesktop.DBus", sdbus::ObjectPath{"/org/freedesktop/DBus"},
                              "org.freedesktop.DBus", "NameHasOwner", bus_name);
}

bool Client::wait_until(const std::function<bool()> &done,
                        std::optional<std::chrono::milliseconds> timeout) {
    using Clock = std::chrono::steady_clock;
    const auto deadline = timeout ? std::optional{Clock::now() + *timeout} : std::nullopt;
    while (!done()) {
        if (interrupt_ != 0) {
            throw Interrupted{interrupt_};
        }
        if (lost_) {
            fail(ErrorCode::Internal, "the session bus went away: has the user's session ended?");
        }
        std::uint64_t wait_usec = std::numeric_limits<std::uint64_t>::max();
        if (deadline) {
            const auto left =
                std::chrono::duration_cast<std::chrono::microseconds>(*deadline - Clock::now());
            if (left.count() <= 0) {
                return false;
            }
            wait_usec = static_cast<std::uint64_t>(left.count());
        }
        if (const int result = sd_event_run(loop_.get(), wait_usec); result < 0) {
            throw_errno("run the event loop", -result);
        }
    }
    return true;
}

ManagedObjects Client::objects() {
    // sd-bus answers GetManagedObjects itself, also when the records cannot be read; this says so.
    call<std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>>>(
        sdbus::ObjectPath{names::manager_path}, names::manager, "ListVMs");
    return call<ManagedObjects>(sdbus::ObjectPath{names::manager_path}, names::object_manager,
                                "GetManagedObjects");
}

Properties Client::all_properties(const sdbus::ObjectPath &path, const char *interface) {
    return call<Properties>(path, names::properties, "GetAll", std::string{interface});
}

std::unique_ptr<sdbus::IProxy> Client::proxy(const char *service, const sdbus::ObjectPath &path) {
    return sdbus::createProxy(*connection_, bus::ServiceName{service}, sdbus::ObjectPath{path});
}

UniqueFd adopt(sdbus::UnixFd fd) {
    UniqueFd owned{fd.release()};
    if (::fcntl(owned.get(), F_SETFD, FD_CLOEXEC) != 0) {
        throw_errno("receive a descriptor from bangerd");
    }
    return owned;
}

DaemonWatch::DaemonWatch(Client &client)
    : ProxyInterfaces(client.connection(), bus::ServiceName{"org.freedesktop.DBus"},
                      sdbus::ObjectPath{"/org/freedesktop/DBus"}) {
    remote([&] { registerProxy(); });
}

DaemonWatch::~DaemonWatch() {
    unregisterProxy();
}

void DaemonWatch::onNameOwnerChanged(const std::string &name, const std::string &old_owner,
                                     const std::string &new_owner) {
    if (name == names::service) {
        losses_ += old_owner.empty() ? 0 : 1;
        gains_ += new_owner.empty() ? 0 : 1;
    }
}

PropertyWatch::PropertyWatch(Client &client, const sdbus::ObjectPath &path, const char *interface)
    : ProxyInterfaces(client.connection(), bus::ServiceName{names::service},
                      sdbus::ObjectPath{path}),
      client_(client), path_(path), interface_(interface) {
    remote([&] { registerProxy(); });
    try {
        refresh();
    } catch (...) {
        unregisterProxy();
        throw;
    }
}

PropertyWatch::~PropertyWatch() {
    unregisterProxy();
}

void PropertyWatch::refresh() {
    values_ = client_.all_properties(path_, interface_);
}

void PropertyWatch::onPropertiesChanged(const bus::InterfaceName &interface,
                                        const std::map<bus::PropertyName, sdbus::Variant> &changed,
                                        const std::vector<bus::PropertyName> & /*invalidated*/) {
    if (std::string(interface) != interface_) {
        return;
    }
    for (const auto &[name, value] : changed) {
        values_.insert_or_assign(std::string(name), value);
    }
}

} // namespace banger::cli
