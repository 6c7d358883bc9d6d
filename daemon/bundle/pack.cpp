#include "daemon/bundle/pack.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "daemon/bundle/zeros.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <span>

namespace banger::bundle {
namespace {

namespace fs = std::filesystem;

/// A hole that takes more room in the list of holes than it saves is written as zeros.
constexpr std::uint64_t smallest_hole = 16 * block_size;
constexpr const char *options = "zstd:compression-level=9";

UniqueFd open_member(const fs::path &directory, const std::string &path) {
    UniqueFd file = open_file(directory / path, O_RDONLY | O_NOFOLLOW);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        fail(ErrorCode::ImageCorrupt, "{} is no regular file", (directory / path).string());
    }
    ::posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
    return file;
}

/// Hands out the file in pieces, of whole blocks but for the last.
class PieceReader {
public:
    PieceReader(const fs::path &directory, const std::string &path)
        : path_(path), file_(open_member(directory, path)), buffer_(zeros.size()) {}

    /// Empty: the end. Valid until the next call.
    std::span<const std::byte> read() {
        std::size_t filled = 0;
        while (filled < buffer_.size()) {
            const ssize_t n = ::read(file_.get(), buffer_.data() + filled, buffer_.size() - filled);
            if (n < 0 && errno == EINTR) {
                continue;
            }
            if (n < 0) {
                throw_errno("read " + path_);
            }
            if (n == 0) {
                break;
            }
            filled += static_cast<std::size_t>(n);
        }
        return std::span{buffer_}.first(filled);
    }

private:
    std::string path_;
    UniqueFd file_;
    std::vector<std::byte> buffer_;
};

struct Extent {
    std::uint64_t begin;
    std::uint64_t end;
};

/// What of a file is no hole, by its content alone: file systems differ in what they keep of holes.
class DataExtents {
public:
    void take(std::span<const std::byte> piece) {
        for (std::size_t at = 0; at < piece.size(); at += block_size) {
            const auto block = piece.subspan(at, std::min(block_size, piece.size() - at));
            if (!is_zero(block)) {
                add(position_, position_ + block.size());
            }
            position_ += block.size();
        }
    }
    const std::vector<Extent> &extents() const noexcept { return extents_; }
    std::uint64_t size() const noexcept { return position_; }
    bool has_holes() const {
        return extents_.size() != 1 || extents_.front().begin != 0 ||
               extents_.front().end != position_;
    }

private:
    void add(std::uint64_t begin, std::uint64_t end) {
        if (!extents_.empty() && begin < extents_.back().end + smallest_hole) {
            extents_.back().end = end;
        } else {
            extents_.push_back({begin, end});
        }
    }

    std::uint64_t position_ = 0;
    std::vector<Extent> extents_;
};

DataExtents extents_of(const fs::path &directory, const std::string &path) {
    DataExtents extents;
    PieceReader file{directory, path};
    for (auto piece = file.read(); !piece.empty(); piece = file.read()) {
        extents.take(piece);
    }
    return extents;
}

class TarWriter {
public:
    explicit TarWriter(int fd)
        : fd_(fd), archive_(archive_write_new(), [](archive *a) {
              // After a failed write free() alone leaves libarchive's own buffer behind (3.6).
              archive_write_close(a);
              archive_write_free(a);
          }) {
        check(archive_write_set_format_pax_restricted(archive_.get()));
        check(archive_write_add_filter_zstd(archive_.get()));
        check(archive_write_set_options(archive_.get(), options));
        check(archive_write_set_bytes_in_last_block(archive_.get(), 1));
        check(archive_write_open(archive_.get(), this, nullptr, &TarWriter::write, nullptr));
    }
    TarWriter(const TarWriter &) = delete;
    TarWriter &operator=(const TarWriter &) = delete;

