#pragma once

#include "base/sha256.hpp"
#include "base/unique_fd.hpp"
#include "daemon/oci/blob_reader.hpp"
#include "daemon/oci/descriptor.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace banger::oci {

/// A blob that is being written to the cache, from BlobCache::open_partial(). Holds the lock of its
/// file; destroyed before publish() it leaves the file for the next one to go on with.
class PartialBlob {
public:
    /// `fd` is locked. `shared`: the name is that for all processes, not one of our own.
    PartialBlob(std::filesystem::path path, UniqueFd fd, Digest digest, bool shared);
    ~PartialBlob();
    PartialBlob(const PartialBlob &) = delete;
    PartialBlob &operator=(const PartialBlob &) = delete;

    /// Bytes that are there, those of earlier attempts included.
    std::uint64_t size() const noexcept { return size_; }
    void append(std::span<const std::byte> bytes);
    /// Those from `offset` on, as many as `buffer` has room for and as there are.
    std::span<const std::byte> read_at(std::uint64_t offset, std::span<std::byte> buffer) const;
    /// Forgets all bytes.
    void restart();
    /// Puts the blob into the cache: fsync, then a name. Throws Error{ImageCorrupt} when it is not
    /// what its digest says; the bytes are gone then. Nothing else may be called after it.
    void publish();

private:
    void sum_what_is_there();

    std::filesystem::path path_;
    UniqueFd fd_;
    Digest digest_;
    Sha256 sum_;
    std::uint64_t size_ = 0;
    bool shared_;
    bool named_ = true;
};

/// A directory of blobs by digest: blobs/sha256/HEX, and HEX.partial for what is still being
/// fetched. A blob has its name only after its digest was verified. Any number of processes may use
/// one directory.
class BlobCache {
public:
    /// Makes the directories. Throws Error.
    explicit BlobCache(const std::filesystem::path &directory);

    /// In bytes; none when it is not in the cache.
    std::optional<std::uint64_t> size_of(const Digest &digest) const;
    bool contains(const Digest &digest) const { return size_of(digest).has_value(); }
    /// Also notes the use. Throws Error{NotFound} when it is not in the cache. `what` as for
    /// BlobReader.
    BlobReader open(const Descriptor &blob, std::string what) const;
    /// Goes on with the bytes of an earlier attempt, unless another process is at it: then with a
    /// file of its own, which it does not leave behind. Reads what is there, to sum it up.
    std::unique_ptr<PartialBlob> open_partial(const Digest &digest) const;
    /// Does nothing if the blob is there. Throws Error{ImageCorrupt} as publish().
    void put(const Digest &digest, std::string_view content) const;

    struct Entry {
        Digest digest;
        std::uint64_t size; ///< bytes
        std::chrono::system_clock::time_point last_used;
        bool partial;
    };
    std::vector<Entry> list() const;
    /// Removes all blobs, or those not used since then; not the partial ones that are being
    /// written. A blob that someone reads stays until closed. Returns the bytes freed.
    std::uint64_t prune(std::optional<std::chrono::system_clock::time_point> unused_since) const;

private:
    std::filesystem::path path_of(const Digest &digest) const { return blobs_ / digest.hex(); }

    std::filesystem::path blobs_;
};

} // namespace banger::oci
