#include "daemon/vm/vm.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "daemon/vm/address.hpp"
#include "daemon/vm/last_exit.hpp"

#include <array>

namespace banger::vm {
namespace {

struct Milestone {
    std::string_view stage; ///< of the supervisor
    std::string_view shown; ///< in the job
    double progress;
};
constexpr std::array<Milestone, 3> milestones{{
    {"preparing", "preparing the machine", 0.1},
    {"vmm-started", "booting the guest", 0.4},
    {"agent-ready", "the guest answers", 0.95},
}};

constexpr std::size_t last_exit_limit = 64U << 10U;

} // namespace

std::string_view to_string(State state) noexcept {
    switch (state) {
    case State::Created:
        return "created";
    case State::Starting:
        return "starting";
    case State::Running:
        return "running";
    case State::Stopping:
        return "stopping";
    case State::Stopped:
        return "stopped";
    case State::Failed:
        return "failed";
    }
    return "unknown";
}

Vm::Vm(Services &services, store::VmRecord record, std::function<void()> changed)
    : services_(services), record_(std::move(record)), changed_(std::move(changed)) {}

State Vm::state() const noexcept {
    if (unit_.active == "activating") {
        return State::Starting;
    }
    if (unit_.active == "active" || unit_.active == "reloading") {
        return State::Running;
    }
    if (unit_.active == "deactivating") {
        return State::Stopping;
    }
    if (unit_.active == "failed") {
        // A delete kills the unit itself.
        return occupation == Occupation::Deleting ? State::Stopping : State::Failed;
    }
    return record_.started_usec == 0 ? State::Created : State::Stopped;
}

bool Vm::active() const noexcept {
    const State now = state();
    return now == State::Starting || now == State::Running || now == State::Stopping;
}

View Vm::view(const std::optional<net::Network> &network) const {
    View view;
    view.name = record_.name.str();
    view.id = record_.id;
    view.state = state();
    if (view.state == State::Running) {
        view.login_ready = guest_.login_ready;
        view.boot_finished = guest_.boot_finished;
    }
    if (active()) {
        view.boot_status = guest_.status;
    }
    view.boot_timings = guest_.timings;
    view.image = record_.image;
    view.image_digest = record_.image_digest;
    view.kernel = record_.kernel;
    view.host_name = fmt::format("{}.{}", record_.name.str(), network ? network->domain : "vm");
    if (network) {
        view.ip_address = guest_address(*network, record_.host_number).str();
    }
    view.vcpus = record_.vcpus;
    view.memory_mib = record_.memory_mib;
    view.disk_bytes = record_.disk_bytes;
    view.overlay_bytes = record_.overlay_bytes;
    view.nat = record_.nat;
    view.allow_host = record_.allow_host;
    view.unit = record_.name.unit();
    view.vmm = record_.vmm;
    view.vmm_reason = record_.vmm_reason;
    view.workspace = record_.workspace;
    view.created_usec = record_.created_usec;
    view.started_usec = record_.started_usec;
    if (record_.last_error) {
        view.error_kind = to_string(record_.last_error->code());
        view.error_message = record_.last_error->what();
    }
    return view;
}

void Vm::save(store::VmRecord record) {
    services_.store.update(record);
    record_ = std::move(record);
    changed_();
}

void Vm::set_last_error(std::optional<Error> error) {
    try {
        store::VmRecord record = record_;
        record.last_error = std::move(error);
        save(std::move(record));
    } catch (const Error &e) {
        log::warning(fmt::format("could not record why '{}' ended: {}, ignoring",
                                 record_.name.str(), e.what()));
    }
}

void Vm::set_unit(const UnitStatus &status) {
    if (status == unit_) {
        return;
    }
    const bool was_active = active();
    const State before = state();
    unit_ = status;
    if (state() != before) {
        log::info(fmt::format("VM '{}' is {}", name().str(), to_string(state())),
                  {{"BANGER_VM", name().str()}});
    }
    if (!active()) {
        link_.reset();
        const auto timings = std::move(guest_.timings);
        guest_ = {};
        guest_.timings = timings;
        if (was_active && occupation != Occupation::Deleting) {
            read_last_exit();
        }
    }
    serve_waiters();
    changed_();
}

void Vm::read_last_exit() {
    std::string text;
    try {
        text = read_file(services_.paths.vm_state(name()) / "last-exit.json", last_exit_limit);
    } catch (const Error &) {
        if (state() == State::Failed && !record_.last_error) {
            set_last_error(
                Error(ErrorCode::VmmFailed,
                      fmt::format("the unit {} failed ({}): see 'journalctl --user -u {}'",
                                  name().unit(), unit_.result, name().unit())));
        }
        return;
    }
    const auto error = error_of_last_exit(text);
    // What Prepare recorded says more than that the start failed.
    if (!error || !record_.last_error) {
        set_last_error(error);
    }
}

void Vm::connect() {
    if (link_) {
        return;
    }
    link_ = std::make_unique<SupervisorLink>(
        services_.loop, services_.paths.vm_runtime(name()) / "supervisor.sock", name().str(),
        SupervisorLink::Events{[this](const GuestState &state) { on_guest_state(state); },
                               [this] { on_link_closed(); }});
}

void Vm::on_guest_state(const GuestState &state) {
    if (state == guest_) {
        return;
    }
    const bool new_stage = state.stage != guest_.stage;
    guest_ = state;
    if (new_stage && start_job_ && start_job_->running()) {
        for (const auto &milestone : milestones) {
            if (milestone.stage == state.stage) {
                start_job_->stage(std::string(milestone.shown), milestone.progress);
            }
        }
    }
    serve_waiters();
    changed_();
}

void Vm::on_link_closed() {
    link_.reset();
    serve_waiters();
}

void Vm::when_agent_ready(Waiter waiter) {
    waiters_.push_back(std::move(waiter));
    serve_waiters();
}

void Vm::serve_waiters() {
    const State now = state();
    if (waiters_.empty() || (now == State::Starting && !(link_ && guest_.agent_ready()))) {
        return;
    }
    const auto waiters = std::exchange(waiters_, {});
    for (const auto &waiter : waiters) {
        if (link_ && guest_.agent_ready() && active()) {
            waiter(link_.get());
        } else if (now == State::Running) {
            // The unit is up before the first word of its supervisor, after a restart of bangerd.
            if (link_) {
                waiters_.push_back(waiter);
            } else {
                waiter(Error(ErrorCode::InvalidState,
                             fmt::format("the supervisor of the VM '{}' does not answer: see "
                                         "'journalctl --user -u {}'",
                                         name().str(), name().unit())));
            }
        } else {
            waiter(Error(ErrorCode::InvalidState,
                         fmt::format("the VM '{0}' is {1}: start it with 'banger vm start {0}'",
                                     name().str(), to_string(now))));
        }
    }
}

} // namespace banger::vm
