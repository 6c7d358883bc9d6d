#include "daemon/vm/preparation.hpp"

#include "agent/identity/identity.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "daemon/task/worker_task.hpp"
#include "daemon/vm/address.hpp"
#include "daemon/vm/limits.hpp"
#include "daemon/vm/ssh_files.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace banger::vm {
namespace {

constexpr std::size_t git_config_limit = 64U << 10U;

/// One run of prepare(). Two branches go side by side (disks and initramfs; network); when both
/// have come in, the rest follows. Kept alive by the callbacks it waits for.
class Preparation : public std::enable_shared_from_this<Preparation> {
public:
    using Done = std::function<void(Outcome<std::filesystem::path>)>;

    Preparation(Services &services, Fleet &fleet, const VmName &name, Done done)
        : services_(services), fleet_(fleet), name_(name), done_(std::move(done)) {}

    void begin() {
        run([&] {
            Vm &vm = fleet_.get(name_);
            if (vm.occupation != Occupation::None || vm.record().phase != store::Phase::Ready) {
                fail(ErrorCode::Busy, "the VM '{}' is being {}: try again when that is done",
                     name_.str(), vm.occupation == Occupation::Setting ? "changed" : "deleted");
            }
            begin_start(vm);
            std::filesystem::remove(state_directory() / "last-exit.json");
            config_ = services_.config();
            selection_ = services_.choose_vmm(config_);
            find_artifacts(vm.record());
            open_branches_ = 2;
            next_disk(0);
            ensure_network();
        });
    }

private:
    struct DiskPlan {
        const char *file;
        const char *label;
        std::uint64_t bytes;
    };

    std::filesystem::path state_directory() const { return services_.paths.vm_state(name_); }
    std::filesystem::path runtime_directory() const { return services_.paths.vm_runtime(name_); }

    /// Runs a step; what it throws ends the preparation.
    template <typename Step>
    void run(Step step) {
        if (!done_) {
            return;
        }
        try {
            step();
        } catch (const Error &e) {
            fail_with(e);
        } catch (const std::exception &e) {
            fail_with(Error(ErrorCode::Internal, e.what()));
        }
    }

    /// Wraps a step that gets an outcome: an Error ends the preparation.
    template <typename T, typename Step>
    std::function<void(Outcome<T>)> then(Step step) {
        return [self = shared_from_this(), step](Outcome<T> outcome) {
            self->run([&] {
                if constexpr (std::is_void_v<T>) {
                    outcome.value();
                    step();
                } else {
                    step(std::move(outcome.value()));
                }
            });
        };
    }

    void fail_with(const Error &error) {
        const Error described =
            error.with_context(fmt::format("cannot start the VM '{}'", name_.str()));
        log::error(described.what(), {{"BANGER_VM", name_.str()}});
        if (Vm *vm = fleet_.find(name_)) {
            vm->set_last_error(error);
        }
        disk_task_.reset();
        if (!tap_.name.empty()) {
            services_.network.release_tap(tap_.name, [](const Outcome<void> &) {});
        }
        if (const auto done = std::exchange(done_, {})) {
            done(described);
        }
    }

    void begin_start(Vm &vm) {
        store::VmRecord record = vm.record();
        record.boot_generation += 1;
        record.started_usec = services_.now_usec();
        record.last_error.reset();
        vm.save(std::move(record));
    }

    void find_artifacts(const store::VmRecord &record) {
        const auto image = services_.artifacts.find_image_digest(record.image_digest);
        if (!image) {
            fail(ErrorCode::NotFound, "its image '{}' ({}) is not there any more", record.image,
                 record.image_digest.substr(0, 12));
        }
        const auto kernel = services_.artifacts.find_kernel(record.kernel);
        if (!kernel) {
            fail(ErrorCode::NotFound,
                 "its kernel '{0}' is not there any more: 'banger kernel pull {0}' brings it",
                 record.kernel);
        }
        image->require_unchanged();
        image_ = *image;
        kernel_ = *kernel;
        require_channel();
        disks_ = {{{"overlay.ext4", "banger-overlay", record.overlay_bytes},
                   {"work.ext4", "banger-work", record.disk_bytes}}};
    }

    /// Without its end in the guest, the VM would start and never answer.
    void require_channel() const {
        const bool qemu = selection_.kind == vmm::Kind::Qemu;
        const char *module = qemu ? "virtio_console" : "vmw_vsock_virtio_transport";
        if (kernel_.lacks(module) || (!qemu && kernel_.lacks("vsock"))) {
            fail(ErrorCode::Unsupported,
                 "its kernel '{}' has no {}, by which a guest in {} is reached: use another kernel",
                 kernel_.name, module, qemu ? "QEMU" : "Firecracker");
        }
    }

