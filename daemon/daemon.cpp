#include "daemon/daemon.hpp"

#include "base/log.hpp"
#include "daemon/absent_helper.hpp"
#include "daemon/bus/log_control_adaptor.hpp"
#include "daemon/bus/manager_adaptor.hpp"
#include "daemon/bus/network_helper_client.hpp"
#include "daemon/bus/object_paths.hpp"
#include "daemon/bus/objects.hpp"
#include "daemon/bus/supervision_adaptor.hpp"
#include "daemon/bus/systemd_client.hpp"
#include "daemon/dns_service.hpp"
#include "daemon/idle_exit.hpp"
#include "daemon/registry_artifacts.hpp"
#include "daemon/vm/names.hpp"
#include "dbus/bus_pump.hpp"

#include <systemd/sd-daemon.h>

#include <chrono>
#include <csignal>
#include <optional>

namespace banger {
namespace {

using Connection = std::unique_ptr<sdbus::IConnection>;

constexpr std::chrono::seconds idle_patience{60};
/// With records that cannot be read there is nothing to stay for: the next call looks anew.
constexpr std::chrono::seconds broken_patience{2};

Connection session_bus() {
    try {
        return sdbus::createSessionBusConnection();
    } catch (const sdbus::Error &e) {
        fail(ErrorCode::Internal, "cannot reach the session bus: {}", e.getMessage());
    }
}

/// nullptr where there is none.
Connection system_bus() {
    try {
        return sdbus::createSystemBusConnection();
    } catch (const sdbus::Error &e) {
        log::warning(fmt::format("cannot reach the system bus: {}", e.getMessage()));
        return nullptr;
    }
}

std::uint64_t now_usec() {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(
                                          std::chrono::system_clock::now().time_since_epoch())
                                          .count());
}

vmm::Selection choose_vmm(const config::Config &config) {
    vmm::Wish wish;
    wish.vmm = config.vmm.value;
    wish.firecracker_bin = config.firecracker_bin.value;
    wish.qemu_bin = config.qemu_bin.value;
    return vmm::choose(wish, vmm::probe(wish));
}

} // namespace

namespace {

/// All that needs the records. Does not exist where they cannot be read.
struct Records {
    Records(EventLoop &loop, const Paths &paths, const Programs &programs, job::JobTable &jobs,
            vm::UnitManager &units, net::NetworkHelper &network, config::HostSize host,
            std::function<config::Config()> config)
        : store(paths.database()), artifacts(config),
          vms(vm::Services{loop, paths, store, jobs, units, network, artifacts, host,
                           programs.image_worker, config, choose_vmm, now_usec}),
          workers(loop, programs.image_worker),
          catalogs(config, {.cache = paths.cache / "catalogs"}, workers, new_job(jobs)),
          images(loop, image_settings(paths, programs), new_job(jobs),
                 [this](const std::string &digest) { return vms.users_of_image(digest); }),
          kernels(loop,
                  {paths.kernels(), programs.image_worker, programs.init, programs.agent,
                   paths.oci_blobs(), [this] { return catalogs.catalog(); }},
                  new_job(jobs), [this](const std::string &name) { return users_of_kernel(name); }),
          layer_cache(loop, programs.image_worker, paths.oci_blobs(), new_job(jobs)),
          exports(images, kernels, workers, new_job(jobs)), domain{loop,        vms,
                                                                   jobs,        images,
                                                                   layer_cache, kernels,
                                                                   artifacts,   catalogs,
                                                                   exports,     std::move(config)} {
        artifacts.connect(images, kernels);
    }

    image::Registry::Settings image_settings(const Paths &paths, const Programs &programs) {
        image::Registry::Settings settings;
        settings.directory = paths.images();
        settings.worker = programs.image_worker;
        settings.build_guard = programs.build_guard;
        settings.blobs = paths.oci_blobs();
        settings.catalog = [this] { return catalogs.catalog(); };
        settings.refresh = [this] {
            return catalogs.has_remote() ? catalogs.refresh() : std::shared_ptr<job::Job>{};
        };
        return settings;
    }

