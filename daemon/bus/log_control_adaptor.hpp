#pragma once

#include "base/log.hpp"
#include "dbus/compat.hpp"
#include "dbus/guard.hpp"

#include <org.freedesktop.LogControl1_adaptor.hpp>

namespace banger::bus {

/// org.freedesktop.LogControl1(5): `systemctl --user service-log-level bangerd debug`.
class LogControlAdaptor final
    : public sdbus::AdaptorInterfaces<org::freedesktop::LogControl1_adaptor> {
public:
    explicit LogControlAdaptor(sdbus::IConnection &bus)
        : AdaptorInterfaces(bus, sdbus::ObjectPath{"/org/freedesktop/LogControl1"}) {
        registerAdaptor();
    }
    ~LogControlAdaptor() { unregisterAdaptor(); }
    LogControlAdaptor(const LogControlAdaptor &) = delete;
    LogControlAdaptor &operator=(const LogControlAdaptor &) = delete;

private:
    std::string LogLevel() override { return std::string(log::level_name()); }
    void LogLevel(const std::string &value) override {
        guard([&] { log::set_level(value); });
    }
    std::string LogTarget() override { return "journal"; }
    void LogTarget(const std::string &value) override {
        guard([&] {
            if (value != "journal" && value != "auto") {
                fail(ErrorCode::Unsupported, "bangerd logs to the journal, not to '{}'", value);
            }
        });
    }
    std::string SyslogIdentifier() override { return "bangerd"; }
};

} // namespace banger::bus
