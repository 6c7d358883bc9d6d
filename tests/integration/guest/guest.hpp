#pragma once

#include "agent/identity/identity.hpp"
#include "base/process.hpp"
#include "tests/lib/channel_driver.hpp"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace banger::test {

/// A VM's disks and identity; survives the starts of it. Made from what the script `run` prepared.
class GuestMachine {
public:
    GuestMachine();
    ~GuestMachine();

    std::filesystem::path folder() const { return folder_; }
    identity::Identity identity;

private:
    std::filesystem::path folder_;
};

/// One run of the VM under QEMU, with the command line that the product uses, and the channel.
class Guest {
public:
    explicit Guest(GuestMachine &machine);
    ~Guest();

    /// Until the agent has said hello.
    bool connect(std::chrono::milliseconds timeout = 120000ms);
    ChannelDriver &channel() { return *driver_; }
    /// Breaks the channel's transport and makes it anew.
    bool reconnect();

    /// Events so far, and waiting for one.
    bool wait_for_event(channel::Event::Kind kind, std::chrono::milliseconds timeout = 120000ms);
    std::string shutdown_kind() const;

    /// Waits for the end of the VMM; its wait status, or nullopt after `timeout`.
    std::optional<int> wait_for_end(std::chrono::milliseconds timeout);
    /// `sh -c script`: exit status and output.
    struct Result {
        int code = -1;
        std::string out;
        std::string err;
    };
    Result sh(const std::string &script, std::chrono::milliseconds timeout = 60000ms);
    std::string console() const;

private:
    bool open_channel(std::chrono::milliseconds timeout);
    void subscribe();

    GuestMachine &machine_;
    ChildProcess qemu_;
    std::filesystem::path socket_;
    std::unique_ptr<ChannelDriver> driver_;
    channel::LineSplitter event_lines_;
    std::vector<channel::Event> events_;
};

} // namespace banger::test
