#include "cli/sizing.hpp"

#include "base/byte_size.hpp"
#include "base/names.hpp"
#include "base/paths.hpp"
#include "cli/artifacts.hpp"
#include "cli/verbs.hpp"

#include <limits>

namespace banger::cli {
namespace {

constexpr const char *group = "The machine";

// Help must come whatever is wrong with the file; the action itself then reports it.
config::VmDefaults defaults_for_help() {
    const auto host = config::HostSize::of_this_host();
    try {
        return load_config().vm_defaults;
    } catch (const Error &) {
        return config::defaults(host).vm_defaults;
    }
}

std::uint64_t parse_memory_mib(const std::string &text) {
    // A bare number is in MiB, as memory_mib in config.toml.
    const bool bare = text.find_first_not_of("0123456789") == std::string::npos;
    const std::uint64_t bytes = parse_byte_size(bare ? text + "M" : text);
    if (bytes % MiB != 0) {
        fail(ErrorCode::InvalidArgument, "--memory {} is no whole number of MiB", text);
    }
    return bytes / MiB;
}

std::uint64_t parse_size(const char *flag, const std::string &text) {
    try {
        return parse_byte_size(text);
    } catch (const Error &e) {
        throw e.with_context(flag);
    }
}

} // namespace

config::Config load_config() {
    return config::load(Paths::for_this_user().config_file(), config::HostSize::of_this_host());
}

void add_vm_flags(CLI::App &verb, VmFlags &flags) {
    const config::VmDefaults defaults = defaults_for_help();
    verb.add_option("--name", flags.name, "Name of the VM (default: a generated one)")
        ->type_name("NAME")
        ->group(group);
    verb.add_option("--image", flags.image,
                    "Image to boot, or an OCI reference (default: default_image_name)")
        ->type_name(kind::image)
        ->group(group);
    verb.add_option("--kernel", flags.kernel, "Kernel to boot (default: the image's)")
        ->type_name(kind::kernel)
        ->group(group);
    verb.add_option("--vcpu", flags.vcpu,
                    fmt::format("Virtual CPUs (default: {}, {})", defaults.vcpu.value,
                                config::to_string(defaults.vcpu.origin)))
        ->type_name("N")
        ->group(group);
    verb.add_option("--memory", flags.memory,
                    fmt::format("Memory, as 4G or in MiB (default: {}, {})",
                                format_byte_size(defaults.memory_mib.value * MiB),
                                config::to_string(defaults.memory_mib.origin)))
        ->type_name("SIZE")
        ->group(group);
    verb.add_option("--disk-size", flags.disk_size,
                    fmt::format("Disk at /root (default: {}, {})",
                                format_byte_size(defaults.disk_bytes.value),
                                config::to_string(defaults.disk_bytes.origin)))
        ->type_name("SIZE")
        ->group(group);
    verb.add_option("--system-overlay-size", flags.system_overlay_size,
                    fmt::format("What the system may grow by (default: {}, {})",
                                format_byte_size(defaults.overlay_bytes.value),
                                config::to_string(defaults.overlay_bytes.origin)))
        ->type_name("SIZE")
        ->group(group);
    auto *nat = verb.add_flag("--nat", flags.nat, "Let the VM reach the outside")->group(group);
    verb.add_flag("--no-nat", flags.no_nat, "Keep it in, whatever config.toml says")
        ->group(group)
        ->excludes(nat);
    verb.add_flag("--allow-host", flags.allow_host, "Let the VM reach this host's services")
        ->group(group);
}

VmSpec resolve(const VmFlags &flags, const config::Config &config, const config::HostSize &host) {
    VmSpec spec;
    spec.name = flags.name.empty() ? "" : VmName(flags.name).str();
    spec.image =
        flags.image.empty() ? config.default_image_name.value : with_absolute_path(flags.image);
    spec.kernel = flags.kernel;
    spec.shape = config::default_shape(config);
    if (flags.vcpu) {
        if (*flags.vcpu < config::min_vcpus || *flags.vcpu > config::max_vcpus) {
            fail(ErrorCode::InvalidArgument, "a VM cannot have {} vCPUs: use --vcpu {} to {}",
                 *flags.vcpu, config::min_vcpus, config::max_vcpus);
        }
        spec.shape.vcpus = static_cast<std::uint32_t>(*flags.vcpu);
    }
    if (!flags.memory.empty()) {
        spec.shape.memory_mib = parse_memory_mib(flags.memory);
    }
    if (!flags.disk_size.empty()) {
        spec.shape.disk_bytes = parse_size("--disk-size", flags.disk_size);
    }
    if (!flags.system_overlay_size.empty()) {
        spec.shape.overlay_bytes = parse_size("--system-overlay-size", flags.system_overlay_size);
    }
    config::validate(spec.shape, host);
    spec.nat = !flags.no_nat && (flags.nat || config.vm_defaults.nat.value);
    spec.allow_host = flags.allow_host || config.allow_host.value;
    return spec;
}

Properties create_options(const VmSpec &spec) {
    Properties options{
        {"image", sdbus::Variant{spec.image}},
        {"vcpus", sdbus::Variant{spec.shape.vcpus}},
        {"memory_mib", sdbus::Variant{spec.shape.memory_mib}},
        {"disk_bytes", sdbus::Variant{spec.shape.disk_bytes}},
        {"overlay_bytes", sdbus::Variant{spec.shape.overlay_bytes}},
        {"nat", sdbus::Variant{spec.nat}},
        {"allow_host", sdbus::Variant{spec.allow_host}},
    };
    if (!spec.kernel.empty()) {
        options.emplace("kernel", sdbus::Variant{spec.kernel});
    }
    return options;
}

std::string spec_line(const VmSpec &spec) {
    return fmt::format("spec: {} vCPU, {} memory, {} disk, image {}{}{}", spec.shape.vcpus,
                       format_byte_size(spec.shape.memory_mib * MiB),
                       format_byte_size(spec.shape.disk_bytes), spec.image,
                       spec.nat ? ", NAT" : ", no NAT: it cannot reach the outside (--nat)",
                       spec.allow_host ? ", may reach this host" : "");
}

} // namespace banger::cli
