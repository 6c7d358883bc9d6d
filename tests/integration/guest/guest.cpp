#include "tests/integration/guest/guest.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/ext4/empty_disk.hpp"
#include "daemon/vmm/launch.hpp"
#include "daemon/vmm/tsc.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace banger::test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

fs::path from_environment(const char *name) {
    const char *value = std::getenv(name);
    if (value == nullptr) {
        fail(ErrorCode::NotFound, "{} is not set: start this test by the script beside it", name);
    }
    return value;
}

UniqueFd connect_to(const fs::path &path) {
    UniqueFd socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    if (::connect(socket.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)) !=
        0) {
        return {};
    }
    return socket;
}

vmm::Machine describe(const GuestMachine &machine) {
    vmm::Machine out;
    out.name = "guest";
    out.kind = vmm::Kind::Qemu;
    out.accelerator = vmm::Accelerator::Tcg;
    out.binary = "qemu-system-x86_64";
    out.vcpus = 2;
    out.memory_mib = 512;
    out.kernel = from_environment("BANGER_GUEST_KERNEL");
    out.initrd = from_environment("BANGER_GUEST_INITRAMFS");
    const fs::path folder = machine.folder();
    // In no useful order: what is on a disk says which it is.
    out.disks = {{"work", folder / "work", false},
                 {"config", folder / "config", true},
                 {"modules", from_environment("BANGER_GUEST_MODULES"), true},
                 {"overlay", folder / "overlay", false},
                 {"image", from_environment("BANGER_GUEST_IMAGE"), true}};
    return out;
}

} // namespace

GuestMachine::GuestMachine() {
    static int counter = 0;
    folder_ = from_environment("BANGER_GUEST_WORK") / ("vm" + std::to_string(counter++));
    fs::create_directories(folder_);
    constexpr std::uint64_t gib = 1ULL << 30U;
    ext4::format_empty_disk(folder_ / "overlay", 2 * gib, "banger-overlay");
    ext4::format_empty_disk(folder_ / "work", gib, "banger-work");
    identity.hostname = "sandbox";
    identity.domain = "vm";
    identity.machine_id = "0123456789abcdef0123456789abcdef";
    // QEMU's own user-mode network, so that no link of the host is needed.
    identity.address = "10.0.2.15";
    identity.gateway = "10.0.2.2";
    identity.resolver = "10.0.2.3";
    identity.mac = "06:00:0a:00:02:0f";
    identity.git_config = "[user]\n\tname = Somebody\n";
}

GuestMachine::~GuestMachine() {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
}

Guest::Guest(GuestMachine &machine) : machine_(machine) {
    static const vmm::TscMeter meter;
    ++machine_.identity.boot_generation;
    machine_.identity.realtime_usec = std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count();
    const fs::path folder = machine_.folder();
    write_file_atomically(folder / "config", identity::config_disk_image(machine_.identity));

    const vmm::Launch launch = vmm::plan_launch(describe(machine_), meter.khz());
    for (const auto &file : launch.files) {
        fs::remove(folder / file.name);
        fs::create_symlink(file.source, folder / file.name);
    }
    for (const char *left : {"qmp.sock", "channel.sock"}) {
        fs::remove(folder / left);
    }
    Command command;
    command.argv = {"qemu-system-x86_64"};
    command.argv.insert(command.argv.end(), launch.arguments.begin(), launch.arguments.end());
    for (const auto &word :
         {std::string("-netdev"), std::string("user,id=net,restrict=on"), std::string("-device"),
          "virtio-net-device,netdev=net,mac=" + machine_.identity.mac}) {
        command.argv.push_back(word);
    }
    command.working_directory = folder;
    command.die_with_parent = true;
    const UniqueFd console = open_file(folder / "console", O_WRONLY | O_CREAT | O_APPEND, 0600);
    command.standard_output = console.get();
    command.standard_error = console.get();
    qemu_ = spawn(command);
    socket_ = folder / launch.channel_socket;
}

Guest::~Guest() = default;

bool Guest::open_channel(std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    while (Clock::now() < deadline) {
        if (UniqueFd socket = connect_to(socket_)) {
            driver_ = std::make_unique<ChannelDriver>(std::move(socket));
            const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
            return driver_->connect(left);
        }
        // QEMU makes its socket within milliseconds; nothing tells when.
        ::poll(nullptr, 0, 20);
    }
    return false;
}

void Guest::subscribe() {
    channel::StreamCallbacks callbacks;
    callbacks.on_data = [this](channel::Bytes data) {
        event_lines_.feed(channel::as_text(data), [this](std::string_view line) {
            events_.push_back(channel::parse_event(line));
        });
        return data.size();
    };
    driver_->client().start_request("GET", "/v1/events", {}, false, std::move(callbacks));
}

bool Guest::connect(std::chrono::milliseconds timeout) {
    if (!open_channel(timeout)) {
        return false;
    }
    subscribe();
    return true;
}

bool Guest::reconnect() {
    driver_.reset();
    events_.clear();
    event_lines_ = channel::LineSplitter();
    return connect(30000ms);
}

bool Guest::wait_for_event(channel::Event::Kind kind, std::chrono::milliseconds timeout) {
    return driver_->run_until(
        [&] {
            return std::any_of(events_.begin(), events_.end(),
                               [&](const auto &event) { return event.kind == kind; });
        },
        timeout);
}

std::string Guest::shutdown_kind() const {
    for (const auto &event : events_) {
        if (event.kind == channel::Event::Kind::Shutdown) {
            return event.text;
        }
    }
    return "";
}

std::optional<int> Guest::wait_for_end(std::chrono::milliseconds timeout) {
    // The channel is served meanwhile: its last words count.
    const auto deadline = Clock::now() + timeout;
    if (driver_) {
        driver_->run_until([&] { return driver_->ended(); }, timeout);
    }
    const UniqueFd pid{static_cast<int>(::syscall(SYS_pidfd_open, qemu_.pid(), 0))};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd waiting{pid.get(), POLLIN, 0};
    if (::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 1000))) != 1) {
        return std::nullopt;
    }
    return qemu_.wait();
}

Guest::Result Guest::sh(const std::string &script, std::chrono::milliseconds timeout) {
    channel::ExecSpec spec;
    spec.argv = {"sh", "-c", script};
    spec.attach_stdout = true;
    spec.attach_stderr = true;
    const RunningExec exec(*driver_, spec);
    driver_->run_until([&] { return exec.finished(); }, timeout);
    return {exec.code(), exec.out, exec.err};
}

std::string Guest::console() const {
    return read_file(machine_.folder() / "console");
}

} // namespace banger::test
