#include "tests/integration/helper/host_network.hpp"

#include <algorithm>

namespace banger::test {
namespace {

constexpr std::uint16_t ipv4 = 0x0800;
constexpr std::uint16_t arp = 0x0806;
constexpr std::uint16_t vlan = 0x8100;
constexpr std::uint16_t qinq = 0x88a8;
constexpr std::uint16_t ipv6 = 0x86dd;

Bytes mac(const std::string &text) {
    Bytes result;
    for (std::size_t i = 0; i < text.size(); i += 3) {
        result.push_back(static_cast<std::uint8_t>(std::stoul(text.substr(i, 2), nullptr, 16)));
    }
    return result;
}

Bytes operator+(Bytes left, const Bytes &right) {
    left.insert(left.end(), right.begin(), right.end());
    return left;
}

Bytes number(std::uint16_t value) {
    return {static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value & 0xffU)};
}

Bytes octets(const std::string &address) {
    const auto value = Ipv4::parse(address).octets;
    return {value.begin(), value.end()};
}

const Bytes broadcast(6, 0xff);
const Bytes mine = mac("06:00:ac:10:00:02");
const Bytes other = mac("06:00:ac:10:00:03");
const Bytes gateway = mac("06:00:ac:10:00:01");
// Not on any real frame here, so it tells ours.
const Bytes marker{0xba, 0x26, 0x9e, 0x12, 0x07, 0x5a};

Bytes frame(const Bytes &to, const Bytes &from, std::uint16_t type, const Bytes &payload) {
    return to + from + number(type) + payload;
}

// An IPv4 header with a right checksum, protocol 253 (for experiments, RFC 3692).
Bytes ip_packet(const std::string &from, const std::string &to, std::uint8_t protocol = 253,
                const Bytes &payload = marker) {
    const auto length = static_cast<std::uint16_t>(20 + payload.size());
    Bytes header = Bytes{0x45, 0} + number(length) + Bytes{0, 1, 0, 0, 64, protocol, 0, 0} +
                   octets(from) + octets(to);
    std::uint32_t sum = 0;
    for (std::size_t i = 0; i < header.size(); i += 2) {
        sum += static_cast<std::uint32_t>(header[i] << 8U) + header[i + 1];
    }
    while (sum > 0xffff) {
        sum = (sum & 0xffffU) + (sum >> 16U);
    }
    const Bytes checksum = number(static_cast<std::uint16_t>(~sum & 0xffffU));
    std::copy(checksum.begin(), checksum.end(), header.begin() + 10);
    return header + payload;
}

Bytes arp_reply(const Bytes &sender_mac, const std::string &sender, const std::string &target) {
    return number(1) + number(ipv4) + Bytes{6, 4} + number(2) + sender_mac + octets(sender) +
           other + octets(target) + marker;
}

bool is_marked(const Bytes &received) {
    return std::search(received.begin(), received.end(), marker.begin(), marker.end()) !=
           received.end();
}

class Spoofing : public HostNetwork {
protected:
    void SetUp() override {
        HostNetwork::SetUp();
        if (IsSkipped()) {
            return;
        }
        guest_ = start_guest(alice, "172.16.0.2");
        victim_ = start_guest(alice, "172.16.0.3");
        // The bridge knows where the victim is.
        ASSERT_TRUE(ping(victim_->stack(), "172.16.0.1"));
        ASSERT_TRUE(ping(guest_->stack(), "172.16.0.1"));
    }

    /// Whether the frame comes out at the other guest of the bridge.
    bool gets_out(const Bytes &sent) {
        guest_->send_frame(sent);
        return victim_->received(is_marked, std::chrono::milliseconds(200));
    }

