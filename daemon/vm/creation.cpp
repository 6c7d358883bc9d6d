#include "daemon/vm/creation.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/steps.hpp"
#include "daemon/vm/address.hpp"
#include "daemon/vm/generated_name.hpp"
#include "daemon/vm/run_async.hpp"
#include "daemon/vm/ssh_files.hpp"

#include <systemd/sd-id128.h>

#include <array>

namespace banger::vm {
namespace {

std::string random_id() {
    sd_id128_t id{};
    if (const int error = sd_id128_randomize(&id); error < 0) {
        throw_errno("make a random id", -error);
    }
    std::array<char, SD_ID128_STRING_MAX> text{};
    return sd_id128_to_string(id, text.data());
}

VmName name_for(store::Store &store, const std::string &wish) {
    if (!wish.empty()) {
        VmName name(wish);
        if (store.find_vm(name)) {
            fail(ErrorCode::AlreadyExists,
                 "there is a VM '{0}' already: use another name, or 'banger vm delete {0}'",
                 name.str());
        }
        return name;
    }
    for (;;) {
        VmName name(generated_name());
        if (!store.find_vm(name)) {
            return name;
        }
    }
}

std::string wanted_image(const config::Config &config, const CreateRequest &request) {
    return request.image.value_or(config.default_image_name.value);
}

/// Throws Error{NotFound} where its kernel is neither there nor can be pulled.
void require_kernel_of(const image::Image &image, const Artifacts &artifacts) {
    try {
        artifacts.check_kernel(image.kernel);
    } catch (const Error &error) {
        if (error.code() != ErrorCode::NotFound) {
            throw;
        }
        fail(ErrorCode::NotFound,
             "the image '{0}' needs the kernel '{1}', which is not there: bring it by 'banger "
             "kernel import {1} --from PATH', or use another by --kernel",
             image.name, image.kernel);
    }
}

/// The record of the VM that is asked for. Throws Error for anything that cannot be.
store::VmRecord plan(Services &services, const CreateRequest &request) {
    const config::Config config = services.config();
    store::VmRecord record(name_for(services.store, request.name));
    config::Shape shape = config::default_shape(config);
    shape.vcpus = request.vcpus.value_or(shape.vcpus);
    shape.memory_mib = request.memory_mib.value_or(shape.memory_mib);
    shape.disk_bytes = request.disk_bytes.value_or(shape.disk_bytes);
    shape.overlay_bytes = request.overlay_bytes.value_or(shape.overlay_bytes);
    config::validate(shape, services.host);
    record.image = services.artifacts.check_image(wanted_image(config, request));
    if (request.kernel) {
        record.kernel = ArtifactName("kernel", *request.kernel).str();
        services.artifacts.check_kernel(record.kernel);
    } else if (const auto image = services.artifacts.find_image(record.image)) {
        require_kernel_of(*image, services.artifacts);
    }
    if (request.start) {
        services.choose_vmm(config);
    }
    record.id = random_id();
    record.machine_id = random_id();
    record.vcpus = shape.vcpus;
    record.memory_mib = shape.memory_mib;
    record.disk_bytes = shape.disk_bytes;
    record.overlay_bytes = shape.overlay_bytes;
    record.nat = request.nat.value_or(config.vm_defaults.nat.value);
    record.allow_host = request.allow_host.value_or(config.allow_host.value);
    record.workspace = request.workspace;
    std::vector<std::uint8_t> taken;
    for (const auto &other : services.store.vms()) {
        taken.push_back(other.host_number);
    }
    record.host_number = free_host_number(taken);
    record.created_usec = services.now_usec();
    return record;
}

/// The job of one create(). Kept alive by the callbacks it waits for.
class Creation : public std::enable_shared_from_this<Creation> {
public:
    using Start = std::function<void(const VmName &, std::shared_ptr<job::Job>)>;

    Creation(Services &services, Fleet &fleet, store::VmRecord record, std::string image,
             std::shared_ptr<job::Job> job, Start start)
        : services_(services), fleet_(fleet), record_(std::move(record)), image_(std::move(image)),
          job_(std::move(job)), start_(std::move(start)) {}
    /// One that bangerd's end breaks off rolls nothing back, since what it would use is going too:
    /// the next bangerd removes what it left.
    ~Creation() { undo_.commit(); }
    Creation(const Creation &) = delete;
    Creation &operator=(const Creation &) = delete;

