#pragma once

#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/job/job.hpp"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::kernel {

/// A kernel that is there. Immutable.
struct Kernel {
    std::string name;            ///< "debian-6.1.0-56-cloud-amd64"
    std::string release;         ///< what `uname -r` says: "6.1.0-56-cloud-amd64"
    std::string package_version; ///< "6.1.192-2"
    std::string distro;          ///< "debian"
    std::string suite;           ///< "bookworm"
    std::string bundle;          ///< "sha256:…" of the bundle that it came in
    std::string digest;          ///< sha256 over the digests of its files
    std::uint64_t size = 0;      ///< bytes on the disk
    std::int64_t created = 0;    ///< seconds since the epoch
    std::filesystem::path directory;

    /// Uncompressed ELF with a PVH note: what Firecracker and QEMU's microvm start.
    std::filesystem::path vmlinux() const { return directory / "vmlinux"; }
    /// ext4, label "banger-modules", with usr/lib/modules/<release> in it: a layer as it is where
    /// the image's /lib is a link, and from its usr/ on where /lib is a directory.
    std::filesystem::path modules() const { return directory / "modules.ext4"; }
};

/// The kernels of one user, and the initramfs of each. Lives on the event loop's thread; what
/// blocks runs in banger-image-worker and apt.
///
///     kernels/<name>/{vmlinux,modules.ext4,boot-modules/,manifest.json}   published by rename,
///     never changed kernels/initramfs/<sha256 of all that is in it>.cpio kernels/tmp.* a pull
///     under way; removed at the next start
class Registry {
public:
    struct Settings {
        std::filesystem::path directory;  ///< Paths::kernels()
        std::filesystem::path worker;     ///< banger-image-worker
        std::filesystem::path init;       ///< banger-init, static
        std::filesystem::path agent;      ///< banger-vsock-agent, static
        std::filesystem::path blobs = {}; ///< bundles that have arrived: Paths::oci_blobs()
        /// Reads what can be made available; none: Debian's alone.
        std::function<catalog::Catalog()> catalog = {};
    };
    using JobFactory = std::function<std::shared_ptr<job::Job>(std::string, std::string)>;
    /// Names of the VMs and images that need this kernel.
    using InUse = std::function<std::vector<std::string>(const std::string &name)>;

    struct Observer {
        std::function<void(const Kernel &)> added;
        std::function<void(const std::string &name)> removed;
    };

    /// Reads the directory and removes what a killed run has left. Throws Error.
    Registry(EventLoop &loop, Settings settings, JobFactory new_job, InUse in_use);
    ~Registry();
    Registry(const Registry &) = delete;
    Registry &operator=(const Registry &) = delete;

    void observe(Observer observer);

    std::vector<Kernel> list() const;
    /// By full name, or by what can be pulled: "debian" and "debian-bookworm" mean the newest of
    /// that suite.
    std::optional<Kernel> find(std::string_view name) const;

    /// Names that pull() takes.
    static std::vector<std::string> available();

    /// The catalog's bundle of that name.
    std::optional<catalog::KernelEntry> find_bundle(std::string_view name) const;

    /// Fetches the catalog's bundle of that name, if there is one; else Debian's kernel by the apt
    /// sources that this host trusts; does nothing more when the newest is there, unless `anew`:
    /// then what there is is replaced at the end. A pull of it that is under way is returned as it
    /// is. Throws Error{NotFound} that lists what there is.
    std::shared_ptr<job::Job> pull(std::string_view name, bool anew = false);

    /// Throws Error{NotFound}, or Error{InvalidState} that names who needs it.
    void remove(std::string_view name);

    /// Calls back, later, with the initramfs for this kernel and the installed init and agent;
    /// makes it if need be.
    using InitramfsReady =
        std::function<void(std::optional<Error> error, const std::filesystem::path &initramfs)>;
    void initramfs(const Kernel &kernel, InitramfsReady ready);

private:
    class Pull;
    class BundlePull;
    class Assembly;
    friend class Pull;
    friend class BundlePull;
    friend class Assembly;

    void load();
    std::shared_ptr<job::Job> pull_bundle(const catalog::KernelEntry &entry, bool anew);
    void publish(Kernel kernel, const std::filesystem::path &temporary);

    EventLoop &loop_;
    Settings settings_;
    JobFactory new_job_;
    InUse in_use_;
    std::vector<Observer> observers_;
    std::map<std::string, Kernel, std::less<>> kernels_;
    std::map<std::string, std::shared_ptr<Pull>, std::less<>> pulls_;
    std::map<std::string, std::shared_ptr<BundlePull>, std::less<>> bundle_pulls_;
    std::map<std::string, std::shared_ptr<Assembly>, std::less<>> assemblies_;
};

} // namespace banger::kernel