    static image::Registry::JobFactory new_job(job::JobTable &jobs) {
        return [&jobs](std::string kind, std::string subject) {
            return jobs.add(std::move(kind), std::move(subject));
        };
    }

    /// An image that says just "debian" needs no certain kernel: another is pulled for it.
    std::vector<std::string> users_of_kernel(const std::string &kernel) {
        std::vector<std::string> users;
        for (const auto &vm : vms.users_of_kernel(kernel)) {
            users.push_back("vm/" + vm);
        }
        for (const auto &image : images.list()) {
            if (image.kernel == kernel) {
                users.push_back("image/" + image.name);
            }
        }
        return users;
    }

    store::Store store;
    RegistryArtifacts artifacts;
    vm::VmManager vms;
    distribution::JobWorkers workers;
    distribution::CatalogService catalogs;
    image::Registry images;
    kernel::Registry kernels;
    image::LayerCache layer_cache;
    distribution::BundleExport exports;
    bus::Domain domain;
};

} // namespace

struct Daemon::Pieces {
    Pieces(EventLoop &event_loop, Paths user_paths, const Programs &programs)
        : loop(event_loop), paths(std::move(user_paths)), session(session_bus()),
          system(system_bus()), session_pump(loop, *session), units(*session), jobs(loop) {
        if (system) {
            system_pump.emplace(loop, *system);
            helper = std::make_unique<bus::NetworkHelperClient>(*system);
        } else {
            helper = std::make_unique<AbsentHelper>(loop);
        }
        listen_fds = take_listen_fds();
        apply_config();
        open_records(programs);
        go_on_the_bus();
        watch_signals();
        idle.emplace(
            loop, records ? idle_patience : broken_patience, [this] { return busy(); },
            [this] { leave("idle"); });
        begin();
    }

    config::Config read_config() const { return config::load(paths.config_file(), host); }

    void apply_config() {
        try {
            const config::Config config = read_config();
            log::set_level(config.log_level.value);
            dns_port = config.dns_port.value;
        } catch (const Error &e) {
            // What needs the configuration says so itself.
            log::error(e.what());
        }
    }

    void open_records(const Programs &programs) {
        try {
            records = std::make_unique<Records>(loop, paths, programs, jobs, units, *helper, host,
                                                [this] { return read_config(); });
        } catch (const Error &e) {
            log::error(e.what());
            broken = e;
        }
    }

    bus::Domain &use() {
        if (idle) {
            idle->touch();
        }
        if (!records) {
            throw *broken;
        }
        return records->domain;
    }

    void go_on_the_bus() {
        const bus::DomainAccess access = [this]() -> bus::Domain & { return use(); };
        manager = std::make_unique<bus::ManagerAdaptor>(
            *session, access, bus::make_diagnosis([this] { return dns_row(); }));
        supervision = std::make_unique<bus::SupervisionAdaptor>(*session, access);
        log_control = std::make_unique<bus::LogControlAdaptor>(*session);
        if (!records) {
            return;
        }
        objects = std::make_unique<bus::Objects>(*session, records->domain, access);
        jobs.observe({[this](const std::shared_ptr<job::Job> &job) {
                          objects->add_job(job);
                          manager->tell_new_job(job->snapshot().id);
                      },
                      [this](const job::Snapshot &job) { objects->change_job(job.id); },
                      [this](const job::Snapshot &job) { manager->tell_ended_job(job); },
                      [this](std::uint32_t id) { objects->remove_job(id); }});
        names.emplace(records->vms, zone);
        records->vms.observe({[this](const vm::View &) { tell_status(); },
                              [this](const vm::View &) { tell_status(); },
                              [this](const std::string &) { tell_status(); },
                              [this](const net::Network &network) {
                                  if (dns) {
                                      dns->serve_bridge(network);
                                  }
                              }});
    }

