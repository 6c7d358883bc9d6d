#include "daemon/bus/object_paths.hpp"

#include "base/error.hpp"

#include <systemd/sd-bus.h>

#include <cstdlib>
#include <memory>

namespace banger::bus {
namespace {

struct Free {
    void operator()(char *text) const { std::free(text); }
};

sdbus::ObjectPath encoded(const char *prefix, const std::string &name) {
    char *path = nullptr;
    if (const int error = sd_bus_path_encode(prefix, name.c_str(), &path); error < 0) {
        throw_errno("make an object path", -error);
    }
    const std::unique_ptr<char, Free> owned(path);
    return sdbus::ObjectPath{owned.get()};
}

} // namespace

sdbus::ObjectPath vm_path(const std::string &name) {
    return encoded("/org/banger/Manager/vm", name);
}
sdbus::ObjectPath image_path(const std::string &name) {
    return encoded("/org/banger/Manager/image", name);
}
sdbus::ObjectPath kernel_path(const std::string &name) {
    return encoded("/org/banger/Manager/kernel", name);
}
sdbus::ObjectPath job_path(std::uint32_t id) {
    return sdbus::ObjectPath{fmt::format("/org/banger/Manager/job/{}", id)};
}
sdbus::ObjectPath unit_path(const std::string &unit) {
    return encoded("/org/freedesktop/systemd1/unit", unit);
}

} // namespace banger::bus
