#pragma once

#include "base/names.hpp"

#include <filesystem>
#include <string_view>

namespace banger {

/// Where banger keeps things for one user (XDG Base Directory Specification: a relative value in
/// the environment is ignored). A value type: tests build one of their own.
struct Paths {
    std::filesystem::path config;  ///< ~/.config/banger: config.toml, ssh_config
    std::filesystem::path state;   ///< ~/.local/state/banger: state.db, keys, images, kernels, vms
    std::filesystem::path cache;   ///< ~/.cache/banger: may be deleted at any time
    std::filesystem::path runtime; ///< $XDG_RUNTIME_DIR/banger: sockets; gone at logout

    std::filesystem::path config_file() const { return config / "config.toml"; }
    std::filesystem::path database() const { return state / "state.db"; }
    std::filesystem::path images() const { return state / "images"; }
    /// Layers of OCI images, by digest.
    std::filesystem::path oci_blobs() const { return cache / "oci"; }
    std::filesystem::path kernels() const { return state / "kernels"; }
    std::filesystem::path ssh() const { return state / "ssh"; }
    /// Disks and config of one VM.
    std::filesystem::path vm_state(const VmName &name) const { return state / "vms" / name.str(); }
    /// machine.json, sockets and last-exit of one VM; short, because sun_path holds 108 bytes.
    std::filesystem::path vm_runtime(const VmName &name) const {
        return runtime / "vm" / name.str();
    }

    /// From HOME, XDG_* and the password database. Throws Error when there is no XDG_RUNTIME_DIR.
    static Paths for_this_user();
};

/// The home directory of the user: $HOME if absolute, else the password database's.
std::filesystem::path home_directory();

} // namespace banger
