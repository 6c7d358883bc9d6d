#include "cli/doctor_services.hpp"

#include "cli/client.hpp"

#include <algorithm>
#include <cstdlib>

namespace banger::cli {
namespace {

using DiagnoseRow = sdbus::Struct<std::string, std::string, std::string, std::string>;

constexpr std::chrono::seconds diagnose_timeout{30};
constexpr int oldest_systemd = 252;

DoctorRow user_manager(Client &client) {
    try {
        const auto properties = client.call_service<Properties>(
            "org.freedesktop.systemd1", sdbus::ObjectPath{"/org/freedesktop/systemd1"},
            names::properties, "GetAll", std::string{"org.freedesktop.systemd1.Manager"});
        const auto version = property<std::string>(properties, "Version");
        if (std::atoi(version.c_str()) < oldest_systemd) {
            return {"user manager", Verdict::Fail, "systemd " + version,
                    fmt::format("banger needs systemd {} or newer", oldest_systemd)};
        }
        return {"user manager", Verdict::Pass, "systemd " + version, ""};
    } catch (const Error &e) {
        return {"user manager", Verdict::Fail, e.what(),
                "log in by a session of logind (libpam-systemd), not by su"};
    }
}

DoctorRow stopped_daemon(Client &client) {
    const auto names = client.call_service<std::vector<std::string>>(
        "org.freedesktop.DBus", sdbus::ObjectPath{"/org/freedesktop/DBus"}, "org.freedesktop.DBus",
        "ListActivatableNames");
    if (std::find(names.begin(), names.end(), names::service) == names.end()) {
        return {"bangerd", Verdict::Fail, "the session bus does not know how to start it",
                "install the package, or `systemctl --user reload dbus` after an installation"};
    }
    return {"bangerd", Verdict::Pass, "not running; the next call starts it", ""};
}

DoctorRow running_daemon(Client &client) {
    const auto properties =
        client.all_properties(sdbus::ObjectPath{names::manager_path}, names::manager);
    const auto version = property<std::string>(properties, "Version");
    if (version != BANGER_VERSION) {
        return {"bangerd", Verdict::Warn,
                fmt::format("version {} runs, this is {}", version, BANGER_VERSION),
                "banger daemon restart (running VMs go on)"};
    }
    return {"bangerd", Verdict::Pass, "running, version " + version, ""};
}

Verdict verdict_of(const std::string &name) {
    return name == "pass" ? Verdict::Pass : name == "fail" ? Verdict::Fail : Verdict::Warn;
}

DoctorRow helper() {
    constexpr const char *service = "org.banger.NetworkHelper";
    try {
        const std::string answer = remote([&] {
            const auto connection = sdbus::createSystemBusConnection();
            const auto proxy = sdbus::createProxy(*connection, bus::ServiceName{service},
                                                  sdbus::ObjectPath{"/org/banger/NetworkHelper"});
            std::string result;
            proxy->callMethod("CheckAuthorization").onInterface(service).storeResultsTo(result);
            return result;
        });
        if (answer == "yes") {
            return {"network helper", Verdict::Pass, "answers; you may use it", ""};
        }
        return {"network helper", answer == "challenge" ? Verdict::Warn : Verdict::Fail,
                answer == "challenge" ? "asks for an administrator's password"
                                      : "you may not use it",
                "sudo adduser $USER banger"};
    } catch (const Error &e) {
        return {"network helper", Verdict::Fail, e.what(),
                "install the package; see journalctl -u banger-network-helper"};
    }
}

} // namespace

DoctorRows diagnosis(Client &client) {
    auto [told] = client.call_and_wait<std::vector<DiagnoseRow>>(
        sdbus::ObjectPath{names::manager_path}, names::manager, "Diagnose", diagnose_timeout);
    DoctorRows rows;
    for (const DiagnoseRow &row : told) {
        rows.push_back(
            {std::get<0>(row), verdict_of(std::get<1>(row)), std::get<2>(row), std::get<3>(row)});
    }
    return rows;
}

DoctorRows examine_services() {
    DoctorRows rows;
    std::optional<Client> client;
    try {
        client.emplace();
        rows.push_back({"session bus", Verdict::Pass, "there", ""});
    } catch (const Error &e) {
        rows.push_back(
            {"session bus", Verdict::Fail, e.what(), "install dbus-user-session and log in again"});
        return rows;
    }
    rows.push_back(user_manager(*client));
    try {
        if (client->daemon_running()) {
            rows.push_back(running_daemon(*client));
            DoctorRows told = diagnosis(*client);
            rows.insert(rows.end(), told.begin(), told.end());
        } else {
            rows.push_back(stopped_daemon(*client));
            rows.push_back(helper());
        }
    } catch (const Error &e) {
        rows.push_back({"bangerd", Verdict::Fail, e.what(), "journalctl --user -u bangerd"});
    }
    return rows;
}

} // namespace banger::cli