    void begin_file(const std::string &path, std::uint64_t size, const std::vector<Extent> &data) {
        const std::unique_ptr<archive_entry, void (*)(archive_entry *)> entry{archive_entry_new(),
                                                                              archive_entry_free};
        archive_entry_copy_pathname(entry.get(), path.c_str());
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), 0644);
        archive_entry_set_mtime(entry.get(), 0, 0);
        archive_entry_set_uid(entry.get(), 0);
        archive_entry_set_gid(entry.get(), 0);
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
        for (const Extent &extent : data) {
            archive_entry_sparse_add_entry(entry.get(), static_cast<la_int64_t>(extent.begin),
                                           static_cast<la_int64_t>(extent.end - extent.begin));
        }
        check(archive_write_header(archive_.get(), entry.get()));
    }

    void add_data(std::span<const std::byte> bytes) {
        while (!bytes.empty()) {
            const la_ssize_t n = archive_write_data(archive_.get(), bytes.data(), bytes.size());
            if (n <= 0) {
                check(ARCHIVE_FATAL);
            }
            bytes = bytes.subspan(static_cast<std::size_t>(n));
        }
    }

    Packed finish() {
        check(archive_write_close(archive_.get()));
        return {size_, sum_.hex_digest()};
    }

private:
    static la_ssize_t write(archive *a, void *self_pointer, const void *data, std::size_t size) {
        auto *self = static_cast<TarWriter *>(self_pointer);
        try {
            const std::span bytes{static_cast<const std::byte *>(data), size};
            write_all(self->fd_, bytes, "write the bundle");
            self->sum_.update(bytes);
            self->size_ += size;
            return static_cast<la_ssize_t>(size);
        } catch (...) {
            self->thrown_ = std::current_exception();
            archive_set_error(a, EIO, "the bundle cannot be written");
            return -1;
        }
    }

    void check(int result) {
        if (result == ARCHIVE_OK) {
            return;
        }
        if (thrown_) {
            std::rethrow_exception(std::exchange(thrown_, nullptr));
        }
        const char *reason = archive_error_string(archive_.get());
        fail(ErrorCode::Internal, "cannot write the bundle: {}",
             reason != nullptr ? reason : "libarchive does not say why");
    }

    int fd_;
    Sha256 sum_;
    std::uint64_t size_ = 0;
    std::exception_ptr thrown_;
    std::unique_ptr<archive, void (*)(archive *)> archive_;
};

} // namespace

Manifest describe(const fs::path &directory, Kind kind, const std::vector<std::string> &paths,
                  const OnBytes &on_bytes) {
    Manifest manifest;
    manifest.kind = kind;
    std::uint64_t done = 0;
    for (const auto &path : paths) {
        Member member;
        member.path = path;
        Sha256 sum;
        PieceReader file{directory, path};
        for (auto piece = file.read(); !piece.empty(); piece = file.read()) {
            sum.update(piece);
            member.size += piece.size();
            done += piece.size();
            on_bytes(done, 0);
        }
        member.sha256 = sum.hex_digest();
        manifest.members.push_back(std::move(member));
    }
    return manifest;
}

Packed pack(const fs::path &directory, const Manifest &manifest, int fd, const OnBytes &on_bytes) {
    const std::string text = to_json(manifest);
    // What a puller would refuse is not made.
    parse_manifest(text, manifest.kind);
    std::uint64_t total = 0;
    for (const Member &member : manifest.members) {
        total += member.size;
    }
    TarWriter tar{fd};
    tar.begin_file(std::string(manifest_name), text.size(), {});
    tar.add_data(std::as_bytes(std::span{text}));
    std::uint64_t done = 0;
    for (const Member &member : manifest.members) {
        const DataExtents data = extents_of(directory, member.path);
        if (data.size() != member.size) {
            fail(ErrorCode::ImageCorrupt, "{} changes while it is packed", member.path);
        }
        tar.begin_file(member.path, member.size,
                       data.has_holes() ? data.extents() : std::vector<Extent>{});
        Sha256 sum;
        PieceReader file{directory, member.path};
        for (auto piece = file.read(); !piece.empty(); piece = file.read()) {
            sum.update(piece);
            tar.add_data(piece);
            done += piece.size();
            on_bytes(done, total);
        }
        if (sum.hex_digest() != member.sha256) {
            fail(ErrorCode::ImageCorrupt, "{} changes while it is packed", member.path);
        }
    }
    return tar.finish();
}

} // namespace banger::bundle
