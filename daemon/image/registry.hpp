#pragma once

#include "base/event_loop.hpp"
#include "daemon/config/config.hpp"
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

/// An image that is there. Immutable: a rebuild of the same name is another digest.
struct Image {
    /// 64 hexadecimal digits: sha256 of rootfs.ext4, and of `run` where that says anything.
    std::string digest;
    std::string name;       ///< the name it was built as
    std::string source;     ///< "Debian bookworm, http://…", "docker.io/library/alpine:3.20"
    std::string manifest;   ///< of an OCI image: "sha256:…" of its manifest
    std::string kernel;     ///< name of its default kernel, as kernel::Registry::find() takes it
    std::uint64_t size = 0; ///< bytes of the file system
    std::uint64_t disk_bytes = 0;      ///< bytes that it takes on the disk (holes are holes)
    std::int64_t created = 0;          ///< seconds since the epoch
    std::vector<std::string> packages; ///< what the recipe asked for
    RunConfig run;
    std::filesystem::path directory;

    std::filesystem::path rootfs() const { return directory / "rootfs.ext4"; }
};

/// What a name means, and where that came from: the same content may have come from elsewhere, too.
struct NameEntry {
    std::string digest;
    std::string source;
    std::string kernel;
    std::string manifest;
};

/// An OCI image to be pulled.
struct PullRequest {
    std::string reference; ///< as oci::parse_reference() takes it
    std::string name;      ///< empty: one that the reference suggests
    std::string kernel;    ///< the image's default kernel; empty: Debian's
    std::vector<config::OciRegistry> registries;
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
    /// What VMs pin; also an image whose name means a newer one by now.
    std::optional<Image> find_digest(std::string_view digest) const;

    /// Builds (or builds anew) the recipe of that name; a build of it that is under way is returned
    /// as it is. Throws Error{NotFound} that lists the recipes, Error{Unsupported} when a program
    /// is missing.
    std::shared_ptr<job::Job> build(std::string_view name);

    /// Makes an OCI image available under its name; the job's subject tells that. Where the name
    /// means the same manifest already, the job is done without a download. A pull of the same
    /// reference that is under way is returned as it is. Throws Error{InvalidArgument} for a
    /// reference or a name that cannot be, Error{Busy} when the name is being made of something
    /// else.
    std::shared_ptr<job::Job> pull(PullRequest request);

    /// Takes the name away, and the image where nothing else means it. Throws Error{NotFound}, or
    /// Error{InvalidState} that names the VMs which use it.
    void remove(std::string_view name);

    /// Removes images that neither a name nor a VM means; call when a VM was deleted.
    void collect_garbage();

private:
    class Build;
    class Pull;
    class Leftovers;
    friend class Build;
    friend class Pull;

    void load();
    void publish(Image image, const std::filesystem::path &temporary);

    EventLoop &loop_;
    Settings settings_;
    JobFactory new_job_;
    InUse in_use_;
    std::vector<Observer> observers_;
    std::map<std::string, Image, std::less<>> by_digest_;
    std::map<std::string, NameEntry, std::less<>> names_;
    std::map<std::string, std::shared_ptr<Build>, std::less<>> builds_;
    std::map<std::string, std::shared_ptr<Pull>, std::less<>> pulls_;
    std::unique_ptr<Leftovers> leftovers_;
};

} // namespace banger::image