    void begin(bool check_authorization) {
        undo_.add(fmt::format("creating '{}'", record_.name.str()),
                  [this] { discard(services_, record_.name); });
        job_->on_cancel([weak = weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->child_.reset();
                self->fail_with(Error(ErrorCode::Cancelled, "the creation was cancelled"));
            }
        });
        if (!check_authorization) {
            run([&] { make_image(); });
            return;
        }
        job_->stage("asking for permission", 0);
        services_.network.check_authorization(
            [self = shared_from_this()](Outcome<net::Authorization> outcome) {
                self->run([&] {
                    if (outcome.value() == net::Authorization::No) {
                        fail(ErrorCode::NotAuthorized,
                             "this user may not make networks for VMs: become a member of the "
                             "group 'banger' ('sudo usermod -aG banger $USER')");
                    }
                    self->make_image();
                });
            });
    }

private:
    template <typename Step>
    void run(Step step) {
        if (!job_->running()) {
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

    void fail_with(const Error &error) {
        undo_.roll_back();
        job_->failed(error);
    }

    /// Waits for a job of a registry, and shows its stages as ours, from `from` to `to`.
    void follow(const std::shared_ptr<job::Job> &child, double from, double to,
                void (Creation::*next)()) {
        const auto self = shared_from_this();
        const auto on_change = [self, from, to, next](const job::Snapshot &now) {
            self->run([&] {
                if (now.state == job::State::Running) {
                    self->mirror(now, from, to);
                } else if (now.error) {
                    throw *now.error;
                } else {
                    (self.get()->*next)();
                }
            });
        };
        if (!child->running()) {
            on_change(child->snapshot());
            return;
        }
        child->observe(on_change);
        mirror(child->snapshot(), from, to);
        // A job that began before ours is somebody else's, too.
        if (child->snapshot().id > job_->snapshot().id) {
            // Its registry keeps it: together they would hold each other, by way of its observer.
            job_->on_cancel([weak = std::weak_ptr(child)] {
                if (const auto running = weak.lock()) {
                    running->cancel();
                }
            });
        }
    }

    void mirror(const job::Snapshot &child, double from, double to) {
        const double progress = from + (to - from) * child.progress;
        const std::string stage = child.stage.empty() ? child.kind : child.stage;
        if (stage != job_->snapshot().stage) {
            job_->stage(stage, progress);
        }
        job_->progress(progress);
        if (child.bytes_done != 0 || child.bytes_total != 0) {
            job_->bytes(child.bytes_done, child.bytes_total);
        }
    }

    void make_image() {
        if (services_.artifacts.find_image(image_)) {
            pull_kernel();
            return;
        }
        follow(services_.artifacts.make_image(image_), 0, 0.6, &Creation::pull_kernel);
    }

    void pull_kernel() {
        const auto image = services_.artifacts.find_image(image_);
        if (!image) {
            fail(ErrorCode::NotFound, "the image '{}' has been removed meanwhile", record_.image);
        }
        image->require_unchanged();
        record_.image_digest = image->digest;
        if (record_.kernel.empty()) {
            record_.kernel = image->kernel;
        }
        // From here the image is pinned.
        services_.store.update(record_);
        if (services_.artifacts.find_kernel(record_.kernel)) {
            make_files();
            return;
        }
        if (record_.kernel == image->kernel) {
            require_kernel_of(*image, services_.artifacts);
        }
        follow(services_.artifacts.pull_kernel(record_.kernel), 0.6, 0.7, &Creation::make_files);
    }

    void make_files() {
        const auto kernel = services_.artifacts.find_kernel(record_.kernel);
        if (!kernel) {
            fail(ErrorCode::NotFound, "the kernel '{}' has been removed meanwhile", record_.kernel);
        }
        record_.kernel = kernel->name;
        // From here the kernel is pinned, too.
        services_.store.update(record_);
        job_->stage("making keys", 0.7);
        make_private_directories(host_keys_directory(services_.paths, record_.name));
        make_private_directories(services_.paths.ssh());
        make_user_key();
    }

    void run_child(Command command, void (Creation::*next)(const Outcome<std::string> &)) {
        job_->on_cancel([weak = weak_from_this()] {
            if (const auto self = weak.lock()) {
                self->child_.reset();
                self->fail_with(Error(ErrorCode::Cancelled, "the creation was cancelled"));
            }
        });
        child_ = run_async(services_.loop, std::move(command),
                           [self = shared_from_this(), next](const Outcome<std::string> &outcome) {
                               self->run([&] { (self.get()->*next)(outcome); });
                           });
    }

    void make_user_key() {
        const auto key = services_.paths.ssh() / "id_ed25519";
        if (user_key(services_.paths, services_.config()) != key || std::filesystem::exists(key)) {
            make_host_key();
            return;
        }
        run_child(make_key_command(key, "banger"), &Creation::on_user_key);
    }

    void on_user_key(const Outcome<std::string> &outcome) {
        // Another creation may have made it at the same moment.
        if (!outcome && !std::filesystem::exists(services_.paths.ssh() / "id_ed25519.pub")) {
            throw outcome.error();
        }
        make_host_key();
    }

    void make_host_key() {
        const auto directory = host_keys_directory(services_.paths, record_.name);
        run_child(make_key_command(directory / "ssh_host_ed25519_key", record_.name.str()),
                  &Creation::on_host_key);
    }

    void on_host_key(const Outcome<std::string> &outcome) {
        if (!outcome) {
            throw outcome.error();
        }
        Command command;
        command.argv = {"git", "config", "--global", "--get-regexp", R"(^user\.(name|email)$)"};
        try {
            run_child(std::move(command), &Creation::on_git_identity);
        } catch (const Error &) {
            finish(); // no git on this host
        }
    }

    void on_git_identity(const Outcome<std::string> &outcome) {
        if (outcome) {
            const std::string config = git_config_from(Outcome<std::string>(outcome).value());
            if (!config.empty()) {
                write_file_atomically(services_.paths.vm_state(record_.name) / "gitconfig", config);
            }
        }
        finish();
    }

    /// "user.name A B\nuser.email a@b\n" as a git-config(1) file.
    static std::string git_config_from(std::string_view listing) {
        std::string lines;
        while (!listing.empty()) {
            const auto end = std::min(listing.find('\n'), listing.size());
            const std::string_view line = listing.substr(0, end);
            const auto space = line.find(' ');
            if (line.starts_with("user.") && space != std::string_view::npos) {
                std::string value;
                for (const char c : line.substr(space + 1)) {
                    value += c == '"' || c == '\\' ? fmt::format("\\{}", c) : std::string(1, c);
                }
                lines += fmt::format("\t{} = \"{}\"\n", line.substr(5, space - 5), value);
            }
            listing.remove_prefix(std::min(end + 1, listing.size()));
        }
        return lines.empty() ? lines : "[user]\n" + lines;
    }

    void finish() {
        record_.phase = store::Phase::Ready;
        services_.store.update(record_);
        undo_.commit();
        child_.reset();
        job_->on_cancel({});
        fleet_.add(record_);
        fleet_.refresh_ssh_files();
        if (start_) {
            start_(record_.name, job_);
        } else {
            job_->done();
        }
    }

    Services &services_;
    Fleet &fleet_;
    store::VmRecord record_;
    std::string image_; ///< as it was asked for: a name or a reference
    std::shared_ptr<job::Job> job_;
    Start start_;
    UndoList undo_;
    std::unique_ptr<task::ChildTask> child_;
};

} // namespace

std::shared_ptr<job::Job>
create(Services &services, Fleet &fleet, const CreateRequest &request,
       std::function<void(const VmName &, std::shared_ptr<job::Job>)> start) {
    store::VmRecord record = plan(services, request);
    services.store.insert(record);
    auto job = services.jobs.add("create", record.name.str());
    if (!request.start) {
        start = {};
    }
    std::make_shared<Creation>(services, fleet, std::move(record),
                               wanted_image(services.config(), request), job, std::move(start))
        ->begin(request.start);
    return job;
}

void discard(Services &services, const VmName &name) {
    std::filesystem::remove_all(services.paths.vm_state(name));
    std::filesystem::remove_all(services.paths.vm_runtime(name));
    services.store.remove(name);
}

} // namespace banger::vm
