#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"
#include "base/names.hpp"
#include "daemon/config/config.hpp"
#include "daemon/config/file_sync.hpp"
#include "daemon/config/shape.hpp"

#include <toml++/toml.h>

#include <set>

namespace banger::config {
namespace {

/// Reads one table: each key that may be there is asked for once; finish() refuses the rest.
class TableReader {
public:
    TableReader(const toml::table &table, std::string file, std::string prefix)
        : table_(table), file_(std::move(file)), prefix_(std::move(prefix)) {}

    /// Reads `key` if it is there and hands its value to `use`; an Error of `use` gets the place.
    template <typename T, typename Use>
    void read(std::string_view key, std::string_view type, Use use) {
        known_.emplace(key);
        const toml::node *node = table_.get(key);
        if (node == nullptr) {
            return;
        }
        const auto value = node->value_exact<T>();
        if (!value) {
            refuse(*node, key, fmt::format("must be {}", type));
        }
        try {
            use(*value);
        } catch (const Error &e) {
            refuse(*node, key, e.what());
        }
    }
    template <typename Use>
    void text(std::string_view key, Use use) {
        read<std::string>(key, "a string", use);
    }
    template <typename Use>
    void number(std::string_view key, std::int64_t low, std::int64_t high, Use use) {
        read<std::int64_t>(key, "a whole number", [&](std::int64_t value) {
            if (value < low || value > high) {
                fail(ErrorCode::InvalidArgument, "cannot be {}: use {} to {}", value, low, high);
            }
            use(value);
        });
    }
    void flag(std::string_view key, Setting<bool> &target) {
        read<bool>(key, "true or false", [&](bool value) { target = {value, Origin::Config}; });
    }
    void flag(std::string_view key, bool &target) {
        read<bool>(key, "true or false", [&](bool value) { target = value; });
    }
    void texts(std::string_view key, std::vector<std::string> &target) {
        known_.emplace(key);
        const toml::node *node = table_.get(key);
        if (node == nullptr) {
            return;
        }
        if (!node->is_array() || !node->as_array()->is_homogeneous(toml::node_type::string)) {
            refuse(*node, key, "must be a list of strings");
        }
        for (const toml::node &element : *node->as_array()) {
            target.push_back(element.ref<std::string>());
        }
    }

    /// A sub-table; `read_table` gets a reader of it.
    template <typename ReadTable>
    void table(std::string_view key, ReadTable read_table) {
        known_.emplace(key);
        const toml::node *node = table_.get(key);
        if (node == nullptr) {
            return;
        }
        if (!node->is_table()) {
            refuse(*node, key, fmt::format("must be a table, [{}]", key));
        }
        TableReader reader(*node->as_table(), file_, fmt::format("{}{}.", prefix_, key));
        read_table(reader);
        reader.finish();
    }
    /// An array of tables; `read_entry` gets a reader of each.
    template <typename ReadEntry>
    void entries(std::string_view key, ReadEntry read_entry) {
        known_.emplace(key);
        const toml::node *node = table_.get(key);
        if (node == nullptr) {
            return;
        }
        if (!node->is_array_of_tables()) {
            refuse(*node, key, fmt::format("must be written as [[{}]]", key));
        }
        std::size_t index = 0;
        for (const toml::node &element : *node->as_array()) {
            TableReader reader(*element.as_table(), file_,
                               fmt::format("{}{}[{}].", prefix_, key, index++));
            read_entry(reader);
            reader.finish();
        }
    }

    void finish() const {
        for (const auto &[key, node] : table_) {
            if (!known_.contains(std::string(key.str()))) {
                refuse(node, key.str(), "is not known");
            }
        }
    }
    [[noreturn]] void refuse_table(std::string_view why) const {
        fail(ErrorCode::InvalidArgument, "{}:{}: {} {}", file_, table_.source().begin.line,
             prefix_.substr(0, prefix_.size() - 1), why);
    }

private:
    [[noreturn]] void refuse(const toml::node &node, std::string_view key,
                             std::string_view why) const {
        fail(ErrorCode::InvalidArgument, "{}:{}: {}{}: {}", file_, node.source().begin.line,
             prefix_, key, why);
    }

