#pragma once

#include "base/byte_size.hpp"
#include "base/files.hpp"
#include "fake_supervisor.hpp"
#include "fakes.hpp"

#include <gtest/gtest.h>
#include <systemd/sd-event.h>

#include <chrono>
#include <csignal>
#include <optional>

namespace banger::vm {

/// A user's machine without systemd, helper and VMM; files, database, keys and disks are real.
class World : public testing::Test {
protected:
    World() : jobs(loop), units(loop), network(loop), artifacts(loop, jobs) {
        block_signals({SIGCHLD});
        std::string name = testing::TempDir() + "bngrXXXXXX";
        root = ::mkdtemp(name.data());
        paths = {root / "config", root / "state", root / "cache", root / "run"};
        store = std::make_unique<store::Store>(paths.database());
        reboot_daemon();
    }
    ~World() override {
        manager.reset();
        store.reset();
        std::filesystem::remove_all(root);
    }

    /// A new bangerd over the same files and units.
    void reboot_daemon() {
        manager.reset();
        manager = std::make_unique<VmManager>(
            Services{loop, paths, *store, jobs, units, network, artifacts,
                     config::HostSize{4, 8 * GiB}, BANGER_IMAGE_WORKER,
                     [this] {
                         return config::parse(config_text, "config.toml", {4, 8 * GiB});
                     },
                     [](const config::Config &) {
                         return vmm::Selection{vmm::Kind::Qemu, vmm::Accelerator::Tcg,
                                               "/usr/bin/qemu", "why"};
                     },
                     [] { return std::uint64_t{1'700'000'000'000'000}; }});
    }

    /// Lets the loop work until the condition holds.
    template <typename Condition>
    testing::AssertionResult until(Condition condition) {
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        while (!condition()) {
            if (std::chrono::steady_clock::now() > deadline) {
                return testing::AssertionFailure() << "it did not happen within 20 s";
            }
            constexpr std::uint64_t step_usec = 100'000;
            sd_event_run(loop.get(), step_usec);
        }
        return testing::AssertionSuccess();
    }
    job::Snapshot end_of(const std::shared_ptr<job::Job> &job) {
        EXPECT_TRUE(until([&] { return !job->running(); }));
        return job->snapshot();
    }

    /// A VM that was created and never started.
    VmName created(const std::string &name = "sandbox") {
        CreateRequest request;
        request.name = name;
        request.disk_bytes = 64 * MiB;
        request.overlay_bytes = 64 * MiB;
        const auto end = end_of(manager->create(request));
        EXPECT_EQ(end.state, job::State::Done) << (end.error ? end.error->what() : "");
        return VmName(name);
    }
    /// Makes the units' main process behave as a supervisor whose guest comes up.
    void with_guests_that_come_up() {
        units.main_process = [this](const VmName &name) {
            supervisors.erase(name); // its socket's path is the next one's
            supervisors[name] =
                std::make_unique<FakeSupervisor>(loop, paths.vm_runtime(name) / "supervisor.sock");
            manager->prepare(name, [this, name](Outcome<std::filesystem::path> outcome) {
                if (!outcome) {
                    prepare_error = outcome.error();
                    units.down(name, "exit-code");
                    return;
                }
                supervisors[name]->tell("agent-ready");
                units.up(name);
            });
        };
    }
    State state(const VmName &name) { return manager->get(name).state; }
    std::size_t files_below(const std::filesystem::path &directory) const {
        std::size_t count = 0;
        if (std::filesystem::exists(directory)) {
            for ([[maybe_unused]] const auto &entry :
                 std::filesystem::recursive_directory_iterator(directory)) {
                ++count;
            }
        }
        return count;
    }
    /// Nothing of a VM of that name is anywhere.
    void expect_no_trace_of(const VmName &name) {
        EXPECT_FALSE(store->find_vm(name));
        EXPECT_FALSE(std::filesystem::exists(paths.vm_state(name)));
        EXPECT_FALSE(std::filesystem::exists(paths.vm_runtime(name)));
        EXPECT_TRUE(network.taps.empty());
        EXPECT_FALSE(units.dropins.contains(name));
        EXPECT_FALSE(units.watched.contains(name));
        const auto known_hosts = paths.ssh() / "known_hosts";
        if (std::filesystem::exists(known_hosts)) {
            EXPECT_EQ(read_file(known_hosts).find(name.str() + ".vm"), std::string::npos);
        }
    }

    EventLoop loop;
    std::filesystem::path root;
    Paths paths;
    std::unique_ptr<store::Store> store;
    job::JobTable jobs;
    FakeUnits units;
    FakeNetwork network;
    FakeArtifacts artifacts;
    std::string config_text;
    std::map<VmName, std::unique_ptr<FakeSupervisor>> supervisors;
    std::optional<Error> prepare_error;
    std::unique_ptr<VmManager> manager;
};

} // namespace banger::vm