    std::unique_ptr<FakeGuest> guest_;
    std::unique_ptr<FakeGuest> victim_;
};

TEST_F(Spoofing, WhatIsRightGetsOut) {
    EXPECT_TRUE(gets_out(frame(other, mine, ipv4, ip_packet("172.16.0.2", "172.16.0.3"))));
}

TEST_F(Spoofing, ARightArpReplyGetsOut) {
    EXPECT_TRUE(gets_out(frame(other, mine, arp, arp_reply(mine, "172.16.0.2", "172.16.0.3"))));
}

TEST_F(Spoofing, NoOtherMac) {
    EXPECT_FALSE(gets_out(
        frame(other, mac("06:00:ac:10:00:63"), ipv4, ip_packet("172.16.0.2", "172.16.0.3"))));
    EXPECT_FALSE(
        gets_out(frame(broadcast, gateway, arp, arp_reply(mine, "172.16.0.2", "172.16.0.3"))));
    // The bridge must not have learnt that the victim were here.
    guest_->send_frame(frame(gateway, other, ipv4, ip_packet("172.16.0.3", "172.16.0.1")));
    EXPECT_TRUE(ping(*host_, "172.16.0.3"));
}

TEST_F(Spoofing, NoOtherIPv4Source) {
    for (const auto *source : {"172.16.0.1", "172.16.0.3", "172.16.0.99", "10.1.2.3", "0.0.0.0",
                               "192.0.2.254", "127.0.0.1"}) {
        EXPECT_FALSE(gets_out(frame(other, mine, ipv4, ip_packet(source, "172.16.0.3")))) << source;
        EXPECT_FALSE(gets_out(frame(broadcast, mine, ipv4, ip_packet(source, "172.16.0.255"))))
            << source;
    }
}

TEST_F(Spoofing, NoIPv6) {
    Bytes packet(40, 0);
    packet[0] = 0x60;
    packet[6] = 59;
    EXPECT_FALSE(gets_out(frame(other, mine, ipv6, packet + marker)));
    EXPECT_FALSE(gets_out(frame(mac("33:33:00:00:00:01"), mine, ipv6, packet + marker)));
}

TEST_F(Spoofing, NoOtherArpSender) {
    EXPECT_FALSE(gets_out(frame(other, mine, arp, arp_reply(mine, "172.16.0.1", "172.16.0.3"))));
    EXPECT_FALSE(gets_out(frame(other, mine, arp, arp_reply(other, "172.16.0.2", "172.16.0.3"))));
    EXPECT_FALSE(
        gets_out(frame(broadcast, mine, arp, arp_reply(gateway, "172.16.0.1", "172.16.0.3"))));
    // Nor in a form that only looks like ARP over Ethernet and IPv4.
    Bytes odd = arp_reply(mine, "172.16.0.1", "172.16.0.3");
    odd[4] = 8;
    EXPECT_FALSE(gets_out(frame(other, mine, arp, odd)));
}

TEST_F(Spoofing, NoOtherProtocolAndNoTags) {
    const Bytes right = ip_packet("172.16.0.2", "172.16.0.3");
    const Bytes wrong = ip_packet("172.16.0.1", "172.16.0.3");
    EXPECT_FALSE(gets_out(frame(other, mine, 0x88b5, marker)));
    EXPECT_FALSE(gets_out(frame(other, mine, 100, marker)));
    EXPECT_FALSE(gets_out(frame(other, mine, vlan, number(7) + number(ipv4) + right)));
    EXPECT_FALSE(gets_out(frame(other, mine, vlan, number(0) + number(ipv4) + wrong)));
    EXPECT_FALSE(gets_out(frame(other, mine, qinq, number(7) + number(ipv4) + wrong)));
    EXPECT_FALSE(gets_out(frame(other, mine, vlan, number(0) + number(ipv6) + right)));
}

// Frames to the group addresses of IEEE 802.1D reach the host on the port itself, past the bridge.
TEST_F(Spoofing, GroupAddressesAreNoWayToTheHost) {
    EchoServer server(9999);
    const Bytes udp = number(1234) + number(9999) + number(8 + 6) + number(0) + marker;
    for (const auto *group : {"01:80:c2:00:00:00", "01:80:c2:00:00:03", "01:80:c2:00:00:0e"}) {
        for (const auto *source : {"172.16.0.2", "172.16.0.3", "192.0.2.254"}) {
            for (const auto *target : {"172.16.0.1", "192.0.2.1"}) {
                guest_->send_frame(
                    frame(mac(group), mine, ipv4, ip_packet(source, target, 17, udp)));
            }
        }
    }
    EXPECT_EQ(server.answer(std::chrono::milliseconds(300)), "");
}

// Without these the tests above would prove nothing.
TEST_F(Spoofing, WithoutTheRulesItGetsOut) {
    run_program({"nft", "delete", "table", "bridge", "banger_0"});
    EXPECT_TRUE(gets_out(
        frame(other, mine, vlan, number(7) + number(ipv4) + ip_packet("10.1.2.3", "172.16.0.3"))));
}

TEST_F(Spoofing, WithoutTheRulesGroupAddressesAreAWayToTheHost) {
    run_program({"nft", "delete", "table", "bridge", "banger_0"});
    run_program({"nft", "delete", "table", "inet", "banger_0"});
    EchoServer server(9999);
    const Bytes udp = number(1234) + number(9999) + number(8 + 6) + number(0) + marker;
    guest_->send_frame(frame(mac("01:80:c2:00:00:03"), mine, ipv4,
                             ip_packet("172.16.0.2", "172.16.0.1", 17, udp)));
    EXPECT_EQ(server.answer(std::chrono::milliseconds(1000)), "172.16.0.2");
}

} // namespace
} // namespace banger::test
