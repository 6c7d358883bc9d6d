#pragma once

#include "base/event_loop.hpp"
#include "daemon/helper/authority.hpp"
#include "daemon/helper/network_service.hpp"
#include "daemon/helper/resolved_link.hpp"
#include "dbus/guard.hpp"

#include <org.banger.NetworkHelper_adaptor.hpp>

#include <functional>
#include <map>
#include <memory>

namespace banger::helper {

/// org.banger.NetworkHelper on the bus: who is calling, may they, then the service. Values are
/// checked before polkit is asked, so that nobody authenticates for a call that fails anyway.
class NetworkHelperAdaptor final
    : public sdbus::AdaptorInterfaces<org::banger::NetworkHelper_adaptor> {
public:
    /// `on_activity` is called when a request begins and when one ends.
    NetworkHelperAdaptor(EventLoop &loop, sdbus::IConnection &bus, NetworkService &service,
                         std::function<void()> on_activity);
    ~NetworkHelperAdaptor();

    bool busy() const noexcept { return !pending_.empty(); }

private:
    class Request;

    void EnsureNetwork(sdbus::Result<std::string, std::string, std::uint32_t, std::string> &&result,
                       bool interactive) override;
    void CreateTap(sdbus::Result<std::string, std::string> &&result, std::string address,
                   bool allow_host, bool interactive) override;
    void ReleaseTap(const std::string &tap) override;
    void SetNAT(sdbus::Result<> &&result, std::string tap, bool on, bool interactive) override;
    void OpenDNSSockets(sdbus::Result<sdbus::UnixFd, sdbus::UnixFd> &&result,
                        bool interactive) override;
    void
    Describe(sdbus::Result<std::string, std::string, std::uint32_t, std::string, std::string,
                           std::vector<sdbus::Struct<std::string, std::string, std::string, bool>>>
                 &&result) override;
    void CheckAuthorization(sdbus::Result<std::string> &&result) override;
    void RemoveAll() override;
    std::string Version() override;

    uid_t caller() const;
    /// Counts a request of the uid until the last copy is gone. Throws Error{LimitsExceeded}.
    std::shared_ptr<Request> begin(uid_t owner);
    /// Calls `work` when polkit allows the caller of the present message to make things; answers
    /// `reply` with what it or polkit throws.
    template <typename Reply, typename Work>
    void authorized(uid_t owner, bool interactive, const Reply &reply, Work work);
    /// Registers the bridge with systemd-resolved, then calls `done` whatever came of it.
    void register_dns(const UserNetwork &network, std::function<void()> done);

    NetworkService &service_;
    std::function<void()> on_activity_;
    std::map<uid_t, unsigned> pending_;
    // Last, so that the requests which they hold go while the above is still there.
    Authority authority_;
    ResolvedLinks resolved_;
};

} // namespace banger::helper
