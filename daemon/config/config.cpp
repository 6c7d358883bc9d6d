#include "daemon/config/config.hpp"

#include "base/byte_size.hpp"
#include "base/error.hpp"

#include <sched.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <charconv>
#include <type_traits>

namespace banger::config {
namespace {

constexpr std::uint64_t floor_memory_mib = 512;
constexpr std::uint64_t ceiling_memory_mib = 8192;
constexpr std::uint32_t ceiling_vcpus = 4;

template <typename T>
Setting<T> sized(T derived, T floor, T ceiling) {
    if (derived < floor) {
        return {floor, Origin::BuiltIn};
    }
    return {std::min(derived, ceiling), Origin::HostDerived};
}

std::string text_of(const std::string &value) {
    return value;
}
std::string text_of(const std::filesystem::path &value) {
    return value.string();
}
std::string text_of(VmmChoice value) {
    return std::string(to_string(value));
}
std::string text_of(bool value) {
    return value ? "true" : "false";
}
std::string text_of(std::chrono::seconds value) {
    return value.count() == 0 ? "0" : fmt::format("{}s", value.count());
}
template <typename T>
requires std::is_integral_v<T> std::string text_of(T value) {
    return fmt::format("{}", value);
}

template <typename T>
Row row(std::string key, const Setting<T> &setting) {
    return {std::move(key), text_of(setting.value), setting.origin};
}
Row size_row(std::string key, const Setting<std::uint64_t> &setting) {
    return {std::move(key), format_byte_size(setting.value), setting.origin};
}

} // namespace

std::string_view to_string(Origin origin) noexcept {
    switch (origin) {
    case Origin::Config:
        return "config";
    case Origin::HostDerived:
        return "host-derived";
    case Origin::BuiltIn:
        return "built-in";
    }
    return "unknown";
}

std::string_view to_string(VmmChoice choice) noexcept {
    switch (choice) {
    case VmmChoice::Auto:
        return "auto";
    case VmmChoice::Firecracker:
        return "firecracker";
    case VmmChoice::Qemu:
        return "qemu";
    }
    return "unknown";
}

HostSize HostSize::of_this_host() {
    HostSize size;
    cpu_set_t set;
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        size.cpus = static_cast<std::uint32_t>(std::max(1, CPU_COUNT(&set)));
    }
    struct sysinfo info {};
    if (::sysinfo(&info) == 0) {
        size.memory_bytes = static_cast<std::uint64_t>(info.totalram) * info.mem_unit;
    }
    return size;
}

Config defaults(const HostSize &host) {
    Config config;
    config.default_image_name.value = "debian-bookworm";
    config.log_level.value = "info";
    config.stats_poll_interval.value = std::chrono::seconds{10};
    config.dns_port.value = 42069;
    config.vm_defaults.vcpu = sized<std::uint32_t>(host.cpus / 4, 1, ceiling_vcpus);
    config.vm_defaults.memory_mib =
        sized<std::uint64_t>(host.memory_bytes / 8 / MiB, floor_memory_mib, ceiling_memory_mib);
    config.vm_defaults.disk_bytes.value = 8 * GiB;
    config.vm_defaults.overlay_bytes.value = 8 * GiB;
    return config;
}

std::chrono::seconds parse_duration(std::string_view text) {
    std::uint32_t number = 0;
    const char *const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, number);
    const std::string_view unit{end, static_cast<std::size_t>(last - end)};
    constexpr std::uint32_t limit = 1U << 24U; // days: far below overflow
    if (error == std::errc{} && number <= limit) {
        const std::chrono::seconds count{number};
        if (unit.empty() || unit == "s") {
            return count;
        }
        if (unit == "m") {
            return count * 60;
        }
        if (unit == "h") {
            return count * 3600;
        }
        if (unit == "d") {
            return count * 86400;
        }
    }
    fail(ErrorCode::InvalidArgument,
         "'{}' is not a duration: use a number and s, m, h or d, as in \"30m\"", text);
}

std::vector<Row> rows(const Config &config) {
    const VmDefaults &vm = config.vm_defaults;
    return {
        row("default_image_name", config.default_image_name),
        row("ssh_key_path", config.ssh_key_path),
        row("firecracker_bin", config.firecracker_bin),
        row("qemu_bin", config.qemu_bin),
        row("vmm", config.vmm),
        row("log_level", config.log_level),
        row("auto_stop_stale_after", config.auto_stop_stale_after),
        row("stats_poll_interval", config.stats_poll_interval),
        row("vm_defaults.vcpu", vm.vcpu),
        row("vm_defaults.memory_mib", vm.memory_mib),
        size_row("vm_defaults.disk_size", vm.disk_bytes),
        size_row("vm_defaults.system_overlay_size", vm.overlay_bytes),
        row("vm_defaults.nat", vm.nat),
        row("network.dns_port", config.dns_port),
        row("network.allow_host", config.allow_host),
    };
}

} // namespace banger::config
