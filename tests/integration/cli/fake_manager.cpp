#include "tests/integration/cli/fake_manager.hpp"

#include "base/files.hpp"
#include "base/process.hpp"
#include "cli/client.hpp"
#include "dbus/bus_pump.hpp"
#include "dbus/guard.hpp"
#include "dbus/options.hpp"
#include "org.banger.Image_adaptor.hpp"
#include "org.banger.Job_adaptor.hpp"
#include "org.banger.Kernel_adaptor.hpp"
#include "org.banger.Manager_adaptor.hpp"
#include "org.banger.VM_adaptor.hpp"

#include <nlohmann/json.hpp>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <future>
#include <map>

namespace banger::cli {
namespace {

using Options = std::map<std::string, sdbus::Variant>;
using Pair = sdbus::Struct<std::string, std::string>;
using Timings = std::vector<sdbus::Struct<std::string, std::uint64_t>>;

sdbus::ObjectPath path_of(const std::string &kind, const std::string &name) {
    // Enough of sd_bus_path_encode(3) for the names of these tests.
    std::string escaped;
    for (const char c : name) {
        escaped += c == '-' ? "_2d" : c == '.' ? "_2e" : std::string(1, c);
    }
    return sdbus::ObjectPath{fmt::format("/org/banger/Manager/{}/{}", kind, escaped)};
}

class FakeJob final
    : public sdbus::AdaptorInterfaces<org::banger::Job_adaptor, sdbus::Properties_adaptor> {
public:
    FakeJob(sdbus::IConnection &connection, std::uint32_t id, std::string subject, Pair error)
        : AdaptorInterfaces(connection, path_of("job", fmt::format("{}", id))), id_(id),
          subject_(std::move(subject)), error_(std::move(error)) {
        registerAdaptor();
    }
    ~FakeJob() { unregisterAdaptor(); }

private:
    void Cancel() override {}
    std::uint32_t Id() override { return id_; }
    std::string Kind() override { return "start"; }
    std::string Subject() override { return subject_; }
    std::string Stage() override { return "working on it"; }
    double Progress() override { return 0.5; }
    std::uint64_t BytesDone() override { return 0; }
    std::uint64_t BytesTotal() override { return 0; }
    std::string State() override { return std::get<0>(error_).empty() ? "done" : "failed"; }
    Pair Error() override { return error_; }
    Timings StageDurations() override { return {}; }

    std::uint32_t id_;
    std::string subject_;
    Pair error_;
};

class FakeImage final
    : public sdbus::AdaptorInterfaces<org::banger::Image_adaptor, sdbus::Properties_adaptor> {
public:
    FakeImage(sdbus::IConnection &connection, std::string name)
        : AdaptorInterfaces(connection, path_of("image", name)), name_(std::move(name)) {
        registerAdaptor();
    }
    ~FakeImage() { unregisterAdaptor(); }

private:
    void Delete() override {}
    std::string Name() override { return name_; }
    std::string Digest() override { return "sha256:0123456789abcdef"; }
    std::string Source() override { return "recipe:" + name_; }
    std::string Kernel() override { return "debian"; }
    std::vector<std::string> Environment() override { return {}; }
    std::string WorkingDirectory() override { return {}; }
    std::string User() override { return {}; }
    std::vector<std::string> Entrypoint() override { return {}; }
    std::vector<std::string> Command() override { return {}; }
    std::string Manifest() override { return {}; }
    std::string RegisteredFile() override { return {}; }
    std::uint64_t FileSystemBytes() override { return 2ULL << 30U; }
    std::string Recipe() override { return name_; }
    std::vector<std::string> Packages() override { return {"systemd", "jq"}; }
    std::vector<std::string> ExtraPackages() override { return {}; }
    std::vector<sdbus::Struct<std::string, bool, std::string>> Parts() override {
        return {sdbus::make_struct(std::string("docker-ce"), false, std::string("no network"))};
    }
    std::uint64_t SizeBytes() override { return 1U << 30U; }
    std::uint64_t OwnBytes() override { return 0; }
    std::uint64_t SharedBytes() override { return 1U << 30U; }
    std::vector<std::string> UsedBy() override { return {"sandbox"}; }
    std::uint64_t CreatedAt() override { return 1; }

    std::string name_;
};

class FakeKernel final
    : public sdbus::AdaptorInterfaces<org::banger::Kernel_adaptor, sdbus::Properties_adaptor> {
public:
    FakeKernel(sdbus::IConnection &connection, std::string name, std::string source,
               std::vector<std::string> missing)
        : AdaptorInterfaces(connection, path_of("kernel", name)), name_(std::move(name)),
          source_(std::move(source)), missing_(std::move(missing)) {
        registerAdaptor();
    }
    ~FakeKernel() { unregisterAdaptor(); }

private:
    void Delete() override {}
    std::string Name() override { return name_; }
    std::string Version() override { return "6.1.0"; }
    std::string PackageVersion() override { return "6.1.1-2"; }
    std::string Distro() override { return "debian"; }
    std::string Suite() override { return "bookworm"; }
    std::string Digest() override { return "sha256:0123456789abcdef"; }
    std::string Source() override { return source_; }
    std::uint64_t SizeBytes() override { return 1U << 20U; }
    std::uint64_t CreatedAt() override { return 1; }
    bool HasModules() override { return true; }
    bool HasInitrd() override { return false; }
    std::vector<std::string> Missing() override { return missing_; }
    bool FeaturesKnown() override { return true; }
    std::vector<std::string> UsedBy() override { return {"vm/sandbox"}; }

    std::string name_;
    std::string source_;
    std::vector<std::string> missing_;
};

/// A program "in the guest": reports its end on the control socket and takes signals from it.
void supervise(ChildProcess child, UniqueFd control) {
    const pid_t pid = child.pid();
    std::thread signals([fd = control.get(), pid] {
        char buffer[512];
        while (true) {
            const ssize_t n = ::recv(fd, buffer, sizeof buffer, 0);
            if (n <= 0) {
                ::kill(-pid, SIGHUP);
                return;
            }
            const auto packet = nlohmann::json::parse(buffer, buffer + n);
            if (packet.contains("signal")) {
                ::kill(-pid, packet["signal"] == "TERM" ? SIGTERM : SIGINT);
            }
        }
    });
    const int status = child.wait();
    const nlohmann::json end = WIFSIGNALED(status)
                                   ? nlohmann::json{{"signal", ::sigabbrev_np(WTERMSIG(status))}}
                                   : nlohmann::json{{"exit", WEXITSTATUS(status)}};
    const std::string packet = end.dump();
    ::send(control.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
    ::shutdown(control.get(), SHUT_RDWR);
    signals.join();
}

class Fake;

class FakeVM final
    : public sdbus::AdaptorInterfaces<org::banger::VM_adaptor, sdbus::Properties_adaptor> {
public:
    FakeVM(Fake &fake, sdbus::IConnection &connection, std::string name, const Options &options)
        : AdaptorInterfaces(connection, path_of("vm", name)), fake_(fake), name_(std::move(name)) {
        bus::OptionsReader reader(options);
        image_ = reader.take<std::string>("image").value_or("");
        vcpus_ = reader.take<std::uint32_t>("vcpus").value_or(0);
        memory_ = reader.take<std::uint64_t>("memory_mib").value_or(0);
        disk_ = reader.take<std::uint64_t>("disk_bytes").value_or(0);
        overlay_ = reader.take<std::uint64_t>("overlay_bytes").value_or(0);
        nat_ = reader.take<bool>("nat").value_or(false);
        allow_host_ = reader.take<bool>("allow_host").value_or(false);
        workspace_ = reader.take<std::string>("workspace").value_or("");
        reader.take<std::string>("kernel");
        reader.take<bool>("start");
        reader.finish();
        registerAdaptor();
    }
    ~FakeVM() { unregisterAdaptor(); }

    void become(const std::string &state, bool ready) {
        state_ = state;
        ready_ = ready;
#if BANGER_SDBUS_2
        emitPropertiesChangedSignal(bus::InterfaceName{"org.banger.VM"});
#else
        emitPropertiesChangedSignal("org.banger.VM");
#endif
    }

    sdbus::ObjectPath Start(const Options &options) override;
    sdbus::ObjectPath Stop(const Options &options) override;
    sdbus::ObjectPath Delete(const Options &options) override;

private:
    void Exec(sdbus::Result<sdbus::UnixFd> &&result, std::vector<std::string> argv,
              Options options) override;
    void OpenStream(sdbus::Result<sdbus::UnixFd> &&result, Options options) override {
        FdPair pair = make_socket_pair(SOCK_STREAM);
        const std::string banner = fmt::format("port {}\n", options.at("tcp").get<std::uint16_t>());
        ::send(pair.second.get(), banner.data(), banner.size(), MSG_NOSIGNAL);
        result.returnResults(sdbus::UnixFd{pair.first.get()});
    }
    void PutFiles(sdbus::Result<std::uint64_t, std::uint64_t> &&result, std::string directory,
                  sdbus::UnixFd archive, Options options) override;

    std::string Name() override {
        return name_;
    }
    std::string State() override {
        return state_;
    }
    bool LoginReady() override {
        return false;
    }
    bool BootFinished() override {
        return ready_;
    }
    std::string BootStatus() override {
        return ready_ ? "" : "Job slow.service/start (1s)";
    }
    std::string Image() override {
        return image_;
    }
    std::string ImageDigest() override {
        return "";
    }
    std::string Kernel() override {
        return "debian";
    }
    std::string IPAddress() override {
        return "172.16.0.2";
    }
    std::string HostName() override {
        return name_ + ".vm";
    }
    std::uint32_t VCPUs() override {
        return vcpus_;
    }
    std::uint64_t MemoryMiB() override {
        return memory_;
    }
    std::uint64_t DiskBytes() override {
        return disk_;
    }
    std::uint64_t OverlayBytes() override {
        return overlay_;
    }
    bool NAT() override {
        return nat_;
    }
    bool AllowHost() override {
        return allow_host_;
    }
    std::string Unit() override {
        return "banger-vm@" + name_ + ".service";
    }
    std::string VMM() override {
        return "qemu";
    }
    std::string VMMReason() override {
        return "a test";
    }
    std::string Workspace() override {
        return workspace_;
    }
    std::uint64_t CreatedAt() override {
        return 1;
    }
    std::uint64_t StartedAt() override {
        return 0;
    }
    Pair LastError() override {
        return {};
    }
    Timings BootTimings() override {
        return {};
    }

    Fake &fake_;
    std::string name_;
    std::string state_ = "created";
    bool ready_ = false;
    std::string image_;
    std::uint32_t vcpus_ = 0;
    std::uint64_t memory_ = 0;
    std::uint64_t disk_ = 0;
    std::uint64_t overlay_ = 0;
    bool nat_ = false;
    bool allow_host_ = false;
    std::string workspace_;
};

class Fake final
    : public sdbus::AdaptorInterfaces<org::banger::Manager_adaptor, sdbus::ObjectManager_adaptor,
                                      sdbus::Properties_adaptor> {
public:
    Fake(EventLoop &loop, sdbus::IConnection &connection, const FakeBehaviour &behaviour)
        : AdaptorInterfaces(connection, sdbus::ObjectPath{"/org/banger/Manager"}), loop_(loop),
          connection_(connection), behaviour_(behaviour) {
        registerAdaptor();
        for (const auto &name : behaviour.images) {
            images_.emplace(name, std::make_unique<FakeImage>(connection, name));
        }
        for (const auto &name : behaviour.kernels) {
            add_kernel(name, "Debian bookworm");
        }
    }
    ~Fake() {
        unregisterAdaptor();
        for (auto &thread : threads_) {
            thread.join();
        }
    }

    const FakeBehaviour &behaviour() const { return behaviour_; }

    /// A job that is over before its path is known to the caller.
    sdbus::ObjectPath ended_job(const std::string &subject, Pair error = {}) {
        const std::uint32_t id = ++last_job_;
        const bool failed = !std::get<0>(error).empty();
        jobs_.push_back(std::make_unique<FakeJob>(connection_, id, subject, std::move(error)));
        auto path = path_of("job", fmt::format("{}", id));
        emitJobNew(id, path);
        emitJobRemoved(id, path, subject, failed ? "failed" : "done");
        return path;
    }
    sdbus::ObjectPath endless_job(const std::string &subject) {
        const std::uint32_t id = ++last_job_;
        jobs_.push_back(std::make_unique<FakeJob>(connection_, id, subject, Pair{}));
        return path_of("job", fmt::format("{}", id));
    }
    // Later: the object may be in the middle of a call.
    void forget(const std::string &name) {
        deferred_.push_back(loop_.add_deferred([this, name] { vms_.erase(name); }));
    }
    void die() {
        deferred_.push_back(loop_.add_deferred([this] {
#if BANGER_SDBUS_2
            connection_.releaseName(bus::ServiceName{"org.banger.Manager"});
#else
            connection_.releaseName("org.banger.Manager");
#endif
        }));
    }
    void run(std::function<void()> work) {
        threads_.emplace_back(std::move(work));
    }

private:
    sdbus::ObjectPath CreateVM(const std::string &name, const Options &options) override {
        return bus::guard([&] {
            const std::string given = name.empty() ? "calm-otter" : name;
            if (vms_.count(given) > 0) {
                fail(ErrorCode::AlreadyExists, "there is a VM '{}' already", given);
            }
            vms_.emplace(given, std::make_unique<FakeVM>(*this, connection_, given, options));
            return ended_job(given);
        });
    }
    FakeVM &vm(const std::string &name) {
        const auto found = vms_.find(name);
        if (found == vms_.end()) {
            fail(ErrorCode::NotFound, "there is no VM '{}'", name);
        }
        return *found->second;
    }
    sdbus::ObjectPath StartVM(const std::string &name, const Options &options) override {
        return bus::guard([&] { return vm(name).Start(options); });
    }
    sdbus::ObjectPath StopVM(const std::string &name, const Options &options) override {
        return bus::guard([&] { return vm(name).Stop(options); });
    }
    sdbus::ObjectPath DeleteVM(const std::string &name, const Options &options) override {
        return bus::guard([&] { return vm(name).Delete(options); });
    }
    sdbus::ObjectPath GetVM(const std::string &name) override {
        return bus::guard([&] {
            vm(name);
            return path_of("vm", name);
        });
    }
    std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> ListVMs() override {
        return {};
    }
    sdbus::ObjectPath BuildImage(const std::string &name, const Options & /*options*/) override {
        return PullImage(name, {});
    }
    sdbus::ObjectPath PullImage(const std::string &name, const Options & /*options*/) override {
        if (name != "debian-bookworm") {
            return ended_job(name, Pair{"org.banger.Error.NotFound",
                                        fmt::format("there is no image '{}'", name)});
        }
        images_.emplace(name, std::make_unique<FakeImage>(connection_, name));
        return ended_job(name);
    }
    sdbus::ObjectPath RegisterImage(const std::string &name, const Options &options) override {
        return bus::guard([&] {
            bus::OptionsReader reader(options);
            const auto file = reader.take<std::string>("file").value_or("");
            reader.take<std::string>("kernel");
            reader.take<bool>("force");
            reader.finish();
            if (file != std::filesystem::absolute(file)) {
                fail(ErrorCode::InvalidArgument, "'{}' is no absolute path", file);
            }
            images_.emplace(name, std::make_unique<FakeImage>(connection_, name));
            return ended_job(name);
        });
    }
    sdbus::ObjectPath PromoteImage(const std::string &name, const Options & /*options*/) override {
        return ended_job(name);
    }
    void ListImageCache(
        sdbus::Result<std::vector<sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>>>
            &&result) override {
        result.returnResults({sdbus::make_struct("sha256:" + std::string(64, 'b'),
                                                 std::uint64_t{2} << 20U, std::uint64_t{1}, true)});
    }
    sdbus::ObjectPath PruneImageCache(const Options & /*options*/) override {
        return ended_job("");
    }
    void DeleteImage(const std::string &name) override {
        bus::guard([&] {
            if (images_.erase(name) == 0) {
                fail(ErrorCode::NotFound, "there is no image '{}'", name);
            }
        });
    }
    std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> ListImages() override {
        return {};
    }
    std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>>
    ListAvailableImages() override {
        return {sdbus::make_struct(std::string{"debian-bookworm"}, std::string{"Debian 12"},
                                   std::string{"debian"}, std::string{"built in"}),
                sdbus::make_struct(std::string{"tools"}, std::string{"Ours"}, std::string{"debian"},
                                   std::string{"https://example.org/catalog.json"})};
    }
    sdbus::ObjectPath RefreshCatalog(const Options & /*options*/) override {
        return ended_job("catalog", Pair{"org.banger.Error.NetworkUnavailable",
                                         "the catalog is out of reach; its last copy stays"});
    }
    sdbus::ObjectPath ExportImage(const std::string &name, const Options &options) override {
        write_file_atomically(options.at("output").get<std::string>(), "a bundle");
        return ended_job(name);
    }
    sdbus::ObjectPath ExportKernel(const std::string &name, const Options &options) override {
        return ExportImage(name, options);
    }
    void add_kernel(const std::string &name, const std::string &source) {
        kernels_.emplace(
            name, std::make_unique<FakeKernel>(connection_, name, source, behaviour_.missing));
    }
    sdbus::ObjectPath PullKernel(const std::string &name, const Options & /*options*/) override {
        const std::string given = name.empty() ? "debian" : name;
        add_kernel(given, "Debian bookworm");
        return ended_job(given);
    }
    sdbus::ObjectPath ImportKernel(const std::string &name, const Options &options) override {
        return bus::guard([&] {
            bus::OptionsReader reader(options);
            std::string source = reader.take<std::string>("from").value_or("");
            for (const char *more : {"modules", "initrd", "distro"}) {
                if (const auto value = reader.take<std::string>(more)) {
                    source += fmt::format(" {}={}", more, *value);
                }
            }
            const bool force = reader.take<bool>("force").value_or(false);
            reader.finish();
            if (kernels_.count(name) > 0 && !force) {
                fail(ErrorCode::AlreadyExists, "there is a kernel '{}' already", name);
            }
            kernels_.erase(name);
            add_kernel(name, source);
            return ended_job(name);
        });
    }
    sdbus::ObjectPath UpdateKernelList(const Options & /*options*/) override {
        archive_known_ = true;
        return ended_job("debian");
    }
    std::vector<sdbus::Struct<std::string, std::string, std::string, bool>>
    ListAvailableKernels() override {
        std::vector<sdbus::Struct<std::string, std::string, std::string, bool>> rows{
            sdbus::make_struct(std::string{"debian-trixie"}, std::string{}, std::string{"trixie"},
                               false)};
        if (archive_known_) {
            rows.push_back(sdbus::make_struct(std::string{"debian-6.1.0-56-cloud-amd64"},
                                              std::string{"6.1.192-2"}, std::string{"bookworm"},
                                              true));
        }
        return rows;
    }
    sdbus::ObjectPath GetKernel(const std::string &name) override {
        return bus::guard([&] {
            if (kernels_.count(name) == 0) {
                fail(ErrorCode::NotFound, "there is no kernel '{}'", name);
            }
            return path_of("kernel", name);
        });
    }
    void DeleteKernel(const std::string &name) override {
        bus::guard([&] {
            if (kernels_.erase(name) == 0) {
                fail(ErrorCode::NotFound, "there is no kernel '{}'", name);
            }
        });
    }
    std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> ListKernels() override {
        return {};
    }
    std::vector<
        sdbus::Struct<std::uint32_t, sdbus::ObjectPath, std::string, std::string, std::string>>
    ListJobs() override {
        return {};
    }
    void Diagnose(sdbus::Result<
                  std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>>>
                      &&result) override {
        result.returnResults(
            {sdbus::make_struct(std::string{"state store"}, std::string{"fail"},
                                std::string{"it is damaged"}, std::string{"mend it"})});
    }
    std::string Version() override {
        return BANGER_VERSION;
    }
    std::vector<std::string> CatalogProblems() override {
        return {"/etc/banger/catalog.d/x.json is no JSON"};
    }
    std::string VMM() override {
        return behaviour_.has_vmm ? "qemu" : "";
    }
    std::string VMMReason() override {
        return behaviour_.has_vmm ? "a test" : "this user may not open /dev/kvm";
    }

    EventLoop &loop_;
    sdbus::IConnection &connection_;
    FakeBehaviour behaviour_;
    std::uint32_t last_job_ = 0;
    std::map<std::string, std::unique_ptr<FakeVM>> vms_;
    std::map<std::string, std::unique_ptr<FakeImage>> images_;
    std::map<std::string, std::unique_ptr<FakeKernel>> kernels_;
    bool archive_known_ = false;
    std::vector<std::unique_ptr<FakeJob>> jobs_;
    std::vector<EventSource> deferred_;
    std::vector<std::thread> threads_;
};

sdbus::ObjectPath FakeVM::Start(const Options & /*options*/) {
    if (fake_.behaviour().dies_in_start) {
        fake_.die();
        return fake_.endless_job(name_);
    }
    if (fake_.behaviour().refuses_start) {
        become("failed", false);
        return fake_.ended_job(name_, Pair{"org.banger.Error.VmmFailed", "the VMM did not start"});
    }
    become("running", fake_.behaviour().boots);
    return fake_.ended_job(name_);
}

sdbus::ObjectPath FakeVM::Stop(const Options & /*options*/) {
    if (state_ != "running") {
        return fake_.ended_job(name_, Pair{"org.banger.Error.InvalidState",
                                           fmt::format("the VM '{}' does not run", name_)});
    }
    become("stopped", false);
    return fake_.ended_job(name_);
}

sdbus::ObjectPath FakeVM::Delete(const Options & /*options*/) {
    fake_.forget(name_);
    return fake_.ended_job(name_);
}

void FakeVM::Exec(sdbus::Result<sdbus::UnixFd> &&result, std::vector<std::string> argv,
                  Options options) {
    const bus::Reply<sdbus::UnixFd> reply(std::move(result));
    try {
        bus::OptionsReader reader(options);
        Command command;
        command.argv = std::move(argv);
        command.environment =
            reader.take<std::vector<std::string>>("env").value_or(std::vector<std::string>{});
        command.environment.push_back("IN_GUEST=yes");
        const auto directory = reader.take<std::string>("cwd").value_or("");
        if (directory.starts_with("/root")) {
            command.working_directory =
                fake_.behaviour().guest.native() + directory.substr(std::strlen("/root"));
        }
        reader.take<std::string>("user");
        reader.take<bool>("detach");
        const auto input = reader.take<sdbus::UnixFd>("stdin");
        const auto output = reader.take<sdbus::UnixFd>("stdout");
        const auto error = reader.take<sdbus::UnixFd>("stderr");
        reader.finish();
        if (input) {
            command.standard_input = input->get();
        }
        if (output) {
            command.standard_output = output->get();
        }
        if (error) {
            command.standard_error = error->get();
        }
        ChildProcess child = spawn(command);
        FdPair control = make_socket_pair(SOCK_SEQPACKET);
        reply(sdbus::UnixFd{control.first.get()});
        fake_.run([child = std::make_shared<ChildProcess>(std::move(child)),
                   fd = std::make_shared<UniqueFd>(std::move(control.second))] {
            supervise(std::move(*child), std::move(*fd));
        });
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void FakeVM::PutFiles(sdbus::Result<std::uint64_t, std::uint64_t> &&result, std::string directory,
                      sdbus::UnixFd archive, Options /*options*/) {
    const bus::Reply<std::uint64_t, std::uint64_t> reply(std::move(result));
    try {
        const auto target =
            fake_.behaviour().guest.native() + directory.substr(std::strlen("/root"));
        std::filesystem::create_directories(target);
        Command tar;
        tar.argv = {"tar", "--warning=no-unknown-keyword", "-x", "--no-same-owner", "-C", target};
        tar.standard_input = archive.get();
        run_and_read(tar);
        reply(std::uint64_t{1}, std::uint64_t{1});
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

} // namespace

FakeManager::FakeManager(const std::string &bus_address, FakeBehaviour behaviour)
    : stop_(make_pipe()) {
    std::promise<void> ready;
    std::future<void> is_ready = ready.get_future();
    thread_ = std::thread([this, bus_address, behaviour = std::move(behaviour),
                           promise = std::move(ready)]() mutable {
        try {
            EventLoop loop;
            const auto connection = sdbus::createSessionBusConnectionWithAddress(bus_address);
            const bus::BusPump pump(loop, *connection);
            const Fake fake(loop, *connection, behaviour);
            const EventSource stop =
                loop.add_io(stop_.first.get(), EPOLLIN, [&](std::uint32_t) { loop.exit(0); });
            connection->requestName(bus::ServiceName{"org.banger.Manager"});
            promise.set_value();
            loop.run();
        } catch (...) {
            promise.set_exception(std::current_exception());
        }
    });
    try {
        is_ready.get();
    } catch (...) {
        thread_.join();
        throw;
    }
}

FakeManager::~FakeManager() {
    stop_.second.reset();
    thread_.join();
}

} // namespace banger::cli
