#pragma once

#include "base/event_loop.hpp"
#include "daemon/catalog/catalog.hpp"
#include "daemon/config/config.hpp"
#include "daemon/image/file_identity.hpp"
#include "daemon/image/run_config.hpp"
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

namespace banger::image {

/// A file that is used where it is, and what it was when it was read.
struct RegisteredFile {
    std::filesystem::path file;
    FileIdentity identity;
};

/// What a recipe names beside Debian's own packages, and what became of it.
struct Part {
    std::string name; ///< "docker-ce"
    bool included = true;
    std::string reason; ///< why it is not in the image
};

/// How an image was built.
struct BuildRecord {
    std::string recipe;                      ///< its name; empty for an image that was not built
    std::vector<std::string> extra_packages; ///< asked for beside the recipe's
    std::vector<Part> parts;
};

/// An image that is there. Immutable: a rebuild of the same name is another digest.
struct Image {
    /// 64 hexadecimal digits: sha256 of the root file system, and of `run` where that says
    /// anything, and of the path where it is registered.
    std::string digest;
    std::string name;       ///< the name it was built as
    std::string source;     ///< "Debian bookworm, http://…", "docker.io/library/alpine:3.20"
    std::string manifest;   ///< "sha256:…" of an OCI image's manifest, or of its bundle
    std::string kernel;     ///< name of its default kernel, as kernel::Registry::find() takes it
    std::uint64_t size = 0; ///< bytes of the file system
    std::uint64_t disk_bytes = 0;      ///< bytes that it takes on the disk (holes are holes)
    std::int64_t created = 0;          ///< seconds since the epoch
    std::vector<std::string> packages; ///< that were asked for
    BuildRecord build;
    RunConfig run;
    std::optional<RegisteredFile> registered;
    std::filesystem::path directory;

    std::filesystem::path rootfs() const {
        return registered ? registered->file : directory / "rootfs.ext4";
    }
    /// Throws Error{ImageCorrupt} when a registered file is not what it was when it was read: VMs
    /// of it have the other half of what they need on their own disks.
    void require_unchanged() const;
};

/// What a name means, and where that came from: the same content may have come from elsewhere, too.
struct NameEntry {
    std::string digest;
    std::string source;
    std::string kernel;
    std::string manifest;
    BuildRecord build;
};

/// An image to be built from a recipe.
struct BuildRequest {
    std::string name;
    std::string recipe;                ///< of the catalog; empty: the one of that name
    std::vector<std::string> packages; ///< beside the recipe's
    bool anew = false;                 ///< also where the name means an image already
};

/// A root file system to be used as it is.
struct RegisterRequest {
    std::string name;
    std::filesystem::path file; ///< absolute
    std::string kernel;         ///< the image's default kernel
};

/// What an image takes on the disk, in bytes.
struct Usage {
    std::uint64_t own = 0;    ///< what a delete of the name would free
    std::uint64_t shared = 0; ///< what stays, for other names or VMs mean the same
    std::vector<std::string> vms;
};

/// An OCI image to be pulled, or what the catalog has.
struct PullRequest {
    std::string reference; ///< as oci::parse_reference() takes it, or a name of the catalog
    std::string name;      ///< empty: one that the reference suggests, or the catalog's
    std::string kernel;    ///< the image's default kernel; empty: Debian's, or the catalog's
    std::vector<config::OciRegistry> registries;
    bool only_missing = false; ///< what is there is not asked for in its registry again
};

/// Whether the text is a reference of an OCI image, not a name of the catalog: it has a ':', '/' or
/// '@'.
bool is_oci_reference(std::string_view text) noexcept;

/// The images of one user: content-addressed directories under Paths::images(), beside them a table
/// of names, with what is the name's alone. Lives on the event loop's thread; what blocks runs in
/// banger-image-worker and mmdebstrap.
///
///     images/by-digest/<sha256>/{rootfs.ext4,manifest.json}   published by rename, never changed
///     images/names/<name>                                     JSON, replaced by rename
///     images/tmp.*                                            a build under way; removed at the
///     next start
class Registry {
public:
    struct Settings {
        std::filesystem::path directory; ///< Paths::images()
        std::filesystem::path worker;    ///< banger-image-worker
        std::filesystem::path blobs;     ///< the layers of OCI images: Paths::oci_blobs()
        /// Where the tree of a build lies until it is packed: a disk, and passable for other users.
        std::filesystem::path build_parent = "/var/tmp";
        /// Reads what can be made available.
        std::function<catalog::Catalog()> catalog;
        /// Begins to fetch the catalogs that lie on servers; nullptr where there are none.
        std::function<std::shared_ptr<job::Job>()> refresh = {};
        std::filesystem::path build_guard = {}; ///< banger-build-guard
    };
    /// Makes a job in the daemon's table (kind, subject).
    using JobFactory = std::function<std::shared_ptr<job::Job>(std::string, std::string)>;
    /// Names of the VMs that pin this digest.
    using InUse = std::function<std::vector<std::string>(const std::string &digest)>;

