#include "daemon/oci/blob_cache.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace banger::oci {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view partial_suffix = ".partial";

// Whether the name still leads to the file that was opened.
bool has_name(int fd, const fs::path &path) {
    struct stat opened {};
    struct stat named {};
    return ::fstat(fd, &opened) == 0 && ::stat(path.c_str(), &named) == 0 &&
           opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

// flock(2) belongs to the open file: also two sources in one process exclude each other.
bool try_lock(int fd, const fs::path &path) {
    if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    if (errno != EWOULDBLOCK) {
        throw_errno("lock " + path.string());
    }
    return false;
}

void sync_directory(const fs::path &directory) {
    const UniqueFd fd = open_file(directory, O_RDONLY | O_DIRECTORY);
    if (::fsync(fd.get()) != 0) {
        throw_errno("write " + directory.string());
    }
}

} // namespace

PartialBlob::PartialBlob(fs::path path, UniqueFd fd, Digest digest, bool shared)
    : path_(std::move(path)), fd_(std::move(fd)), digest_(std::move(digest)), shared_(shared) {
    sum_what_is_there();
}

PartialBlob::~PartialBlob() {
    // Still under the lock: who waits for this name looks whether it has kept it.
    if (named_ && (!shared_ || size_ == 0)) {
        ::unlink(path_.c_str());
    }
}

void PartialBlob::sum_what_is_there() {
    std::vector<std::byte> buffer(std::size_t{1} << 20U);
    for (auto bytes = read_at(0, buffer); !bytes.empty(); bytes = read_at(size_, buffer)) {
        sum_.update(bytes);
        size_ += bytes.size();
    }
}

std::span<const std::byte> PartialBlob::read_at(std::uint64_t offset,
                                                std::span<std::byte> buffer) const {
    ssize_t n = 0;
    do {
        n = ::pread(fd_.get(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        throw_errno("read " + path_.string());
    }
    return buffer.first(static_cast<std::size_t>(n));
}

void PartialBlob::append(std::span<const std::byte> bytes) {
    write_all(fd_.get(), bytes, path_.string());
    sum_.update(bytes);
    size_ += bytes.size();
}

void PartialBlob::restart() {
    if (::ftruncate(fd_.get(), 0) != 0) {
        throw_errno("empty " + path_.string());
    }
    sum_ = Sha256{};
    size_ = 0;
}

void PartialBlob::publish() {
    if (sum_.hex_digest() != digest_.hex()) {
        restart();
        fail(ErrorCode::ImageCorrupt, "what was fetched as {} is not what this digest says",
             digest_.str());
    }
    if (::fsync(fd_.get()) != 0) {
        throw_errno("write " + path_.string());
    }
    const fs::path blob = path_.parent_path() / digest_.hex();
    if (::rename(path_.c_str(), blob.c_str()) != 0) {
        throw_errno("name the file " + blob.string());
    }
    named_ = false;
    sync_directory(blob.parent_path());
}

BlobCache::BlobCache(const fs::path &directory) : blobs_(directory / "blobs" / "sha256") {
    make_private_directories(blobs_);
}

std::optional<std::uint64_t> BlobCache::size_of(const Digest &digest) const {
    struct stat status {};
    if (::stat(path_of(digest).c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
        return std::nullopt;
    }
    return static_cast<std::uint64_t>(status.st_size);
}

BlobReader BlobCache::open(const Descriptor &blob, std::string what) const {
    const fs::path path = path_of(blob.digest);
    UniqueFd fd = open_file(path, O_RDONLY);
    // The time of modification serves as that of use; nothing else modifies a blob.
    ::futimens(fd.get(), nullptr);
    return {std::move(fd), blob, std::move(what), path};
}

std::unique_ptr<PartialBlob> BlobCache::open_partial(const Digest &digest) const {
    const fs::path path = path_of(digest).string() + std::string(partial_suffix);
    for (;;) {
        UniqueFd fd = open_file(path, O_RDWR | O_CREAT | O_APPEND);
        if (!try_lock(fd.get(), path)) {
            break;
        }
        // Published or removed between open and lock: then this is no longer the partial file.
        if (has_name(fd.get(), path)) {
            return std::make_unique<PartialBlob>(path, std::move(fd), digest, true);
        }
    }
    std::string own = path.string() + ".XXXXXX";
    UniqueFd fd{::mkostemp(own.data(), O_CLOEXEC | O_APPEND)};
    if (!fd || !try_lock(fd.get(), own)) {
        throw_errno("create a file beside " + path.string());
    }
    return std::make_unique<PartialBlob>(own, std::move(fd), digest, false);
}

void BlobCache::put(const Digest &digest, std::string_view content) const {
    if (contains(digest)) {
        return;
    }
    const auto partial = open_partial(digest);
    partial->restart();
    partial->append(std::as_bytes(std::span{content}));
    partial->publish();
}

std::vector<BlobCache::Entry> BlobCache::list() const {
    std::vector<Entry> entries;
    for (const auto &file : fs::directory_iterator{blobs_}) {
        const std::string name = file.path().filename();
        const auto digest = Digest::parse("sha256:" + name.substr(0, 64));
        const std::string rest = name.substr(std::min<std::size_t>(64, name.size()));
        struct stat status {};
        if (!digest || (!rest.empty() && !rest.starts_with(partial_suffix)) ||
            ::stat(file.path().c_str(), &status) != 0) {
            continue;
        }
        const auto used = std::chrono::seconds{status.st_mtim.tv_sec} +
                          std::chrono::nanoseconds{status.st_mtim.tv_nsec};
        entries.push_back(
            {*digest, static_cast<std::uint64_t>(status.st_size),
             std::chrono::system_clock::time_point{
                 std::chrono::duration_cast<std::chrono::system_clock::duration>(used)},
             !rest.empty()});
    }
    return entries;
}

std::uint64_t
BlobCache::prune(std::optional<std::chrono::system_clock::time_point> unused_since) const {
    std::uint64_t freed = 0;
    for (const auto &file : fs::directory_iterator{blobs_}) {
        const UniqueFd fd{::open(file.path().c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)};
        struct stat status {};
        if (!fd || ::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode) ||
            (unused_since &&
             status.st_mtim.tv_sec >= std::chrono::system_clock::to_time_t(*unused_since))) {
            continue;
        }
        const bool partial =
            file.path().filename().string().find(partial_suffix) != std::string::npos;
        if (partial && !try_lock(fd.get(), file.path())) {
            continue;
        }
        if (::unlink(file.path().c_str()) == 0) {
            freed += static_cast<std::uint64_t>(status.st_size);
        }
    }
    return freed;
}

} // namespace banger::oci
