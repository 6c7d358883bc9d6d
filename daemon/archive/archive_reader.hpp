#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace banger {

/// libarchive's reader, with its failures as Error{ImageCorrupt}.
class ArchiveReader {
public:
    /// The next bytes of the archive; empty: the end. Valid until the next call.
    using Source = std::function<std::span<const std::byte>()>;
    enum class Format {
        Tar,
        Ar,
        Raw, ///< one compressed stream, as one entry
    };

    /// `what` names the archive in messages: "the package linux-image.deb".
    ArchiveReader(Source source, Format format, std::string what);
    ~ArchiveReader();
    ArchiveReader(const ArchiveReader &) = delete;
    ArchiveReader &operator=(const ArchiveReader &) = delete;

    /// nullptr at the end; valid until the next call.
    archive_entry *next();

    struct Data {
        std::uint64_t offset;
        std::span<const std::byte> bytes;
    };
    /// A piece of the current entry, without its holes; none at its end.
    std::optional<Data> data();
    /// The whole entry, up to `limit` bytes. Throws Error{LimitsExceeded}.
    std::string read_all(std::size_t limit);
    /// The entry as the source of another archive.
    Source entry_source();

private:
    struct Callbacks;
    [[noreturn]] void fail_now(std::string_view doing);
    void check(int result, std::string_view doing);
    bool kept_a_name_as_it_is(int result);

    std::string what_;
    std::unique_ptr<Callbacks> callbacks_;
    std::unique_ptr<archive, int (*)(archive *)> archive_;
};

/// Reads from a descriptor in large pieces; `on_bytes` is told the sum after each.
ArchiveReader::Source descriptor_source(int fd, std::function<void(std::uint64_t)> on_bytes = {});
/// The bytes must outlive the source.
ArchiveReader::Source memory_source(std::span<const std::byte> bytes);

/// `tar`, with zeros up to the end of its last block of 512 bytes. Some writers end a tar right
/// after the content of its last file (umoci insert), which all other readers take for whole.
ArchiveReader::Source whole_tar_blocks(ArchiveReader::Source tar);

} // namespace banger