    struct Observer {
        std::function<void(const Image &)> added; ///< the name now means this image
        std::function<void(const std::string &name)> removed;
    };

    /// Reads the directory and begins to remove what a killed run has left. Throws Error.
    Registry(EventLoop &loop, Settings settings, JobFactory new_job, InUse in_use);
    ~Registry();
    Registry(const Registry &) = delete;
    Registry &operator=(const Registry &) = delete;

    void observe(Observer observer);

    /// Every name and the image it means, by name.
    std::vector<Image> list() const;
    std::optional<Image> find(std::string_view name) const;
    /// The image of that name; or of that OCI reference, wherever it was pulled to.
    std::optional<Image> find_wanted(std::string_view name_or_reference) const;
    /// What VMs pin; also an image whose name means a newer one by now.
    std::optional<Image> find_digest(std::string_view digest) const;

    /// The name that pull() would give, when it can be pulled at all. Throws Error{NotFound} that
    /// lists what the catalog has, Error{InvalidArgument}.
    std::string name_of(const PullRequest &request) const;

    /// Whatever makes an image returns one that is under way where it makes the same of the same,
    /// and throws Error{Busy} where the name is being made of something else.

    /// Builds from a recipe, unless the name means something already. Throws Error{NotFound} that
    /// lists what there is, Error{Unsupported} when a program is missing, Error{DiskFull}.
    std::shared_ptr<job::Job> build(const BuildRequest &request);

    /// Makes an image of a registry or of the catalog available; the job's subject tells its name.
    /// A name that the catalog does not have may be in one that lies on a server: it is looked for.
    /// Where the name means the same already, the job is done without a download. Throws as
    /// name_of() and build() do.
    std::shared_ptr<job::Job> pull(PullRequest request);

    /// Gives a root file system a name; the file is used where it is. Throws
    /// Error{AlreadyExists} when the name means something else, unless `anew`.
    std::shared_ptr<job::Job> register_file(RegisterRequest request, bool anew);
    /// Copies a registered file in, so that the image does not need it any more; done at once for
    /// another image. Throws Error{NotFound}, Error{ImageCorrupt} when the file has changed.
    std::shared_ptr<job::Job> promote(std::string_view name);

    /// Throws Error{NotFound}.
    Usage usage_of(std::string_view name) const;
    /// Whether an image is being made just now.
    bool busy() const noexcept { return !makings_.empty(); }

    /// Takes the name away, and the image where nothing else means it. Throws Error{NotFound}, or
    /// Error{InvalidState} that names the VMs which use it.
    void remove(std::string_view name);

    /// Removes images that neither a name nor a VM means; call when a VM was deleted.
    void collect_garbage();

private:
    class Making;
    class Build;
    class WorkerMaking;
    class Pull;
    class Registration;
    class BundlePull;
    class CatalogPull;
    class Leftovers;
    friend class Making;
    friend class Build;
    friend class WorkerMaking;
    friend class Pull;
    friend class Registration;
    friend class BundlePull;
    friend class CatalogPull;

    void load();
    catalog::ImageEntry entry_of(std::string_view name) const;
    bool can_be_fetched(const std::string &reference) const;
    std::shared_ptr<job::Job> done_already(std::string kind, std::string name);
    std::shared_ptr<job::Job> pull_known(PullRequest request);
    template <typename Make>
    std::shared_ptr<job::Job> begin(const std::string &name, const std::string &means, Make make);
    void publish(Image image, const std::filesystem::path &temporary);

    EventLoop &loop_;
    Settings settings_;
    JobFactory new_job_;
    InUse in_use_;
    std::vector<Observer> observers_;
    std::map<std::string, Image, std::less<>> by_digest_;
    std::map<std::string, NameEntry, std::less<>> names_;
    std::map<std::string, std::shared_ptr<Making>, std::less<>> makings_; ///< by name
    std::unique_ptr<Leftovers> leftovers_;
};

} // namespace banger::image
