#include "daemon/supervisor/vmm_process.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "daemon/supervisor/tap.hpp"
#include "daemon/vmm/confinement.hpp"
#include "daemon/vmm/launch.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <string_view>
#include <utility>

namespace banger::supervisor {
namespace {

namespace fs = std::filesystem;

constexpr const char *bubblewrap = "/usr/bin/bwrap";

/// Empty but for what the launch wants written. Neither VMM takes over a socket that is there.
void lay_out(const fs::path &directory, const vmm::Launch &launch, bool confined) {
    fs::remove_all(directory);
    make_private_directories(directory);
    for (const vmm::WrittenFile &file : launch.written) {
        write_file_atomically(directory / file.name, file.content);
    }
    if (!confined) {
        for (const vmm::NamedFile &file : launch.files) {
            fs::create_symlink(file.source, directory / file.name);
        }
    }
}

void expect_files(const vmm::Launch &launch) {
    for (const vmm::NamedFile &file : launch.files) {
        open_file(file.source, file.read_only ? O_RDONLY : O_RDWR);
    }
}

/// bubblewrap(1), --json-status-fd: "exit-code" is reported only for a program that it started.
bool reported_exit_code(int fd) {
    std::array<char, 1024> text{};
    const ssize_t n = ::read(fd, text.data(), text.size());
    return n > 0 && std::string_view(text.data(), static_cast<std::size_t>(n)).find("exit-code") !=
                        std::string_view::npos;
}

} // namespace

fs::path vmm_directory(const fs::path &runtime_directory) {
    return runtime_directory / "vmm";
}

VmmProcess::VmmProcess(EventLoop &loop, const vmm::Machine &machine, std::uint32_t tsc_khz,
                       Callbacks callbacks) {
    const vmm::Launch launch = vmm::plan_launch(machine, tsc_khz);
    const fs::path directory = vmm_directory(machine.runtime_directory);
    expect_files(launch);
    lay_out(directory, launch, machine.confined);
    UniqueFd tap;
    if (launch.tap_by_descriptor) {
        tap = open_tap(machine.nic->tap);
    }
    const std::optional<int> tap_number = tap ? std::optional{tap.get()} : std::nullopt;

    const fs::path socket = directory / launch.channel_socket;
    if (launch.opening == vmm::ChannelOpening::GuestDials) {
        transport_ = std::make_unique<ListeningTransport>(loop, socket, callbacks.on_connected);
    } else {
        transport_ = std::make_unique<ConnectingTransport>(
            loop, directory, launch.channel_socket, launch.channel_sign, callbacks.on_connected,
            [this](const Error &e) {
                log::error(fmt::format("no channel to the VMM: {}", e.what()));
                kill();
            });
    }

    if (!machine.confined) {
        log::warning("the VMM runs without confinement, as the configuration says");
        child_ = spawn(vmm::unconfined_command(launch, directory, tap_number));
    } else {
        if (::access(bubblewrap, X_OK) != 0) {
            fail(ErrorCode::VmmFailed,
                 "{} is missing, and the VMM runs under it: 'apt install bubblewrap'", bubblewrap);
        }
        FdPair status = make_pipe();
        child_ = spawn(vmm::confined_command(
            launch, directory, {.bubblewrap = bubblewrap, .status_descriptor = status.second.get()},
            tap_number));
        set_nonblocking(status.first.get());
        confinement_status_ = std::move(status.first);
    }
    child_.on_exit(loop, [this, on_exit = std::move(callbacks.on_exit)](int wait_status) {
        on_exit(wait_status, confinement_status_ && wait_status != 0 && WIFEXITED(wait_status) &&
                                 !reported_exit_code(confinement_status_.get()));
    });
}

void VmmProcess::kill() noexcept {
    child_.kill(SIGKILL);
}

} // namespace banger::supervisor
