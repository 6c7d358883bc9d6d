#include "daemon/vm/names.hpp"
#include "world.hpp"

#include <gmock/gmock.h>

namespace banger::vm {
namespace {

class Delete : public World {};

TEST_F(Delete, OfARunningVmLeavesNothing) {
    with_guests_that_come_up();
    const VmName name = created();
    end_of(manager->start(name));
    supervisors.clear();
    EXPECT_EQ(end_of(manager->remove(name)).state, job::State::Done);
    expect_no_trace_of(name);
    EXPECT_EQ(units.units[name].active, "inactive");
    EXPECT_THROW(manager->get(name), Error);
}

TEST_F(Delete, OfARunningVmShowsNoFailure) {
    with_guests_that_come_up();
    const VmName name = created();
    end_of(manager->start(name));
    std::vector<State> states;
    manager->observe({[](const View &) {}, [&](const View &vm) { states.push_back(vm.state); },
                      [](const std::string &) {}, [](const net::Network &) {}});
    end_of(manager->remove(name));
    EXPECT_THAT(states, testing::Contains(State::Stopping));
    EXPECT_THAT(states, testing::Not(testing::Contains(State::Failed)));
}

TEST_F(Delete, StopsAlsoAVmThatWasTakenForStopped) {
    const VmName name = created();
    units.units[name].active = "active"; // and nobody was told
    EXPECT_EQ(end_of(manager->remove(name)).state, job::State::Done);
    EXPECT_EQ(units.units[name].active, "inactive");
}

TEST_F(Delete, FreesNameAndAddressAtOnce) {
    const VmName name = created();
    end_of(manager->remove(name));
    created();
    EXPECT_EQ(store->find_vm(name)->host_number, 2);
}

TEST_F(Delete, AStartDuringItIsRefusedAsBusy) {
    const VmName name = created();
    manager->remove(name);
    std::optional<Error> error;
    manager->prepare(name, [&](const Outcome<std::filesystem::path> &o) { error = o.error(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::Busy);
    EXPECT_THROW(manager->start(name), Error);
}

TEST_F(Delete, ThatWasInterruptedIsFinishedByTheNextDaemon) {
    with_guests_that_come_up();
    const VmName name = created();
    end_of(manager->start(name));
    supervisors.clear();
    store::VmRecord record = *store->find_vm(name);
    record.phase = store::Phase::Deleting;
    store->update(record);
    reboot_daemon();
    manager->reconcile([] {});
    ASSERT_TRUE(until([&] { return !store->find_vm(name); }));
    expect_no_trace_of(name);
}

TEST_F(Delete, NamesAreThoseOfRunningVms) {
    resolved::Zone zone;
    const Names names(*manager, zone);
    with_guests_that_come_up();
    const VmName name = created();
    EXPECT_FALSE(zone.address_of("sandbox"));
    end_of(manager->start(name));
    EXPECT_EQ(zone.address_of("sandbox")->str(), "172.16.0.2");
    end_of(manager->stop(name, false));
    EXPECT_FALSE(zone.address_of("sandbox"));
    end_of(manager->start(name));
    EXPECT_TRUE(zone.address_of("sandbox"));
    end_of(manager->remove(name));
    EXPECT_FALSE(zone.address_of("sandbox"));
}

} // namespace
} // namespace banger::vm
