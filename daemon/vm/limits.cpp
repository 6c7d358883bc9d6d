#include "daemon/vm/limits.hpp"

#include "base/byte_size.hpp"

namespace banger::vm {

UnitLimits unit_limits(std::uint32_t vcpus, std::uint64_t memory_mib, vmm::Kind kind,
                       vmm::Accelerator accelerator) {
    // Supervisor, page tables of the guest's memory, the page cache that is being written.
    std::uint64_t overhead_mib = 96 + memory_mib / 32;
    overhead_mib += kind == vmm::Kind::Qemu ? 160 : 32;
    if (accelerator == vmm::Accelerator::Tcg) {
        overhead_mib += 512; // the translation cache (tb-size=) and its bookkeeping
    }
    constexpr std::uint64_t usec_per_sec = 1'000'000;
    // One CPU more than the guest has: I/O threads and the supervisor's copying.
    return {(memory_mib + overhead_mib) * MiB, (vcpus + 1ULL) * usec_per_sec,
            128ULL + 4ULL * vcpus};
}

} // namespace banger::vm
