#pragma once

#include "daemon/vm/creation.hpp"
#include "daemon/vm/fleet.hpp"
#include "daemon/vm/supervisor_link.hpp"

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace banger::vm {

/// What can be done with VMs. Lives on the event loop's thread; knows nothing of D-Bus.
class VmManager {
public:
    template <typename T>
    using Callback = std::function<void(Outcome<T>)>;

    /// Reads the records. Throws Error.
    explicit VmManager(Services services);

    void observe(Fleet::Observer observer) { fleet_.observe(std::move(observer)); }

    /// Compares the records with the units and links that exist, finishes or takes back what a
    /// killed daemon left half-done, and connects to the supervisors. Calls back once, when the
    /// states are known.
    void reconcile(std::function<void()> done);

    /// Sorted by name.
    std::vector<View> list();
    /// Throws Error{NotFound}.
    View get(const VmName &name);

    /// Each throws Error when it cannot begin; then nothing has changed.
    std::shared_ptr<job::Job> create(const CreateRequest &request);
    std::shared_ptr<job::Job> start(const VmName &name);
    std::shared_ptr<job::Job> stop(const VmName &name, bool force);
    std::shared_ptr<job::Job> remove(const VmName &name);

    /// Each waits for the agent while the VM starts. Throws Error{NotFound}; the callback gets
    /// Error{InvalidState} when the VM is not up.
    void exec(const VmName &name, ExecRequest request, Callback<UniqueFd> done);
    void open_stream(const VmName &name, const std::string &target, Callback<UniqueFd> done);
    void put_files(const VmName &name, const std::string &directory, UniqueFd archive,
                   Callback<PutFilesResult> done);

    /// For the supervisor: see preparation.hpp. Throws Error{NotFound}.
    void prepare(const VmName &name, Callback<std::filesystem::path> done);

    /// Names of the VMs that need the image, and of those that need the kernel.
    std::vector<std::string> users_of_image(const std::string &digest);
    std::vector<std::string> users_of_kernel(const std::string &kernel);

    /// No VM is up.
    bool idle();
    const std::optional<net::Network> &network() const { return fleet_.network(); }
    Services &services() { return services_; }

private:
    void adopt_units(const std::map<VmName, UnitStatus> &units);
    void release_stray_taps();

    Services services_;
    Fleet fleet_;
};

} // namespace banger::vm
