#include "dbus/guard.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace banger::bus {
namespace {

std::string name_thrown_by(const std::function<void()> &body) {
    try {
        guard(body);
    } catch (const sdbus::Error &e) {
        return e.getName();
    }
    return {};
}

TEST(Guard, GivesEveryErrorItsName) {
    EXPECT_EQ(name_thrown_by([] { fail(ErrorCode::NotFound, "no VM 'x'"); }),
              "org.banger.Error.NotFound");
    EXPECT_EQ(name_thrown_by([] { throw std::runtime_error("?"); }), "org.banger.Error.Internal");
    EXPECT_EQ(name_thrown_by([] { throw make_error("a.b.C", "kept"); }), "a.b.C");
}

TEST(Guard, ErrorsSurviveTheBus) {
    const sdbus::Error sent = to_bus_error(Error(ErrorCode::Busy, "wait"));
    const Error received = from_bus_error(sent.getName(), sent.getMessage());
    EXPECT_EQ(received.code(), ErrorCode::Busy);
    EXPECT_STREQ(received.what(), "wait");
    EXPECT_EQ(from_bus_error("org.freedesktop.DBus.Error.AccessDenied", "").code(),
              ErrorCode::NotAuthorized);
}

} // namespace
} // namespace banger::bus
