#include "tests/integration/helper/host_network.hpp"

#include "base/files.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>

namespace banger::test {

void HostNetwork::SetUp() {
    if (geteuid() != 0 || access("/dev/net/tun", R_OK | W_OK) != 0) {
        GTEST_SKIP() << "network namespaces with taps need root and /dev/net/tun";
    }
    std::string pattern = std::filesystem::temp_directory_path() / "banger-helper-XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;

    host_ = std::make_unique<NetworkNamespace>();
    outside_ = std::make_unique<NetworkNamespace>();
    home_ = UniqueFd(open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    // The test itself stands on the host, so that plain sockets are the host's.
    ASSERT_EQ(setns(host_->fd(), CLONE_NEWNET), 0);
    host_ip(
        {"link", "add", "up0", "type", "veth", "peer", "name", "eth0", "netns", outside_->path()});
    host_ip({"address", "add", "192.0.2.1/24", "dev", "up0"});
    host_ip({"link", "set", "up0", "up"});
    outside_->ip({"address", "add", "192.0.2.254/24", "dev", "eth0"});
    outside_->ip({"link", "set", "eth0", "up"});
    host_ip({"route", "add", "default", "via", "192.0.2.254"});
    restart_service();
}

void HostNetwork::TearDown() {
    service_.reset();
    if (home_) {
        ASSERT_EQ(setns(home_.get(), CLONE_NEWNET), 0);
        std::filesystem::remove_all(directory_);
    }
}

void HostNetwork::restart_service() {
    service_.reset();
    service_ = std::make_unique<helper::NetworkService>(
        loop_,
        helper::NetworkService::Settings{directory_, directory_, directory_ / "network.toml"});
}

std::string HostNetwork::rules() {
    return run_program({"nft", "list", "ruleset"});
}

// /proc/sys/net follows the namespace of who reads it.
bool HostNetwork::forwards(const std::string &link) {
    return read_file("/proc/sys/net/ipv4/conf/" + link + "/forwarding") == "1\n";
}

void HostNetwork::set_sysctl(const std::string &name, const std::string &value) {
    const UniqueFd fd = open_file("/proc/sys/net/" + name, O_WRONLY);
    write_all(fd.get(), value, name);
}

bool HostNetwork::eventually(const std::function<bool()> &condition) {
    bool met = false;
    std::function<void()> look;
    EventSource again;
    look = [&] {
        met = condition();
        if (met) {
            loop_.exit(0);
        } else {
            again = loop_.add_timer(std::chrono::milliseconds(20), look);
        }
    };
    again = loop_.add_timer(std::chrono::milliseconds(1), look);
    const EventSource deadline = loop_.add_timer(std::chrono::seconds(2), [&] { loop_.exit(0); });
    loop_.run();
    return met;
}

std::unique_ptr<FakeGuest> HostNetwork::start_guest(uid_t owner, const std::string &address,
                                                    bool allow_host) {
    const auto network = service().ensure_network(owner);
    const auto guest =
        service().create_tap(owner, service().check_address(owner, address), allow_host);
    return std::make_unique<FakeGuest>(guest.tap, net::mac_of(guest.address), guest.address,
                                       network.subnet.gateway());
}

} // namespace banger::test
