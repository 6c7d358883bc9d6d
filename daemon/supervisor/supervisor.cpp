#include "daemon/supervisor/supervisor.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "daemon/supervisor/memory_events.hpp"
#include "daemon/supervisor/notify.hpp"
#include "daemon/supervisor/post_stop.hpp"

#include <fmt/format.h>

#include <filesystem>
#include <utility>

namespace banger::supervisor {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

// What the guest gets for its running programs, of Deadlines::shutdown.
constexpr const char *shutdown_request = R"({"kind":"stop","grace_ms":5000})";

} // namespace

Supervisor::Supervisor(EventLoop &loop, Paths paths, VmName name, Deadlines deadlines)
    : loop_(loop), paths_(std::move(paths)), name_(std::move(name)), deadlines_(deadlines),
      channel_(loop, {.on_ready = [this](const channel::Hello &hello) { on_agent_ready(hello); },
                      .on_event = [this](const channel::Event &event) { on_event(event); },
                      .on_lost =
                          [this](const std::string &why) {
                              if (!stop_wanted_ && !announced_) {
                                  log::warning(
                                      fmt::format("the guest's agent is not reachable: {}", why));
                              }
                          }}),
      service_(loop, channel_) {}

void Supervisor::start() {
    try {
        prepare();
    } catch (const std::exception &e) {
        fail_start(e.what());
    }
}

void Supervisor::prepare() {
    const fs::path directory = paths_.vm_runtime(name_);
    make_private_directories(directory);
    control_.emplace(
        loop_, directory / "supervisor.sock", name_.str(),
        [this](Operation operation, std::vector<UniqueFd> descriptors, const Answer &answer) {
            service_.handle(std::move(operation), std::move(descriptors), answer);
        });
    // A description that an earlier start left would name a tap that is another VM's by now.
    fs::remove(directory / "machine.json");
    enter(Stage::Preparing, "Preparing disks and network");
    notify::stage(state_.status, deadlines_.preparation + 5s);
    deadline_ = loop_.add_timer(deadlines_.preparation, [this] {
        fail_start("bangerd did not prepare the VM in time: see 'journalctl --user -u bangerd'");
    });
    preparation_ = std::make_unique<Preparation>(
        loop_, name_.str(),
        Preparation::Callbacks{.on_prepared = [this](const std::string &) { on_prepared(); },
                               .on_failed = [this](const Error &e) { fail_start(e.what()); }});
}

void Supervisor::on_prepared() {
    deadline_.reset();
    try {
        machine_ = vmm::machine_from_json(read_file(paths_.vm_runtime(name_) / "machine.json"));
        if (machine_->name != name_.str() ||
            machine_->runtime_directory != paths_.vm_runtime(name_)) {
            fail(ErrorCode::InvalidArgument, "machine.json of {} describes another VM",
                 name_.str());
        }
        start_vmm();
    } catch (const std::exception &e) {
        fail_start(e.what());
    }
    // Destroyed last: this may run inside its callback. Nothing needs the session bus any more.
    preparation_.reset();
}

std::string Supervisor::vmm_title() const {
    return machine_->kind == vmm::Kind::Firecracker ? "Firecracker" : "QEMU";
}

void Supervisor::start_vmm() {
    const bool emulation = machine_->accelerator == vmm::Accelerator::Tcg;
    announced_.reset();
    was_ready_ = false;
    state_.login_ready = false;
    state_.boot_finished = false;
    out_of_memory_before_ = out_of_memory_kills();
    vmm_.emplace(loop_, *machine_, emulation ? tsc_.khz() : 0,
                 VmmProcess::Callbacks{
                     .on_connected = [this](UniqueFd fd) { channel_.attach(std::move(fd)); },
                     .on_exit =
                         [this](int status, bool confinement_failed) {
                             on_vmm_exit(status, confinement_failed);
                         }});
    const auto may_take = emulation ? deadlines_.boot_with_emulation : deadlines_.boot_with_kvm;
    enter(Stage::VmmStarted,
          fmt::format("Booting under {}{}", vmm_title(), emulation ? " (software emulation)" : ""));
    notify::stage(state_.status, may_take + 5s);
    deadline_ = loop_.add_timer(may_take, [this] {
        log::error("the guest's agent did not answer in time; its console is in this journal");
        kill_vmm();
    });
}

