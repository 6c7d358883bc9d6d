#include "cli/client.hpp"
#include "cli/verbs.hpp"

#include <nlohmann/json.hpp>

#include <array>

namespace banger::cli {
namespace {

constexpr const char *systemd = "org.freedesktop.systemd1";
constexpr const char *systemd_path = "/org/freedesktop/systemd1";
constexpr const char *systemd_manager = "org.freedesktop.systemd1.Manager";
constexpr const char *service_unit = "bangerd.service";
constexpr const char *socket_unit = "bangerd.socket";
constexpr std::chrono::seconds patience{100};
/// As systemctl status has it.
constexpr int not_running = 3;

template <typename Result, typename... Arguments>
Result call_systemd(Client &client, const char *method, const Arguments &...arguments) {
    return client.call_service<Result>(systemd, sdbus::ObjectPath{systemd_path}, systemd_manager,
                                       method, arguments...);
}

std::string unit_property(Client &client, const std::string &unit, const char *name) {
    const auto path = call_systemd<sdbus::ObjectPath>(client, "LoadUnit", unit);
    const auto properties = client.call_service<Properties>(
        systemd, path, names::properties, "GetAll", std::string{"org.freedesktop.systemd1.Unit"});
    return property<std::string>(properties, name);
}

int status(bool as_json) {
    Client client;
    const bool running = client.daemon_running();
    std::string version;
    std::string vmm;
    if (running) {
        const auto properties =
            client.all_properties(sdbus::ObjectPath{names::manager_path}, names::manager);
        version = property<std::string>(properties, "Version");
        vmm = fmt::format("{} ({})", property<std::string>(properties, "VMM"),
                          property<std::string>(properties, "VMMReason"));
    }
    const std::string service = unit_property(client, service_unit, "ActiveState");
    const std::string socket = unit_property(client, socket_unit, "ActiveState");
    if (as_json) {
        fmt::print("{}\n", nlohmann::ordered_json{{"running", running},
                                                  {"version", version},
                                                  {"vmm", vmm},
                                                  {service_unit, service},
                                                  {socket_unit, socket}}
                               .dump(2));
        return running ? 0 : not_running;
    }
    fmt::print("bangerd: {}\n",
               running ? "running, version " + version : "not running; the next call starts it");
    if (running) {
        fmt::print("VMM: {}\n", vmm);
    }
    fmt::print("{}: {}\n{}: {}\n", service_unit, service, socket_unit, socket);
    return running ? 0 : not_running;
}

int stop() {
    Client client;
    DaemonWatch watch(client);
    const bool running = client.daemon_running();
    // The socket first: a name looked up in between would start the daemon again.
    for (const char *unit : {socket_unit, service_unit}) {
        call_systemd<sdbus::ObjectPath>(client, "StopUnit", std::string{unit},
                                        std::string{"replace"});
    }
    if (running && !client.wait_until([&] { return watch.losses() > 0; }, patience)) {
        fail(ErrorCode::Busy, "bangerd does not end; see journalctl --user -u bangerd");
    }
    print_notice("bangerd is stopped; running VMs go on. Any `banger` command or call on the bus "
                 "starts it again, and `systemctl --user start bangerd.socket` its DNS.");
    return 0;
}

int restart() {
    Client client;
    DaemonWatch watch(client);
    call_systemd<sdbus::ObjectPath>(client, "RestartUnit", std::string{service_unit},
                                    std::string{"replace"});
    if (!client.wait_until([&] { return watch.gains() > 0; }, patience)) {
        fail(ErrorCode::Internal, "bangerd did not come back; see journalctl --user -u bangerd");
    }
    return 0;
}

} // namespace

void add_daemon(CLI::App &root, Context &context) {
    CLI::App *daemon = root.add_subcommand("daemon", "Look at bangerd, stop or restart it");
    daemon->require_subcommand(1);
    const auto json = std::make_shared<bool>(false);
    CLI::App *verb = daemon->add_subcommand(
        "status", "Say whether bangerd runs, without starting it; exit status 3 if not");
    verb->add_flag("--json", *json, "Print as JSON");
    verb->callback([json, &context] { context.action = [json] { return status(*json); }; });
    daemon->add_subcommand("stop", "Stop bangerd and its socket; running VMs go on")
        ->callback([&context] { context.action = stop; });
    daemon->add_subcommand("restart", "Restart bangerd; running VMs go on")->callback([&context] {
        context.action = restart;
    });
}

} // namespace banger::cli
