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
    std::string source;          ///< where it came from, for people
    std::string bundle;          ///< "sha256:…" of the bundle that it came in
    std::string digest;          ///< sha256 over the digests of its files
    std::uint64_t size = 0;      ///< bytes on the disk
    std::int64_t created = 0;    ///< seconds since the epoch
    /// Pulled as the newest of its suite, and so what the suite's name may mean.
    bool newest_of_suite = false;
    bool has_modules = true; ///< else all that it has is built in
    bool has_initrd = false; ///< one of the user's own, unpacked before banger's
    /// Modules that VMs, or Docker in them, would use, and that it has in no form.
    std::vector<std::string> missing;
    /// Whether all of them could be looked for; else something may be missing that is not named.
    bool features_known = true;
    std::filesystem::path directory;

    /// Uncompressed ELF with a PVH note: what Firecracker and QEMU's microvm start.
    std::filesystem::path vmlinux() const { return directory / "vmlinux"; }
    /// ext4, label "banger-modules", with usr/lib/modules/<release> in it: a layer as it is where
    /// the image's /lib is a link, and from its usr/ on where /lib is a directory.
    std::filesystem::path modules() const { return directory / "modules.ext4"; }
    bool lacks(std::string_view module) const;
};

/// A kernel of the user's own. All paths are absolute.
struct ImportRequest {
    std::string name;
    std::filesystem::path from;    ///< vmlinux, bzImage, or a directory that holds one
    std::filesystem::path modules; ///< a directory; empty: what `from` holds
    std::filesystem::path initrd;  ///< empty: none
    std::string distro;            ///< a note of the user's: "fedora"
    bool force = false;            ///< replaces a kernel of that name which nobody needs

    bool operator==(const ImportRequest &) const = default;
};

/// A kernel of Debian's archive, as its lists have it.
struct ArchiveKernel {
    std::string name;    ///< as pull() takes it
    std::string version; ///< of its package
    std::string suite;
};

/// The kernels of one user, and the initramfs of each. Lives on the event loop's thread; what
/// blocks runs in banger-image-worker and apt.
///
///     kernels/<name>/{vmlinux,modules.ext4,boot-modules/,initrd,manifest.json}   by one rename
///     kernels/initramfs/<sha256 of all that is in it>.cpio
///     kernels/tmp.*   a pull or an import under way; removed at the next start
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
    /// Who needs this kernel: "vm/NAME", "image/NAME".
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
    /// The same; throws Error{NotFound}.
    Kernel get(std::string_view name) const;

    /// Names that pull() takes for the newest kernels of Debian's suites.
    static std::vector<std::string> available();
    /// Whether pull() takes the name: one of those, one certain kernel's of Debian's, or that of a
    /// bundle of the catalog.
    bool can_pull(std::string_view name) const;

    /// Fetches the catalog's bundle of that name, if there is one; else Debian's kernel by the apt
    /// sources that this host trusts. Does nothing more when it is there, unless `anew`: then what
    /// there is is replaced at the end. A pull of it that is under way is returned as it is. Throws
    /// Error{NotFound} that lists what there is, and so may the job: an older kernel is not in the
    /// archive for ever. Throws Error{InvalidState} that names who needs what a bundle would
    /// replace.
    std::shared_ptr<job::Job> pull(std::string_view name, bool anew = false);

    /// Makes a kernel of the user's files. Throws Error: InvalidArgument for a name that cannot be,
    /// AlreadyExists, InvalidState that names who needs what would be replaced, Busy when another
    /// import makes that name; an import of the same is returned as it is.
    std::shared_ptr<job::Job> import(ImportRequest request);

    /// Reads Debian's lists of packages anew, for archive().
    std::shared_ptr<job::Job> update_archive();
    /// Every kernel that the archive had when somebody last asked; by suite and name.
    const std::vector<ArchiveKernel> &archive() const noexcept { return archive_; }

    /// Throws Error{NotFound}, or Error{InvalidState} that names who needs it.
    void remove(std::string_view name);
    /// "vm/NAME", "image/NAME"
    std::vector<std::string> users(const std::string &name) const;

    /// Calls back, later, with the initramfs for this kernel and the installed init and agent;
    /// makes it if need be.
    using InitramfsReady =
        std::function<void(std::optional<Error> error, const std::filesystem::path &initramfs)>;
    void initramfs(const Kernel &kernel, InitramfsReady ready);

private:
    class Work;
    class AptWork;
    class Pull;
    class ArchiveUpdate;
    class Import;
    class BundlePull;
    class Assembly;

    void load();
    static bool is_debians(std::string_view name);
    std::optional<catalog::KernelEntry> find_bundle(std::string_view name) const;
    void require_unused(const std::string &name) const;
    std::shared_ptr<job::Job> begin(const std::shared_ptr<Work> &work);
    std::shared_ptr<job::Job> pull_bundle(const catalog::KernelEntry &entry, bool anew);
    void publish(Kernel kernel, const std::filesystem::path &temporary);
    void write_manifest(Kernel kernel);

    EventLoop &loop_;
    Settings settings_;
    JobFactory new_job_;
    InUse in_use_;
    std::vector<Observer> observers_;
    std::map<std::string, Kernel, std::less<>> kernels_;
    std::vector<ArchiveKernel> archive_;
    std::map<std::string, std::shared_ptr<Work>, std::less<>> works_; ///< by their keys
    std::map<std::string, std::shared_ptr<Assembly>, std::less<>> assemblies_;
};

} // namespace banger::kernel
