#include "base/files.hpp"
#include "resolved/nameservers.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netdb.h>

#include <array>
#include <filesystem>

namespace banger::resolved {
namespace {

namespace fs = std::filesystem;

std::string text_of(const SocketAddress &address) {
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    EXPECT_EQ(getnameinfo(address.get(), address.size, host.data(), host.size(), port.data(),
                          port.size(), NI_NUMERICHOST | NI_NUMERICSERV),
              0);
    return std::string{host.data()} + "#" + port.data();
}

std::vector<std::string> texts_of(const std::vector<SocketAddress> &addresses) {
    std::vector<std::string> texts;
    texts.reserve(addresses.size());
    for (const auto &address : addresses) {
        texts.push_back(text_of(address));
    }
    return texts;
}

using Texts = std::vector<std::string>;

TEST(ResolvConf, ListsNameserversInTheirOrder) {
    EXPECT_EQ(texts_of(parse_resolv_conf("# made by somebody\n"
                                         "search example.com\n"
                                         "nameserver 127.0.0.53\n"
                                         "options edns0 trust-ad\n"
                                         "nameserver\t2001:db8::1 \n",
                                         53)),
              (Texts{"127.0.0.53#53", "2001:db8::1#53"}));
}

TEST(ResolvConf, TakesThreeAsTheCLibraryDoes) {
    EXPECT_EQ(parse_resolv_conf("nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
                                "nameserver 192.0.2.3\nnameserver 192.0.2.4\n",
                                53)
                  .size(),
              3U);
}

TEST(ResolvConf, LeavesOutWhatItCannotRead) {
    EXPECT_EQ(texts_of(parse_resolv_conf("nameserver example.com\nnameserver\n"
                                         "nameservers 192.0.2.9\n;nameserver 192.0.2.8\n"
                                         "nameserver 192.0.2.1 # the good one\r\n"
                                         "nameserver 192.0.2.2",
                                         53)),
              (Texts{"192.0.2.1#53", "192.0.2.2#53"}));
}

class NameserversTest : public testing::Test {
protected:
    NameserversTest() : folder_(fs::temp_directory_path() / "banger-test-XXXXXX") {
        std::string pattern = folder_.string();
        EXPECT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
    }
    ~NameserversTest() override { fs::remove_all(folder_); }

    void write(const std::string &name, const std::string &text) const {
        write_file_atomically(folder_ / name, text);
    }
    fs::path file() const { return folder_ / "resolv.conf"; }

    fs::path folder_;
};

TEST_F(NameserversTest, WithoutAFileItIsThisMachine) {
    Nameservers servers{file(), 53};
    EXPECT_EQ(texts_of(servers.current()), Texts{"127.0.0.1#53"});
    write("resolv.conf", "nameserver 192.0.2.1\n");
    EXPECT_EQ(texts_of(servers.current()), Texts{"192.0.2.1#53"});
    fs::remove(file());
    EXPECT_EQ(texts_of(servers.current()), Texts{"127.0.0.1#53"});
}

TEST_F(NameserversTest, SeesAReplacedFile) {
    write("resolv.conf", "nameserver 192.0.2.1\n");
    Nameservers servers{file(), 53};
    EXPECT_EQ(texts_of(servers.current()), Texts{"192.0.2.1#53"});
    write("resolv.conf", "nameserver 192.0.2.2\n");
    EXPECT_EQ(texts_of(servers.current()), Texts{"192.0.2.2#53"});
}

TEST_F(NameserversTest, SeesAChangeBehindASymbolicLinkAndOfTheLinkItself) {
    fs::create_directory(folder_ / "run");
    write("run/stub.conf", "nameserver 192.0.2.1\n");
    write("run/other.conf", "nameserver 192.0.2.3\n");
    fs::create_symlink("run/stub.conf", file());
    Nameservers servers{file(), 53};
    EXPECT_EQ(texts_of(servers.current()), Texts{"192.0.2.1#53"});
    write("run/stub.conf", "nameserver 192.0.2.2\n");
    EXPECT_EQ(texts_of(servers.current()), Texts{"192.0.2.2#53"});
    fs::remove(file());
    fs::create_symlink("run/other.conf", file());
    EXPECT_EQ(texts_of(servers.current()), Texts{"192.0.2.3#53"});
}

} // namespace
} // namespace banger::resolved
