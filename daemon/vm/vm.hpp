#pragma once

#include "daemon/store/store.hpp"
#include "daemon/vm/services.hpp"
#include "daemon/vm/supervisor_link.hpp"
#include "daemon/vm/view.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace banger::vm {

/// What is going on with a VM that a start must not get in the way of.
enum class Occupation { None, Setting, Deleting };

/// One VM: its record, what systemd says about its unit, and what its supervisor tells. The state
/// is derived from these, never kept.
class Vm {
public:
    using Waiter = std::function<void(Outcome<SupervisorLink *>)>;

    /// `changed` is called after each change of what view() shows.
    Vm(Services &services, store::VmRecord record, std::function<void()> changed);

    const VmName &name() const noexcept { return record_.name; }
    const store::VmRecord &record() const noexcept { return record_; }
    const UnitStatus &unit() const noexcept { return unit_; }
    State state() const noexcept;
    /// The unit is up, coming up or going down.
    bool active() const noexcept;
    View view(const std::optional<net::Network> &network) const;

    /// Writes the record to the store, then takes it over. Throws Error.
    void save(store::VmRecord record);
    /// Keeps the reason for people; a failure to write it is logged.
    void set_last_error(std::optional<Error> error);

    void set_unit(const UnitStatus &status);
    /// Connects to the supervisor. Throws Error when it is not there.
    void connect();
    /// Calls back, now or later, with the link of a guest whose agent answers; with
    /// Error{InvalidState} when the VM is not, or no longer, up.
    void when_agent_ready(Waiter waiter);

    /// The start job that shows how far the guest is.
    void show_progress_in(std::shared_ptr<job::Job> job) { start_job_ = std::move(job); }

    Occupation occupation = Occupation::None;

private:
    void on_guest_state(const GuestState &state);
    void on_link_closed();
    void read_last_exit();
    void serve_waiters();

    Services &services_;
    store::VmRecord record_;
    std::function<void()> changed_;
    UnitStatus unit_;
    GuestState guest_;
    std::unique_ptr<SupervisorLink> link_;
    std::vector<Waiter> waiters_;
    std::shared_ptr<job::Job> start_job_;
};

} // namespace banger::vm
