#include "base/error.hpp"
#include "base/unix_socket.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <string_view>

namespace banger {
namespace {

namespace fs = std::filesystem;

class UnixSocket : public testing::Test {
protected:
    ~UnixSocket() override { fs::remove_all(root); }
    fs::path root = fs::path(testing::TempDir()) / "banger-unix-socket";
    fs::path deep = root / std::string(120, 'd');
    void SetUp() override { fs::create_directories(deep); }
};

TEST_F(UnixSocket, ConnectsAtAPathThatSunPathDoesNotHold) {
    for (const int type : {SOCK_STREAM, SOCK_SEQPACKET}) {
        const UniqueFd listener = listen_at(deep / "socket", type);
        const UniqueFd client = connect_to(deep / "socket", type);
        const UniqueFd server{::accept(listener.get(), nullptr, nullptr)};
        ASSERT_TRUE(server);
        EXPECT_EQ(::send(client.get(), "hello", 5, 0), 5);
        std::array<char, 8> text{};
        EXPECT_EQ(::recv(server.get(), text.data(), text.size(), 0), 5);
    }
}

TEST_F(UnixSocket, IsItsOwnersAlone) {
    const UniqueFd listener = listen_at(deep / "socket", SOCK_STREAM);
    struct stat status {};
    ASSERT_EQ(::stat((deep / "socket").c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
}

TEST_F(UnixSocket, NobodyListensAtIsAnErrorThatNamesIt) {
    try {
        connect_to(deep / "nobody", SOCK_STREAM);
        FAIL() << "it connected";
    } catch (const Error &error) {
        EXPECT_EQ(error.code(), ErrorCode::NotFound);
        EXPECT_NE(std::string_view(error.what()).find("nobody"), std::string_view::npos);
    }
}

} // namespace
} // namespace banger
