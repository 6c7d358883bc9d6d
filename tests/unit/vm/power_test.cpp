#include "world.hpp"

#include <sys/socket.h>
#include <unistd.h>

namespace banger::vm {
namespace {

class Power : public World {
protected:
    VmName running(const std::string &name = "sandbox") {
        with_guests_that_come_up();
        VmName vm = created(name);
        EXPECT_EQ(end_of(manager->start(vm)).state, job::State::Done);
        return vm;
    }
    void write_last_exit(const VmName &name, const std::string &json) {
        write_file_atomically(paths.vm_state(name) / "last-exit.json", json);
    }
};

TEST_F(Power, AStartMakesDisksNetworkAndLimits) {
    const VmName name = running();
    const View view = manager->get(name);
    EXPECT_EQ(view.state, State::Running);
    EXPECT_EQ(view.ip_address, "172.16.0.2");
    EXPECT_EQ(view.vmm, "qemu");
    EXPECT_EQ(view.vmm_reason, "why");
    EXPECT_EQ(std::filesystem::file_size(paths.vm_state(name) / "overlay.ext4"), 64 * MiB);
    EXPECT_EQ(std::filesystem::file_size(paths.vm_state(name) / "work.ext4"), 64 * MiB);
    EXPECT_TRUE(std::filesystem::exists(paths.vm_state(name) / "config.img"));
    const auto machine = vmm::machine_from_json(read_file(paths.vm_runtime(name) / "machine.json"));
    EXPECT_EQ(machine.disks.size(), 5U);
    EXPECT_EQ(machine.nic->tap, "bngr0-2");
    EXPECT_GT(units.limits.at(name).memory_max, view.memory_mib * MiB);
}

TEST_F(Power, AKernelWithoutModulesNeedsNoDiskForThem) {
    artifacts.kernel_shape.has_modules = false;
    const VmName name = running();
    const auto machine = vmm::machine_from_json(read_file(paths.vm_runtime(name) / "machine.json"));
    EXPECT_EQ(machine.disks.size(), 4U);
}

TEST_F(Power, AKernelByWhichTheGuestCouldNotBeReachedIsNotStarted) {
    artifacts.kernel_shape.missing = {"virtio_console"};
    const VmName name = created();
    with_guests_that_come_up();
    const auto end = end_of(manager->start(name));
    EXPECT_EQ(end.state, job::State::Failed);
    EXPECT_TRUE(network.taps.empty());
    const std::string why = manager->get(name).error_message;
    EXPECT_NE(why.find("virtio_console"), std::string::npos) << why;
}

TEST_F(Power, SystemctlStartDoesTheSame) {
    with_guests_that_come_up();
    const VmName name = created();
    units.systemctl_start(name);
    EXPECT_EQ(state(name), State::Starting);
    ASSERT_TRUE(until([&] { return state(name) == State::Running; }));
    EXPECT_TRUE(network.taps.contains("bngr0-2"));
    EXPECT_TRUE(std::filesystem::exists(paths.vm_state(name) / "work.ext4"));
}

TEST_F(Power, TheGuestsReadinessIsToldAsItComes) {
    const VmName name = running();
    EXPECT_FALSE(manager->get(name).login_ready);
    supervisors[name]->tell("agent-ready", true);
    ASSERT_TRUE(until([&] { return manager->get(name).login_ready; }));
    EXPECT_EQ(manager->get(name).boot_status, "Starting ssh");
}

TEST_F(Power, NatIsSwitchedOnForWhoAskedForIt) {
    with_guests_that_come_up();
    CreateRequest request;
    request.name = "out";
    request.nat = true;
    request.start = true;
    request.disk_bytes = request.overlay_bytes = 64 * MiB;
    EXPECT_EQ(end_of(manager->create(request)).state, job::State::Done);
    EXPECT_TRUE(network.nat.contains("bngr0-2"));
}

TEST_F(Power, ARefusedNetworkFailsTheStartWithTheHelpersReason) {
    with_guests_that_come_up();
    const VmName name = created();
    network.refusal = Error(ErrorCode::NotAuthorized, "become a member of group banger");
    const auto end = end_of(manager->start(name));
    EXPECT_EQ(end.state, job::State::Failed);
    EXPECT_EQ(end.error->code(), ErrorCode::NotAuthorized);
    EXPECT_NE(std::string(end.error->what()).find("become a member"), std::string::npos);
    EXPECT_EQ(state(name), State::Failed);
    EXPECT_EQ(manager->get(name).error_kind, "NotAuthorized");
    EXPECT_TRUE(network.taps.empty());
}

TEST_F(Power, AStopLeavesTheVmStoppedWithoutAnError) {
    const VmName name = running();
    EXPECT_EQ(end_of(manager->stop(name, false)).state, job::State::Done);
    EXPECT_EQ(state(name), State::Stopped);
    EXPECT_EQ(manager->get(name).error_kind, "");
    EXPECT_EQ(end_of(manager->stop(name, false)).state, job::State::Done);
}

TEST_F(Power, AKilledVmIsStoppedNotFailed) {
    const VmName name = running();
    EXPECT_EQ(end_of(manager->stop(name, true)).state, job::State::Done);
    EXPECT_EQ(state(name), State::Stopped);
    EXPECT_EQ(manager->get(name).error_kind, "");
}

TEST_F(Power, APanicInTheGuestIsAFailureWithItsReason) {
    const VmName name = running();
    write_last_exit(name, R"({"reason":"panic","message":"the guest's kernel panicked",)"
                          R"("time_usec":1,"clean":false})");
    units.down(name, "exit-code");
    EXPECT_EQ(state(name), State::Failed);
    EXPECT_EQ(manager->get(name).error_message, "the guest's kernel panicked");
}

TEST_F(Power, APoweroffInTheGuestIsAStop) {
    const VmName name = running();
    write_last_exit(name, R"({"reason":"poweroff","message":"","time_usec":1,"clean":true})");
    units.down(name);
    EXPECT_EQ(state(name), State::Stopped);
    EXPECT_EQ(manager->get(name).error_kind, "");
}

TEST_F(Power, CancellingAStartStopsTheUnit) {
    units.main_process = [](const VmName &) {};
    const VmName name = created();
    const auto job = manager->start(name);
    ASSERT_TRUE(until([&] { return state(name) == State::Starting; }));
    job->cancel();
    EXPECT_EQ(end_of(job).state, job::State::Cancelled);
    EXPECT_FALSE(manager->get(name).state == State::Starting);
}

TEST_F(Power, ARestartedDaemonFindsTheRunningVm) {
    const VmName name = running();
    reboot_daemon();
    bool reconciled = false;
    manager->reconcile([&] { reconciled = true; });
    ASSERT_TRUE(until([&] { return reconciled; }));
    EXPECT_EQ(state(name), State::Running);
    EXPECT_EQ(manager->get(name).ip_address, "172.16.0.2");
    std::optional<int> stream;
    supervisors[name]->on_request = [&](const std::string &, std::uint64_t id) {
        supervisors[name]->send(fmt::format(R"({{"id":{},"ok":true}})", id), STDERR_FILENO);
    };
    manager->open_stream(name, "tcp:22", [&](Outcome<UniqueFd> fd) { stream = fd.value().get(); });
    EXPECT_TRUE(until([&] { return stream.has_value(); }));
}

TEST_F(Power, ARestartedDaemonReleasesTapsThatNoVmUses) {
    const VmName name = running();
    network.taps["bngr0-99"] = "172.16.0.99";
    reboot_daemon();
    manager->reconcile([] {});
    EXPECT_TRUE(until([&] { return network.taps.size() == 1; }));
    EXPECT_TRUE(network.taps.contains("bngr0-2"));
    EXPECT_EQ(state(name), State::Running);
}

TEST_F(Power, ExecWaitsForTheAgentWhileTheVmStarts) {
    units.main_process = [this](const VmName &name) {
        supervisors[name] =
            std::make_unique<FakeSupervisor>(loop, paths.vm_runtime(name) / "supervisor.sock");
        manager->prepare(name, [](const Outcome<std::filesystem::path> &) {});
    };
    const VmName name = created();
    manager->start(name);
    ASSERT_TRUE(until([&] { return supervisors.contains(name); }));
    ASSERT_TRUE(until([&] { return !supervisors[name]->requests.empty(); }));
    supervisors[name]->on_request = [&](const std::string &, std::uint64_t id) {
        supervisors[name]->send(fmt::format(R"({{"id":{},"ok":true}})", id), STDERR_FILENO);
    };
    ExecRequest request;
    request.argv = {"true"};
    bool answered = false;
    manager->exec(name, std::move(request), [&](Outcome<UniqueFd> fd) { answered = bool(fd); });
    EXPECT_EQ(supervisors[name]->requests.size(), 1U);
    supervisors[name]->tell("agent-ready");
    units.up(name);
    EXPECT_TRUE(until([&] { return answered; }));
}

TEST_F(Power, ExecInAStoppedVmSaysHowToStartIt) {
    const VmName name = created();
    std::optional<Error> error;
    manager->exec(name, {}, [&](const Outcome<UniqueFd> &fd) { error = fd.error(); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::InvalidState);
    EXPECT_NE(std::string(error->what()).find("banger vm start sandbox"), std::string::npos);
}

TEST_F(Power, ASupervisorThatGoesAnswersAllThatIsOpen) {
    const VmName name = running();
    std::optional<Error> error;
    manager->open_stream(name, "tcp:22", [&](const Outcome<UniqueFd> &fd) { error = fd.error(); });
    ASSERT_TRUE(until([&] { return supervisors[name]->requests.size() == 2; }));
    supervisors[name]->hang_up();
    ASSERT_TRUE(until([&] { return error.has_value(); }));
    EXPECT_EQ(error->code(), ErrorCode::InvalidState);
}

TEST_F(Power, PacketsThatMakeNoSenseAreIgnored) {
    const VmName name = running();
    for (const char *packet : {"", "{", "[]", "3", R"({"event":"state"})", R"({"id":"x"})",
                               R"({"event":"state","stage":7})", R"({"id":99,"ok":true})"}) {
        supervisors[name]->send(packet);
    }
    supervisors[name]->tell("agent-ready", true);
    EXPECT_TRUE(until([&] { return manager->get(name).login_ready; }));
}

} // namespace
} // namespace banger::vm
