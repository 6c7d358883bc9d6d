#pragma once

#include "tests/integration/guest/guest.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace banger::test {

/// One running guest for all tests that leave it as it is: a boot takes its time.
class SharedGuest : public testing::Test {
public:
    /// Ends it, to leave the machine to a test with a guest of its own.
    static void end() {
        guest_.reset();
        machine_.reset();
    }

protected:
    void SetUp() override {
        if (!guest_) {
            testing::AddGlobalTestEnvironment(std::make_unique<Ending>().release());
            machine_ = std::make_unique<GuestMachine>();
            guest_ = std::make_unique<Guest>(*machine_);
            connected_ = guest_->connect();
        }
        ASSERT_TRUE(connected_) << guest_->console();
    }

    static inline std::unique_ptr<GuestMachine> machine_;
    static inline std::unique_ptr<Guest> guest_;

private:
    class Ending : public testing::Environment {
        void TearDown() override { end(); }
    };
    static inline bool connected_ = false;
};

} // namespace banger::test
