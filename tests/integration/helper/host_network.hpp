#pragma once

#include "daemon/helper/network_service.hpp"
#include "daemon/net/guest_link.hpp"
#include "tests/integration/helper/fake_guest.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>

namespace banger::test {

// No users of the machine that the test runs on.
constexpr uid_t alice = 3000000;
constexpr uid_t bob = 3000001;

/// A host of its own: a namespace with an uplink ("up0", 192.0.2.1) to an outside (192.0.2.254),
/// and the helper's service in it.
class HostNetwork : public ::testing::Test {
protected:
    void SetUp() override;
    void TearDown() override;

    helper::NetworkService &service() { return *service_; }
    /// As after an idle exit, a crash or an upgrade.
    void restart_service();
    /// The text of all rules, as nft(8) lists them.
    std::string rules();
    std::string host_ip(std::vector<std::string> arguments) {
        return host_->ip(std::move(arguments));
    }
    bool forwards(const std::string &link);
    void set_sysctl(const std::string &name, const std::string &value);
    /// Runs the loop until the condition holds, at most two seconds.
    bool eventually(const std::function<bool()> &condition);

    std::unique_ptr<FakeGuest> start_guest(uid_t owner, const std::string &address,
                                           bool allow_host = false);
    int connect_from(NetworkNamespace &from, const std::string &address, std::uint16_t port) {
        return from.in([&] { return connect_tcp(address, port); });
    }

    EventLoop loop_;
    std::unique_ptr<NetworkNamespace> host_;
    std::unique_ptr<NetworkNamespace> outside_;
    std::filesystem::path directory_;

private:
    UniqueFd home_;
    std::unique_ptr<helper::NetworkService> service_;
};

} // namespace banger::test
