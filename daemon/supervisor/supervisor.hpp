#pragma once

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/names.hpp"
#include "base/paths.hpp"
#include "daemon/supervisor/control_server.hpp"
#include "daemon/supervisor/exit_record.hpp"
#include "daemon/supervisor/guest_channel.hpp"
#include "daemon/supervisor/preparation.hpp"
#include "daemon/supervisor/service.hpp"
#include "daemon/supervisor/vmm_process.hpp"
#include "daemon/vmm/machine.hpp"
#include "daemon/vmm/tsc.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace banger::supervisor {

/// How long things may take.
struct Deadlines {
    std::chrono::seconds preparation{70};
    std::chrono::seconds boot_with_kvm{60};
    std::chrono::seconds boot_with_emulation{180};
    /// From the wish to stop to the end of the VMM; then it is killed.
    std::chrono::seconds shutdown{15};
    /// How long after its agent's last word a guest may still be there: one that halted stays.
    std::chrono::seconds last_word{10};
    std::chrono::seconds tap_release{15};
};

/// One VM, from preparation to its recorded end.
class Supervisor {
public:
    Supervisor(EventLoop &loop, Paths paths, VmName name, Deadlines deadlines);

    /// Listens, and has the VM prepared. What fails then ends the loop with status 1.
    void start();
    /// SIGTERM.
    void stop();

private:
    void prepare();
    void on_prepared();
    void start_vmm();
    void on_agent_ready(const channel::Hello &hello);
    void on_event(const channel::Event &event);
    void on_vmm_exit(int wait_status, bool confinement_failed);
    void ask_for_shutdown();
    void kill_vmm();
    void enter(Stage stage, const std::string &status);
    void show(const std::string &status);
    void fail_start(const std::string &why);
    void finish(const ExitRecord &record);
    std::string vmm_title() const;

    using Clock = std::chrono::steady_clock;

    EventLoop &loop_;
    Paths paths_;
    VmName name_;
    Deadlines deadlines_;
    Clock::time_point began_ = Clock::now(); ///< of this boot
    vmm::TscMeter tsc_;
    MachineState state_;
    GuestChannel channel_;
    Service service_;
    std::optional<ControlServer> control_;
    std::unique_ptr<Preparation> preparation_;
    std::optional<vmm::Machine> machine_;
    std::optional<VmmProcess> vmm_;
    EventSource deadline_;
    EventSource last_word_;
    std::optional<std::string> announced_;
    std::uint64_t out_of_memory_before_ = 0;
    bool was_ready_ = false;  ///< this boot's agent has answered
    bool unit_ready_ = false; ///< READY=1 was sent
    bool stop_wanted_ = false;
    bool shutdown_asked_ = false;
    bool killed_ = false;
    bool finished_ = false;
};

} // namespace banger::supervisor