    /// Compares records and units; after that the zone is filled, and the name is asked for.
    void begin() {
        if (!records) {
            ready();
            return;
        }
        records->vms.reconcile([this] { ready(); });
    }

    void ready() {
        dns.emplace(loop, zone, *helper);
        dns->serve(std::move(listen_fds), dns_port);
        if (records && !records->vms.idle() && records->vms.network()) {
            dns->serve_bridge(*records->vms.network());
        }
        session->requestName(bus::ServiceName{bus::manager_name});
        sd_notify(0, "READY=1");
        tell_status();
    }

    bus::DiagnosisRow dns_row() const {
        if (dns->loopback_port() == 0) {
            return {"dns", "fail", "no port for DNS on 127.0.0.1 could be bound",
                    fmt::format("see who has it: ss -lunp 'sport = {}'", dns_port)};
        }
        const std::string bridge =
            dns->bridge_address() ? fmt::format(", {}:53", dns->bridge_address()->str()) : "";
        const std::string detail =
            fmt::format("127.0.0.1:{}{}, {} names", dns->loopback_port(), bridge, zone.size());
        if (dns->loopback_port() != dns_port) {
            return {"dns", "warn", detail,
                    fmt::format("somebody else has the port {}: ss -lunp 'sport = {}'", dns_port,
                                dns_port)};
        }
        return {"dns", "pass", detail, ""};
    }

    void tell_status() {
        std::size_t up = 0;
        if (records) {
            for (const auto &view : records->vms.list()) {
                up += view.state == vm::State::Running ? 1U : 0U;
            }
        }
        const std::string status =
            broken ? broken->what() : fmt::format("{} VM{} running", up, up == 1 ? "" : "s");
        if (status != told_status) {
            told_status = status;
            sd_notify(0, fmt::format("STATUS={}", status).c_str());
        }
    }

    bool busy() { return jobs.running_count() != 0 || (records && !records->vms.idle()); }

    void leave(const char *why) {
        log::info(fmt::format("exiting: {}", why));
        sd_notify(0, "STOPPING=1");
        try {
            // Calls from now on start a new bangerd.
            session->releaseName(bus::ServiceName{bus::manager_name});
        } catch (const sdbus::Error &e) {
            log::debug(e.getMessage());
        }
        farewell = loop.add_deferred([this] { loop.exit(0); });
    }

    void watch_signals() {
        for (const int number : {SIGTERM, SIGINT}) {
            signals.push_back(loop.add_signal(number, [this] { leave("asked by a signal"); }));
        }
        signals.push_back(loop.add_signal(SIGHUP, [this] {
            log::info("reading the configuration anew");
            apply_config();
        }));
    }

    EventLoop &loop;
    Paths paths;
    config::HostSize host = config::HostSize::of_this_host();
    std::uint16_t dns_port = 42069;
    std::vector<NamedSocket> listen_fds;
    Connection session;
    Connection system;
    bus::BusPump session_pump;
    std::optional<bus::BusPump> system_pump;
    bus::SystemdClient units;
    std::unique_ptr<net::NetworkHelper> helper;
    job::JobTable jobs;
    resolved::Zone zone;
    std::unique_ptr<Records> records;
    std::optional<Error> broken;
    std::optional<vm::Names> names;
    std::optional<DnsService> dns;
    std::unique_ptr<bus::ManagerAdaptor> manager;
    std::unique_ptr<bus::SupervisionAdaptor> supervision;
    std::unique_ptr<bus::LogControlAdaptor> log_control;
    std::unique_ptr<bus::Objects> objects;
    std::optional<IdleExit> idle;
    std::vector<EventSource> signals;
    EventSource farewell;
    std::string told_status;
};

Daemon::Daemon(EventLoop &loop, Paths paths, const Programs &programs)
    : pieces_(std::make_unique<Pieces>(loop, std::move(paths), programs)) {}

Daemon::~Daemon() = default;

} // namespace banger
