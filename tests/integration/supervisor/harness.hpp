#pragma once

#include "base/process.hpp"
#include "base/unique_fd.hpp"
#include "daemon/vmm/machine.hpp"
#include "tests/integration/supervisor/control_client.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace banger::supervisor {

/// A program in the guest with its descriptors, as a caller of bangerd holds them.
struct RunningExec {
    ControlClient control;
    UniqueFd input;
    UniqueFd output;
};

/// One user with directories, a session bus and a bangerd of the test's own; systemd is the test.
class SupervisorTest : public testing::Test {
protected:
    SupervisorTest();
    ~SupervisorTest() override;

    /// Starts the supervisor; the machine that Prepare gives it is `machine`.
    void start();
    /// Until the supervisor has told systemd a message that contains `text`. Throws after 30 s, or
    /// `deadline`.
    void wait_for_notification(const std::string &text,
                               std::chrono::seconds deadline = std::chrono::seconds(30));
    /// The exit status (waitpid(2)) of the supervisor.
    int wait_for_end() { return process_.wait(); }
    void signal(int number) const;
    std::filesystem::path directory() const;
    /// What last-exit.json says.
    nlohmann::json last_exit() const;
    /// Connected, its hello received.
    ControlClient connect() const;
    /// Begins an exec with standard input and output attached.
    RunningExec exec(ControlClient &client, const std::vector<std::string> &argv);
    /// Ends the guest by a verb of the stand-in.
    void end_guest(const std::string &how);
    /// RssAnon of the supervisor.
    std::size_t anonymous_kib() const;
    /// Pids of the VMM of this VM.
    std::vector<pid_t> vmm_processes() const;
    bool vmm_is_gone_within(std::chrono::seconds deadline) const;

    std::filesystem::path root_;
    vmm::Machine machine;
    /// Called in place of an answer to Prepare, may throw.
    std::function<void()> on_prepare;
    std::vector<std::string> notifications;

private:
    struct Bus;
    std::unique_ptr<Bus> bus_;
    UniqueFd notify_socket_;
    ChildProcess process_;
    std::uint64_t next_id_ = 100;
};

/// Everything up to the end of file.
std::string read_to_end(int fd);

} // namespace banger::supervisor
