#include "daemon/archive/archive_reader.hpp"

#include "base/error.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <exception>

namespace banger {

struct ArchiveReader::Callbacks {
    Source source;
    // No exception may pass through libarchive; it waits here.
    std::exception_ptr thrown;

    static la_ssize_t read(archive *a, void *self_pointer, const void **buffer) {
        auto *self = static_cast<Callbacks *>(self_pointer);
        try {
            const auto bytes = self->source();
            *buffer = bytes.data();
            return static_cast<la_ssize_t>(bytes.size());
        } catch (...) {
            self->thrown = std::current_exception();
            archive_set_error(a, EIO, "the source failed");
            return ARCHIVE_FATAL;
        }
    }
};

ArchiveReader::ArchiveReader(Source source, Format format, std::string what)
    : what_(std::move(what)), callbacks_(std::make_unique<Callbacks>()),
      archive_(archive_read_new(), archive_read_free) {
    if (!archive_) {
        fail(ErrorCode::Internal, "libarchive has no memory");
    }
    callbacks_->source = std::move(source);
    // Not all that libarchive has: for some it would run a program.
    archive_read_support_filter_gzip(archive_.get());
    archive_read_support_filter_bzip2(archive_.get());
    archive_read_support_filter_xz(archive_.get());
    archive_read_support_filter_lzma(archive_.get());
    archive_read_support_filter_lz4(archive_.get());
    archive_read_support_filter_zstd(archive_.get());
    switch (format) {
    case Format::Tar:
        archive_read_support_format_tar(archive_.get());
        archive_read_support_format_empty(archive_.get());
        break;
    case Format::Ar:
        archive_read_support_format_ar(archive_.get());
        break;
    case Format::Raw:
        archive_read_support_format_raw(archive_.get());
        archive_read_support_format_empty(archive_.get());
        break;
    }
    check(archive_read_open(archive_.get(), callbacks_.get(), nullptr, &Callbacks::read, nullptr),
          "open");
}

ArchiveReader::~ArchiveReader() = default;

void ArchiveReader::fail_now(std::string_view doing) {
    if (callbacks_->thrown) {
        std::rethrow_exception(callbacks_->thrown);
    }
    const char *reason = archive_error_string(archive_.get());
    fail(ErrorCode::ImageCorrupt, "cannot {} {}: {}", doing, what_,
         reason != nullptr ? reason : "damaged");
}

void ArchiveReader::check(int result, std::string_view doing) {
    // A warning means that something was not understood: for us, that the copy would not be
    // faithful.
    if (result != ARCHIVE_OK) {
        fail_now(doing);
    }
}

/// A name in a pax header that is not UTF-8, as file names may be. libarchive knows no other sign
/// of it than its words, and keeps the bytes.
bool ArchiveReader::kept_a_name_as_it_is(int result) {
    const char *reason = archive_error_string(archive_.get());
    return result == ARCHIVE_WARN && reason != nullptr &&
           std::string_view{reason}.ends_with("can't be converted from UTF-8 to current locale.");
}

archive_entry *ArchiveReader::next() {
    archive_entry *entry = nullptr;
    const int result = archive_read_next_header(archive_.get(), &entry);
    if (result == ARCHIVE_EOF) {
        return nullptr;
    }
    if (!kept_a_name_as_it_is(result)) {
        check(result, "read");
    }
    return entry;
}

std::optional<ArchiveReader::Data> ArchiveReader::data() {
    const void *buffer = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int result = archive_read_data_block(archive_.get(), &buffer, &size, &offset);
    if (result == ARCHIVE_EOF) {
        return std::nullopt;
    }
    check(result, "read");
    if (offset < 0) {
        fail(ErrorCode::ImageCorrupt, "{} has data before the beginning of a file", what_);
    }
    return Data{static_cast<std::uint64_t>(offset), {static_cast<const std::byte *>(buffer), size}};
}

std::string ArchiveReader::read_all(std::size_t limit) {
    std::string content;
    while (const auto piece = data()) {
        const std::uint64_t end = piece->offset + piece->bytes.size();
        if (end > limit || end < piece->offset) {
            fail(ErrorCode::LimitsExceeded, "a file in {} is larger than {} bytes", what_, limit);
        }
        content.resize(static_cast<std::size_t>(piece->offset), '\0');
        content.append(reinterpret_cast<const char *>(piece->bytes.data()), piece->bytes.size());
    }
    return content;
}

ArchiveReader::Source ArchiveReader::entry_source() {
    return [this]() -> std::span<const std::byte> {
        const auto piece = data();
        return piece ? piece->bytes : std::span<const std::byte>{};
    };
}

ArchiveReader::Source descriptor_source(int fd, std::function<void(std::uint64_t)> on_bytes) {
    constexpr std::size_t piece_size = 1U << 20U;
    // A pipe of the default 64 KiB makes its two ends wait for each other.
    ::fcntl(fd, F_SETPIPE_SZ, static_cast<int>(piece_size));
    return [fd, on_bytes = std::move(on_bytes), buffer = std::vector<std::byte>(piece_size),
            sum = std::uint64_t{0}]() mutable -> std::span<const std::byte> {
        ssize_t n = 0;
        do {
            n = ::read(fd, buffer.data(), buffer.size());
        } while (n < 0 && errno == EINTR);
        if (n < 0) {
            throw_errno("read the archive");
        }
        sum += static_cast<std::uint64_t>(n);
        if (on_bytes) {
            on_bytes(sum);
        }
        return {buffer.data(), static_cast<std::size_t>(n)};
    };
}

ArchiveReader::Source memory_source(std::span<const std::byte> bytes) {
    return [bytes, done = false]() mutable -> std::span<const std::byte> {
        return std::exchange(done, true) ? std::span<const std::byte>{} : bytes;
    };
}

ArchiveReader::Source whole_tar_blocks(ArchiveReader::Source tar) {
    constexpr std::size_t block = 512;
    static constexpr std::array<std::byte, block> zeros{};
    return [tar = std::move(tar), used = std::size_t{0}]() mutable -> std::span<const std::byte> {
        const auto bytes = tar();
        if (!bytes.empty()) {
            used = (used + bytes.size()) % block;
            return bytes;
        }
        const std::size_t missing = used == 0 ? 0 : block - used;
        used = 0;
        return std::span{zeros}.first(missing);
    };
}

} // namespace banger
