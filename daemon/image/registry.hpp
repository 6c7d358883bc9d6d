#pragma once

#include "base/event_loop.hpp"
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
    std::string digest;     ///< sha256 of rootfs.ext4, 64 hexadecimal digits
    std::string name;       ///< the name it was built as
    std::string source;     ///< "debian bookworm, built from http://deb.debian.org/debian"
    std::string kernel;     ///< name of its default kernel, as kernel::Registry::find() takes it
    std::uint64_t size = 0; ///< bytes of the file system
    std::uint64_t disk_bytes = 0;      ///< bytes that it takes on the disk (holes are holes)
    std::int64_t created = 0;          ///< seconds since the epoch
    std::vector<std::string> packages; ///< what the recipe asked for
    std::filesystem::path directory;

    std::filesystem::path rootfs() const { return directory / "rootfs.ext4"; }
};

/// The images of one user: content-addressed directories under Paths::images(), a name → digest
/// table beside them. Lives on the event loop's thread; what blocks runs in banger-image-worker and
/// mmdebstrap.
///
///     images/by-digest/<sha256>/{rootfs.ext4,manifest.json}   published by rename, never changed
///     images/names/<name>                                     holds the digest, replaced by rename
///     images/tmp.*                                            a build under way; removed at the
///     next start
class Registry {
public:
    struct Settings {
        std::filesystem::path directory; ///< Paths::images()
        std::filesystem::path worker;    ///< banger-image-worker
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

    /// Takes the name away, and the image where nothing else means it. Throws Error{NotFound}, or
    /// Error{InvalidState} that names the VMs which use it.
    void remove(std::string_view name);

    /// Removes images that neither a name nor a VM means; call when a VM was deleted.
    void collect_garbage();

private:
    class Build;
    class Leftovers;
    friend class Build;

    void load();
    void publish(Image image, const std::filesystem::path &temporary);

    EventLoop &loop_;
    Settings settings_;
    JobFactory new_job_;
    InUse in_use_;
    std::vector<Observer> observers_;
    std::map<std::string, Image, std::less<>> by_digest_;
    std::map<std::string, std::string, std::less<>> digest_of_name_;
    std::map<std::string, std::shared_ptr<Build>, std::less<>> builds_;
    std::unique_ptr<Leftovers> leftovers_;
};

} // namespace banger::image
