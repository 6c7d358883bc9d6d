#include "daemon/vmm/machine.hpp"

#include "base/error.hpp"
#include "base/names.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace banger::vmm {
namespace {

using Json = nlohmann::ordered_json;

constexpr int version = 1;
constexpr std::uint64_t max_memory_mib = 1U << 24U;
constexpr std::size_t max_disks = 8;

[[noreturn]] void refuse(const std::string &what) {
    fail(ErrorCode::InvalidArgument, "the description of the machine is not usable: {}", what);
}

/// Takes the members of one object by name; finish() refuses what nobody asked for.
class Members {
public:
    Members(const Json &object, std::string where) : object_(object), where_(std::move(where)) {
        if (!object_.is_object()) {
            refuse(fmt::format("{} is not an object", where_));
        }
    }

    const Json *find(const char *key) {
        known_.insert(key);
        const auto found = object_.find(key);
        return found == object_.end() ? nullptr : &*found;
    }
    const Json &get(const char *key) {
        const Json *value = find(key);
        if (value == nullptr) {
            refuse(fmt::format("{} lacks '{}'", where_, key));
        }
        return *value;
    }
    std::string text(const char *key) {
        const Json &value = get(key);
        if (!value.is_string()) {
            refuse(fmt::format("'{}' of {} is not a string", key, where_));
        }
        return value.get<std::string>();
    }
    bool flag(const char *key) {
        const Json &value = get(key);
        if (!value.is_boolean()) {
            refuse(fmt::format("'{}' of {} is neither true nor false", key, where_));
        }
        return value.get<bool>();
    }
    std::uint64_t number(const char *key, std::uint64_t lowest, std::uint64_t highest) {
        const Json &value = get(key);
        if (!value.is_number_unsigned()) {
            refuse(fmt::format("'{}' of {} is not a positive number", key, where_));
        }
        const auto n = value.get<std::uint64_t>();
        if (n < lowest || n > highest) {
            refuse(fmt::format("'{}' of {} is {}, not {} to {}", key, where_, n, lowest, highest));
        }
        return n;
    }
    std::filesystem::path absolute_path(const char *key) {
        std::filesystem::path path = text(key);
        if (!path.is_absolute() || path.string().find('\0') != std::string::npos) {
            refuse(fmt::format("'{}' of {} is not an absolute path", key, where_));
        }
        return path;
    }
    void finish() const {
        for (const auto &[key, value] : object_.items()) {
            if (known_.find(key) == known_.end()) {
                refuse(fmt::format("{} has the unknown member '{}'", where_, key));
            }
        }
    }

private:
    const Json &object_;
    std::string where_;
    std::set<std::string, std::less<>> known_;
};

Disk disk_from(const Json &json) {
    Members members(json, "a disk");
    Disk disk{
        .id = members.text("id"),
        .path = members.absolute_path("path"),
        .read_only = members.flag("read_only"),
    };
    members.finish();
    const auto lower = [](char c) { return c >= 'a' && c <= 'z'; };
    if (disk.id.empty() || disk.id.size() > 16 ||
        !std::all_of(disk.id.begin(), disk.id.end(), lower)) {
        refuse(fmt::format("the disk id '{}' is not 1 to 16 letters a-z", disk.id));
    }
    return disk;
}

Nic nic_from(const Json &json) {
    Members members(json, "the nic");
    Nic nic{.tap = members.text("tap"), .mac = members.text("mac")};
    members.finish();
    const auto tap_character = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    if (nic.tap.empty() || nic.tap.size() > 15 ||
        !std::all_of(nic.tap.begin(), nic.tap.end(), tap_character)) {
        refuse(fmt::format("'{}' is no name of a tap", nic.tap));
    }
    bool well_formed = nic.mac.size() == 17;
    for (std::size_t i = 0; well_formed && i < nic.mac.size(); ++i) {
        const char c = nic.mac[i];
        well_formed = i % 3 == 2 ? c == ':' : (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    }
    if (!well_formed) {
        refuse(fmt::format("'{}' is no MAC address like 06:00:ac:10:00:02", nic.mac));
    }
    return nic;
}

Kind kind_from(const std::string &text) {
    for (const Kind kind : {Kind::Firecracker, Kind::Qemu}) {
        if (text == to_string(kind)) {
            return kind;
        }
    }
    refuse(fmt::format("the VMM '{}' is not known", text));
}

Accelerator accelerator_from(const std::string &text) {
    for (const Accelerator accelerator : {Accelerator::Kvm, Accelerator::Tcg}) {
        if (text == to_string(accelerator)) {
            return accelerator;
        }
    }
    refuse(fmt::format("the accelerator '{}' is not known", text));
}

} // namespace

std::string_view to_string(Kind kind) noexcept {
    return kind == Kind::Firecracker ? "firecracker" : "qemu";
}

std::string_view to_string(Accelerator accelerator) noexcept {
    return accelerator == Accelerator::Kvm ? "kvm" : "tcg";
}

std::string to_json(const Machine &machine) {
    Json disks = Json::array();
    for (const Disk &disk : machine.disks) {
        disks.push_back(
            {{"id", disk.id}, {"path", disk.path.string()}, {"read_only", disk.read_only}});
    }
    Json json{
        {"version", version},
        {"name", machine.name},
        {"vmm", to_string(machine.kind)},
        {"accelerator", to_string(machine.accelerator)},
        {"binary", machine.binary.string()},
        {"vcpus", machine.vcpus},
        {"memory_mib", machine.memory_mib},
        {"kernel", machine.kernel.string()},
        {"initrd", machine.initrd.string()},
        {"extra_command_line", machine.extra_command_line},
        {"disks", std::move(disks)},
        {"confined", machine.confined},
        {"runtime_directory", machine.runtime_directory.string()},
        {"state_directory", machine.state_directory.string()},
    };
    if (machine.nic) {
        json["nic"] = {{"tap", machine.nic->tap}, {"mac", machine.nic->mac}};
    }
    return json.dump(2) + "\n";
}

Machine machine_from_json(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (json.is_discarded()) {
        refuse("it is not JSON");
    }
    Members members(json, "it");
    members.number("version", version, version);
    Machine machine{
        .name = VmName(members.text("name")).str(),
        .kind = kind_from(members.text("vmm")),
        .accelerator = accelerator_from(members.text("accelerator")),
        .binary = members.absolute_path("binary"),
        .vcpus = static_cast<std::uint32_t>(members.number("vcpus", 1, 32)),
        .memory_mib = members.number("memory_mib", 1, max_memory_mib),
        .kernel = members.absolute_path("kernel"),
        .initrd = members.absolute_path("initrd"),
        .extra_command_line = members.text("extra_command_line"),
        .disks = {},
        .nic = {},
        .confined = members.flag("confined"),
        .runtime_directory = members.absolute_path("runtime_directory"),
        .state_directory = members.absolute_path("state_directory"),
    };
    const Json &disks = members.get("disks");
    if (!disks.is_array() || disks.size() > max_disks) {
        refuse(fmt::format("'disks' is not a list of at most {}", max_disks));
    }
    std::set<std::string, std::less<>> ids;
    for (const Json &disk : disks) {
        machine.disks.push_back(disk_from(disk));
        if (!ids.insert(machine.disks.back().id).second) {
            refuse(fmt::format("two disks are called '{}'", machine.disks.back().id));
        }
    }
    if (const Json *nic = members.find("nic"); nic != nullptr) {
        machine.nic = nic_from(*nic);
    }
    members.finish();
    if (machine.kind == Kind::Firecracker && machine.accelerator != Accelerator::Kvm) {
        refuse("Firecracker needs KVM");
    }
    return machine;
}

} // namespace banger::vmm
