#pragma once

#include "dbus/compat.hpp"

#include <cstdint>
#include <string>

namespace banger::bus {

inline constexpr const char *manager_path = "/org/banger/Manager";
inline constexpr const char *manager_name = "org.banger.Manager";

/// "/org/banger/Manager/vm/my_2dvm" and the like: names are encoded as by sd_bus_path_encode(3).
sdbus::ObjectPath vm_path(const std::string &name);
sdbus::ObjectPath image_path(const std::string &name);
sdbus::ObjectPath kernel_path(const std::string &name);
sdbus::ObjectPath job_path(std::uint32_t id);
/// The object of a unit at systemd's manager.
sdbus::ObjectPath unit_path(const std::string &unit);

} // namespace banger::bus
