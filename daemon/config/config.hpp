#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::config {

/// Where a value comes from: config.toml, this host's size, or the program.
enum class Origin { Config, HostDerived, BuiltIn };
std::string_view to_string(Origin origin) noexcept;

/// A value and its origin.
template <typename T>
struct Setting {
    T value{};
    Origin origin = Origin::BuiltIn;
};

enum class VmmChoice { Auto, Firecracker, Qemu };
std::string_view to_string(VmmChoice choice) noexcept;

/// What the sizing defaults follow.
struct HostSize {
    std::uint32_t cpus = 1;
    std::uint64_t memory_bytes = 0;

    /// Of the CPUs that this process may use, and of the machine's RAM.
    static HostSize of_this_host();
};

/// One `[[file_sync]]` entry; paths as checked and expanded.
struct FileSync {
    std::filesystem::path host;  ///< absolute
    std::filesystem::path guest; ///< absolute, below /root
    std::optional<std::uint32_t> mode;
};

/// One `[[catalog]]` entry: exactly one of the two.
struct Catalog {
    std::string url;
    std::filesystem::path path;
};

/// One `[[registry]]` entry: how an OCI registry is reached.
struct OciRegistry {
    std::string host;                 ///< "docker.io", "localhost:5000"
    std::vector<std::string> mirrors; ///< asked first: host[:port] or http[s]://host[:port][/path]
    bool insecure = false;            ///< by plain HTTP
};

/// `[vm_defaults]`: what a VM gets that names nothing else.
struct VmDefaults {
    Setting<std::uint32_t> vcpu;
    Setting<std::uint64_t> memory_mib;
    Setting<std::uint64_t> disk_bytes;
    Setting<std::uint64_t> overlay_bytes;
    Setting<bool> nat;
};

/// config.toml with all defaults filled in. A value type; the daemon and the CLI read it alike.
struct Config {
    Setting<std::string> default_image_name;
    Setting<std::filesystem::path> ssh_key_path;    ///< absolute; empty: banger's own key
    Setting<std::filesystem::path> firecracker_bin; ///< absolute; empty: by PATH
    Setting<std::filesystem::path> qemu_bin;        ///< absolute; empty: by PATH
    Setting<VmmChoice> vmm;
    Setting<std::string> log_level;                      ///< as log::set_level() takes it
    Setting<std::chrono::seconds> auto_stop_stale_after; ///< 0: never
    Setting<std::chrono::seconds> stats_poll_interval;
    VmDefaults vm_defaults;
    Setting<std::uint16_t> dns_port;
    Setting<bool> allow_host;
    std::vector<FileSync> file_sync;
    std::vector<Catalog> catalogs;
    std::vector<OciRegistry> registries;
};

/// The defaults of a host of this size, as if there were no file.
Config defaults(const HostSize &host);

/// Reads the file; one that is not there is no error. An unknown key, a wrong type or a bad value
/// is Error{InvalidArgument} that names file, line and key.
Config load(const std::filesystem::path &file, const HostSize &host);
/// The same from text; `name` stands for the file in messages.
Config parse(std::string_view text, const std::string &name, const HostSize &host);

/// A row of `banger config show`.
struct Row {
    std::string key; ///< "vm_defaults.memory_mib"
    std::string value;
    Origin origin;
};
std::vector<Row> rows(const Config &config);

/// "90s", "15m", "2h", "1d", "500" (seconds), "0". Throws Error{InvalidArgument} that quotes the
/// text.
std::chrono::seconds parse_duration(std::string_view text);

} // namespace banger::config
