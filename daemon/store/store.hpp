#pragma once

#include "base/error.hpp"
#include "base/names.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::store {

/// Where a record is in its life. What a killed daemon left in Creating or Deleting is removed at
/// the next start.
enum class Phase { Creating, Ready, Deleting };

/// One VM as it is remembered. Whether it runs is the unit's business, not the record's.
struct VmRecord {
    explicit VmRecord(VmName vm_name) : name(std::move(vm_name)) {}

    VmName name;
    std::string id; ///< 32 hexadecimal digits, never used again
    Phase phase = Phase::Creating;
    std::string image;
    std::string image_digest;
    std::string kernel; ///< full name of the kernel
    std::uint32_t vcpus = 0;
    std::uint64_t memory_mib = 0;
    std::uint64_t disk_bytes = 0;
    std::uint64_t overlay_bytes = 0;
    bool nat = false;
    bool allow_host = false;
    std::string workspace;
    std::uint8_t host_number = 0; ///< last octet of its address, 2 to 254, unique
    std::string machine_id;       ///< for /etc/machine-id
    std::uint64_t created_usec = 0;
    std::uint64_t started_usec = 0; ///< 0: never
    std::uint64_t boot_generation = 0;
    std::string vmm;        ///< of the last start: "firecracker", "qemu"
    std::string vmm_reason; ///< why that one
    std::optional<Error> last_error;
};

/// The records, in SQLite (WAL, foreign keys). One thread; every call is one transaction.
class Store {
public:
    /// Opens or makes the database and brings it to this version. Throws Error{StateCorrupt} for
    /// one that is damaged or of a newer banger; the file is then left as it is.
    explicit Store(const std::filesystem::path &file);
    ~Store();
    Store(const Store &) = delete;
    Store &operator=(const Store &) = delete;

    /// Sorted by name.
    std::vector<VmRecord> vms();
    std::optional<VmRecord> find_vm(const VmName &name);
    /// Throws Error{AlreadyExists} when the name or the host number is taken.
    void insert(const VmRecord &record);
    /// Replaces the record of that name. Throws Error{NotFound}.
    void update(const VmRecord &record);
    void remove(const VmName &name);

    /// Small facts that must survive the daemon, by key.
    std::optional<std::string> fact(std::string_view key);
    void set_fact(std::string_view key, std::string_view value);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace banger::store
