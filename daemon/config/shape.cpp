#include "daemon/config/shape.hpp"

#include "base/byte_size.hpp"
#include "base/error.hpp"

namespace banger::config {
namespace {

void validate_disk(std::string_view what, std::uint64_t bytes) {
    if (bytes < min_disk_bytes || bytes > max_disk_bytes) {
        fail(ErrorCode::InvalidArgument, "{} cannot be {}: use {} to {}", what,
             format_byte_size(bytes), format_byte_size(min_disk_bytes),
             format_byte_size(max_disk_bytes));
    }
}

} // namespace

Shape default_shape(const Config &config) {
    const VmDefaults &vm = config.vm_defaults;
    return {vm.vcpu.value, vm.memory_mib.value, vm.disk_bytes.value, vm.overlay_bytes.value};
}

void validate(const Shape &shape, const HostSize &host) {
    if (shape.vcpus < min_vcpus || shape.vcpus > max_vcpus) {
        fail(ErrorCode::InvalidArgument, "a VM cannot have {} vCPUs: use {} to {}", shape.vcpus,
             min_vcpus, max_vcpus);
    }
    const std::uint64_t host_mib = host.memory_bytes / MiB;
    if (shape.memory_mib < min_memory_mib) {
        fail(ErrorCode::InvalidArgument, "{} MiB of memory are too few to boot: use {} MiB or more",
             shape.memory_mib, min_memory_mib);
    }
    if (shape.memory_mib > host_mib) {
        fail(ErrorCode::InvalidArgument, "a VM cannot have {} MiB of memory: this host has {} MiB",
             shape.memory_mib, host_mib);
    }
    validate_disk("the disk", shape.disk_bytes);
    validate_disk("the system overlay", shape.overlay_bytes);
}

} // namespace banger::config
