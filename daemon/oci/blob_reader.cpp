#include "daemon/oci/blob_reader.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace banger::oci {

BlobReader::BlobReader(UniqueFd fd, Descriptor blob, std::string what,
                       std::filesystem::path remove_if_damaged)
    : fd_(std::move(fd)), blob_(std::move(blob)), what_(std::move(what)),
      remove_if_damaged_(std::move(remove_if_damaged)), buffer_(std::size_t{1} << 20U) {
    ::posix_fadvise(fd_.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
}

std::span<const std::byte> BlobReader::read() {
    if (verified_) {
        return {};
    }
    ssize_t n = 0;
    do {
        n = ::pread(fd_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        throw_errno("read " + what_);
    }
    const std::span<const std::byte> bytes{buffer_.data(), static_cast<std::size_t>(n)};
    if (bytes.empty()) {
        verify();
        return {};
    }
    offset_ += bytes.size();
    if (offset_ > blob_.size) {
        damaged(fmt::format("is longer than {} bytes", blob_.size));
    }
    sum_.update(bytes);
    return bytes;
}

void BlobReader::finish() {
    while (!read().empty()) {
    }
}

std::string BlobReader::read_all(std::size_t limit) {
    if (blob_.size > limit) {
        fail(ErrorCode::LimitsExceeded, "{} is larger than {} bytes", what_, limit);
    }
    std::string content;
    for (auto bytes = read(); !bytes.empty(); bytes = read()) {
        content.append(reinterpret_cast<const char *>(bytes.data()), bytes.size());
    }
    return content;
}

void BlobReader::verify() {
    if (offset_ != blob_.size) {
        damaged(fmt::format("has {} bytes instead of {}", offset_, blob_.size));
    }
    if (sum_.hex_digest() != blob_.digest.hex()) {
        damaged("is not what its digest says");
    }
    verified_ = true;
}

void BlobReader::damaged(std::string_view how) {
    if (!remove_if_damaged_.empty()) {
        ::unlink(remove_if_damaged_.c_str());
        fail(ErrorCode::ImageCorrupt, "{} ({}) {}; it was removed from the cache: try again", what_,
             blob_.digest.str(), how);
    }
    fail(ErrorCode::ImageCorrupt, "{} ({}) {}; make or fetch it again", what_, blob_.digest.str(),
         how);
}

} // namespace banger::oci