    const toml::table &table_;
    std::string file_;
    std::string prefix_;
    std::set<std::string, std::less<>> known_;
};

void read_path(TableReader &reader, std::string_view key, Setting<std::filesystem::path> &target) {
    reader.text(key, [&](const std::string &text) {
        target = {expand_host_path(text), Origin::Config};
    });
}

void read_duration(TableReader &reader, std::string_view key,
                   Setting<std::chrono::seconds> &target) {
    reader.text(key, [&](const std::string &text) {
        target = {parse_duration(text), Origin::Config};
    });
}

void read_size(TableReader &reader, std::string_view key, Setting<std::uint64_t> &target) {
    reader.text(key, [&](const std::string &text) {
        target = {parse_byte_size(text), Origin::Config};
        if (target.value < min_disk_bytes || target.value > max_disk_bytes) {
            fail(ErrorCode::InvalidArgument, "cannot be {}: use {} to {}", text,
                 format_byte_size(min_disk_bytes), format_byte_size(max_disk_bytes));
        }
    });
}

VmmChoice parse_vmm(const std::string &text) {
    for (const auto choice : {VmmChoice::Auto, VmmChoice::Firecracker, VmmChoice::Qemu}) {
        if (to_string(choice) == text) {
            return choice;
        }
    }
    fail(ErrorCode::InvalidArgument, "'{}' is no VMM: use auto, firecracker or qemu", text);
}

std::string checked_log_level(const std::string &text) {
    constexpr std::string_view levels[] = {"err", "warning", "notice", "info", "debug"};
    for (const auto level : levels) {
        if (level == text) {
            return text;
        }
    }
    fail(ErrorCode::InvalidArgument,
         "'{}' is not a log level: use err, warning, notice, info or debug", text);
}

void read_vm_defaults(TableReader &reader, VmDefaults &vm, const HostSize &host) {
    reader.number("vcpu", min_vcpus, max_vcpus, [&](std::int64_t value) {
        vm.vcpu = {static_cast<std::uint32_t>(value), Origin::Config};
    });
    reader.number("memory_mib", static_cast<std::int64_t>(min_memory_mib),
                  static_cast<std::int64_t>(host.memory_bytes / MiB), [&](std::int64_t value) {
                      vm.memory_mib = {static_cast<std::uint64_t>(value), Origin::Config};
                  });
    read_size(reader, "disk_size", vm.disk_bytes);
    read_size(reader, "system_overlay_size", vm.overlay_bytes);
    reader.flag("nat", vm.nat);
}

void read_file_sync(TableReader &reader, std::vector<FileSync> &entries) {
    FileSync entry;
    reader.text("host", [&](const std::string &text) { entry.host = expand_host_path(text); });
    reader.text("guest", [&](const std::string &text) { entry.guest = expand_guest_path(text); });
    reader.text("mode", [&](const std::string &text) { entry.mode = parse_mode(text); });
    if (entry.host.empty() || entry.guest.empty()) {
        reader.refuse_table("needs 'host' and 'guest'");
    }
    entries.push_back(std::move(entry));
}

void read_catalog(TableReader &reader, std::vector<Catalog> &entries) {
    Catalog entry;
    reader.text("url", [&](const std::string &text) {
        if (!text.starts_with("https://") && !text.starts_with("http://")) {
            fail(ErrorCode::InvalidArgument, "'{}' is no http or https URL", text);
        }
        entry.url = text;
    });
    reader.text("path", [&](const std::string &text) { entry.path = expand_host_path(text); });
    if (entry.url.empty() == entry.path.empty()) {
        reader.refuse_table("needs either 'url' or 'path'");
    }
    entries.push_back(std::move(entry));
}

void read_registry(TableReader &reader, std::vector<OciRegistry> &entries) {
    OciRegistry entry;
    reader.text("host", [&](const std::string &text) {
        if (text.empty() || text.find('/') != std::string::npos) {
            fail(ErrorCode::InvalidArgument, "'{}' is no registry: write HOST or HOST:PORT", text);
        }
        entry.host = text;
    });
    reader.texts("mirrors", entry.mirrors);
    reader.flag("insecure", entry.insecure);
    if (entry.host.empty()) {
        reader.refuse_table("needs 'host'");
    }
    entries.push_back(std::move(entry));
}

} // namespace

Config parse(std::string_view text, const std::string &name, const HostSize &host) {
    toml::table table;
    try {
        table = toml::parse(text, name);
    } catch (const toml::parse_error &e) {
        fail(ErrorCode::InvalidArgument, "{}:{}: {}", name, e.source().begin.line, e.description());
    }
    Config config = defaults(host);
    TableReader reader(table, name, "");
    reader.text("default_image_name", [&](const std::string &value) {
        config.default_image_name = {ArtifactName("image", value).str(), Origin::Config};
    });
    read_path(reader, "ssh_key_path", config.ssh_key_path);
    read_path(reader, "firecracker_bin", config.firecracker_bin);
    read_path(reader, "qemu_bin", config.qemu_bin);
    reader.text("vmm", [&](const std::string &value) {
        config.vmm = {parse_vmm(value), Origin::Config};
    });
    reader.text("log_level", [&](const std::string &value) {
        config.log_level = {checked_log_level(value), Origin::Config};
    });
    read_duration(reader, "auto_stop_stale_after", config.auto_stop_stale_after);
    read_duration(reader, "stats_poll_interval", config.stats_poll_interval);
    reader.table("vm_defaults",
                 [&](TableReader &vm) { read_vm_defaults(vm, config.vm_defaults, host); });
    reader.table("network", [&](TableReader &network) {
        network.number("dns_port", 1024, 65535, [&](std::int64_t value) {
            config.dns_port = {static_cast<std::uint16_t>(value), Origin::Config};
        });
        network.flag("allow_host", config.allow_host);
    });
    reader.entries("file_sync",
                   [&](TableReader &entry) { read_file_sync(entry, config.file_sync); });
    reader.entries("registry",
                   [&](TableReader &entry) { read_registry(entry, config.registries); });
    reader.entries("catalog", [&](TableReader &entry) { read_catalog(entry, config.catalogs); });
    reader.finish();
    return config;
}

Config load(const std::filesystem::path &file, const HostSize &host) {
    std::string text;
    try {
        constexpr std::size_t limit = 1U << 20U;
        text = read_file(file, limit);
    } catch (const Error &e) {
        if (e.code() != ErrorCode::NotFound) {
            throw;
        }
        return defaults(host);
    }
    return parse(text, file.string(), host);
}

} // namespace banger::config