void Supervisor::on_agent_ready(const channel::Hello &hello) {
    if (stop_wanted_) {
        ask_for_shutdown();
        return;
    }
    deadline_.reset();
    log::info(
        fmt::format("the guest's agent {} answers, kernel {}", hello.agent_version, hello.kernel));
    was_ready_ = true;
    // After a lost session the machine is where it was.
    if (state_.stage != Stage::AgentReady) {
        enter(Stage::AgentReady, "Running");
    }
    if (!std::exchange(unit_ready_, true)) {
        notify::ready(state_.status);
    }
}

void Supervisor::on_event(const channel::Event &event) {
    switch (event.kind) {
    case channel::Event::Kind::LoginReady:
        state_.login_ready = true;
        break;
    case channel::Event::Kind::BootFinished:
        state_.boot_finished = true;
        break;
    case channel::Event::Kind::Status:
        show(event.text);
        return;
    case channel::Event::Kind::Shutdown:
        announced_ = event.text;
        show(fmt::format("The guest goes down ({})", event.text));
        last_word_ = loop_.add_timer(deadlines_.last_word, [this] { kill_vmm(); });
        return;
    }
    control_->publish(state_);
}

void Supervisor::stop() {
    if (finished_ || std::exchange(stop_wanted_, true)) {
        return;
    }
    if (!vmm_) {
        finish({ExitReason::Stopped, "stopped before the VMM was started", true});
        return;
    }
    enter(Stage::Stopping, "Stopping");
    notify::stopping(state_.status, deadlines_.shutdown + deadlines_.tap_release + 5s);
    if (!was_ready_) {
        // Nobody is there to shut the guest down, and nobody has worked in it yet.
        kill_vmm();
        return;
    }
    deadline_ = loop_.add_timer(deadlines_.shutdown, [this] {
        log::warning("the guest did not shut down in time: ending it");
        kill_vmm();
    });
    if (channel_.ready()) {
        ask_for_shutdown();
    }
}

void Supervisor::ask_for_shutdown() {
    if (std::exchange(shutdown_asked_, true)) {
        return;
    }
    channel_.request("POST", "/v1/shutdown", shutdown_request,
                     {.on_done = [](const std::string &) {},
                      .on_failed =
                          [](const Error &e) {
                              // The connection may go before the answer comes: the VMM's end tells.
                              log::debug(fmt::format("no answer to the shutdown: {}", e.what()));
                          }});
}

void Supervisor::kill_vmm() {
    killed_ = true;
    if (vmm_) {
        vmm_->kill();
    }
}

void Supervisor::on_vmm_exit(int wait_status, bool confinement_failed) {
    deadline_.reset();
    last_word_.reset();
    const ExitRecord record = classify(VmmEnd{
        .wait_status = wait_status,
        .confined = machine_->confined,
        .confinement_failed = confinement_failed,
        .announced = announced_,
        .agent_was_ready = was_ready_,
        .stop_requested = stop_wanted_,
        .killed_by_us = std::exchange(killed_, false),
        .out_of_memory = out_of_memory_kills() > out_of_memory_before_,
        .vmm = vmm_title(),
    });
    channel_.detach();
    if (record.reason != ExitReason::Reboot) {
        finish(record);
        return;
    }
    log::info("the guest reboots: starting the VMM again");
    // The present object is in the middle of its last callback.
    deadline_ = loop_.add_deferred([this] {
        try {
            vmm_.reset();
            began_ = Clock::now();
            start_vmm();
        } catch (const std::exception &e) {
            fail_start(e.what());
        }
    });
}

void Supervisor::enter(Stage stage, const std::string &status) {
    state_.stage = stage;
    const auto since = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - began_);
    if (stage == Stage::Preparing || stage == Stage::VmmStarted) {
        state_.timings.clear();
    }
    state_.timings.emplace_back(to_string(stage), static_cast<std::uint64_t>(since.count()));
    show(status);
}

void Supervisor::show(const std::string &status) {
    state_.status = status;
    notify::status(status);
    control_->publish(state_);
}

void Supervisor::fail_start(const std::string &why) {
    log::error(why);
    finish({ExitReason::StartFailed, why, false});
}

void Supervisor::finish(const ExitRecord &record) {
    if (std::exchange(finished_, true)) {
        return;
    }
    deadline_.reset();
    store(record, machine_ ? machine_->state_directory : paths_.vm_state(name_));
    if (record.success()) {
        log::info(fmt::format("the VM has ended: {}", record.message));
    } else {
        log::error(fmt::format("the VM has failed: {}", record.message));
    }
    notify::status(record.message);
    release_machine(paths_.vm_runtime(name_));
    std::error_code ignored;
    fs::remove_all(vmm_directory(paths_.vm_runtime(name_)), ignored);
    loop_.exit(record.success() ? 0 : 1);
}

} // namespace banger::supervisor