    void next_disk(std::size_t index) {
        if (index == disks_.size()) {
            services_.artifacts.initramfs(
                kernel_, then<std::filesystem::path>([this](std::filesystem::path initramfs) {
                    initramfs_ = std::move(initramfs);
                    join();
                }));
            return;
        }
        const DiskPlan &disk = disks_[index];
        const auto path = state_directory() / disk.file;
        if (std::filesystem::exists(path)) {
            next_disk(index + 1);
            return;
        }
        // Published by rename: a disk that is there is whole.
        const auto temporary = std::filesystem::path(path.string() + ".new");
        std::filesystem::remove(temporary);
        disk_task_ = std::make_unique<task::WorkerTask>(
            services_.loop, services_.image_worker,
            std::vector<std::string>{"empty-disk", "--output", temporary.string(), "--size",
                                     fmt::format("{}", disk.bytes), "--label", disk.label},
            std::nullopt,
            task::WorkerTask::Handlers{
                {}, then<nlohmann::json>([this, index, path, temporary](const nlohmann::json &) {
                    std::filesystem::rename(temporary, path);
                    next_disk(index + 1);
                })});
    }

    void ensure_network() {
        services_.network.ensure_network(
            false, then<net::Network>([this](const net::Network &network) {
                fleet_.set_network(network);
                network_ = network;
                const auto &record = fleet_.get(name_).record();
                services_.network.create_tap(guest_address(network, record.host_number),
                                             record.allow_host, false,
                                             then<net::Tap>([this](const net::Tap &tap) {
                                                 tap_ = tap;
                                                 set_nat();
                                             }));
            }));
    }

    void set_nat() {
        if (!fleet_.get(name_).record().nat) {
            join();
            return;
        }
        services_.network.set_nat(tap_.name, true, false, then<void>([this] { join(); }));
    }

    void join() {
        if (--open_branches_ == 0) {
            write_files();
        }
    }

    void write_files() {
        Vm &vm = fleet_.get(name_);
        write_file_atomically(state_directory() / "config.img",
                              identity::config_disk_image(identity_of(vm.record())));
        make_private_directories(runtime_directory());
        write_file_atomically(runtime_directory() / "machine.json",
                              vmm::to_json(machine_of(vm.record())));
        store::VmRecord record = vm.record();
        record.vmm = vmm::to_string(selection_.kind);
        record.vmm_reason = selection_.reason;
        vm.save(std::move(record));
        services_.units.set_limits(name_,
                                   unit_limits(vm.record().vcpus, vm.record().memory_mib,
                                               selection_.kind, selection_.accelerator),
                                   then<void>([this] { finish(); }));
    }

    identity::Identity identity_of(const store::VmRecord &record) const {
        identity::Identity id;
        id.hostname = record.name.str();
        id.domain = network_.domain;
        id.machine_id = record.machine_id;
        id.address = guest_address(network_, record.host_number).str();
        id.prefix_length = network_.prefix_length;
        id.gateway = network_.gateway.str();
        id.resolver = network_.gateway.str();
        id.mac = tap_.mac;
        id.authorized_keys = authorized_keys(services_.paths, config_);
        id.ssh_host_keys = host_keys(services_.paths, record.name);
        const auto git_config = state_directory() / "gitconfig";
        if (std::filesystem::exists(git_config)) {
            id.git_config = read_file(git_config, git_config_limit);
        }
        id.boot_generation = record.boot_generation;
        id.realtime_usec = static_cast<std::int64_t>(services_.now_usec());
        return id;
    }

    vmm::Machine machine_of(const store::VmRecord &record) const {
        vmm::Machine machine;
        machine.name = record.name.str();
        machine.kind = selection_.kind;
        machine.accelerator = selection_.accelerator;
        machine.binary = selection_.binary;
        machine.vcpus = record.vcpus;
        machine.memory_mib = record.memory_mib;
        machine.kernel = kernel_.vmlinux();
        machine.initrd = initramfs_;
        machine.disks = {{"image", image_.rootfs(), true},
                         {"overlay", state_directory() / "overlay.ext4", false},
                         {"work", state_directory() / "work.ext4", false},
                         {"config", state_directory() / "config.img", true}};
        if (kernel_.has_modules) {
            machine.disks.push_back({"modules", kernel_.modules(), true});
        }
        machine.nic = vmm::Nic{tap_.name, tap_.mac};
        machine.runtime_directory = runtime_directory();
        machine.state_directory = state_directory();
        return machine;
    }

    void finish() {
        fleet_.get(name_).connect();
        if (const auto done = std::exchange(done_, {})) {
            done(runtime_directory());
        }
    }

    Services &services_;
    Fleet &fleet_;
    VmName name_;
    Done done_;
    config::Config config_;
    vmm::Selection selection_;
    image::Image image_;
    kernel::Kernel kernel_;
    std::filesystem::path initramfs_;
    std::array<DiskPlan, 2> disks_{};
    net::Network network_;
    net::Tap tap_;
    int open_branches_ = 0;
    std::unique_ptr<task::WorkerTask> disk_task_;
};

} // namespace

void prepare(Services &services, Fleet &fleet, const VmName &name,
             std::function<void(Outcome<std::filesystem::path>)> done) {
    std::make_shared<Preparation>(services, fleet, name, std::move(done))->begin();
}

} // namespace banger::vm
