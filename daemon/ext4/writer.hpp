#pragma once

#include "daemon/ext4/format.hpp"
#include "daemon/ext4/metadata.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace banger::ext4 {

struct WriterOptions {
    std::string label; ///< at most 16 bytes
    /// Of the file system, with what was removed from it; at most 1 TiB.
    std::uint64_t max_bytes = std::uint64_t{1} << 40U;
    std::uint32_t max_inodes = 16'000'000;
    /// Of all names and targets of symbolic links, which are kept in memory until finish(); at most
    /// 4 GiB.
    std::uint64_t max_text_bytes = std::uint64_t{256} << 20U;
    /// Of one file, between holes: its extents are in memory until it ends.
    std::uint32_t max_pieces = 1'000'000;
    /// Begin to write to the disk while more is coming, and have all of it there when finish()
    /// returns.
    bool sync = true;
};

struct WriterResult {
    std::uint64_t file_system_bytes = 0;
    std::uint64_t used_bytes = 0; ///< without what is free
    std::uint32_t inodes = 0;     ///< in use, without the reserved ones
};

/// Writes an ext4 file system in one pass, from entries in any order, as they come. Data goes
/// straight to its place; directories, inodes and bitmaps follow in finish(), when all is known.
/// The file grows as needed, what nothing was written to stays a hole, and equal entries give equal
/// bytes.
///
/// Paths are relative to the root of the file system ("./usr/bin", "usr/bin" and "/usr/bin/" are
/// the same). Parents that nothing has named are made, root:root 0755, but with the group
/// of a set-group-ID directory that they are in, as mkdir(2) does it. A later entry of the same
/// path replaces the earlier one; a directory over a directory changes its metadata only. What a
/// file held that is no longer there cannot be read from the image: finish() punches a hole.
///
/// Every call throws Error: InvalidArgument for a path with "..", an overlong name, a parent that
/// is no directory or a value that ext4 cannot hold; LimitsExceeded over the limits; DiskFull.
/// After an error the file is of no use.
class Writer {
public:
    /// `fd`: an empty regular file, open for reading and writing; stays the caller's.
    Writer(int fd, WriterOptions options);
    ~Writer();
    Writer(const Writer &) = delete;
    Writer &operator=(const Writer &) = delete;

    void add_directory(std::string_view path, const Metadata &metadata);
    void add_symlink(std::string_view path, const Metadata &metadata, std::string_view target);
    /// `target` is an entry that is there and no directory.
    void add_hard_link(std::string_view path, std::string_view target);
    void add_character_device(std::string_view path, const Metadata &metadata, std::uint32_t major,
                              std::uint32_t minor);
    void add_block_device(std::string_view path, const Metadata &metadata, std::uint32_t major,
                          std::uint32_t minor);
    void add_fifo(std::string_view path, const Metadata &metadata);
    void add_socket(std::string_view path, const Metadata &metadata);

    /// A regular file of `size` bytes; its data follows in write_data(), until the next call of
    /// another kind.
    void begin_file(std::string_view path, const Metadata &metadata, std::uint64_t size);
    /// Offsets never go back; what is left out is a hole.
    void write_data(std::uint64_t offset, std::span<const std::byte> data);
    void add_file(std::string_view path, const Metadata &metadata, std::string_view content);

    /// Takes an entry away again, a directory with all that is in it. Does nothing if there is
    /// none.
    void remove(std::string_view path);
    bool exists(std::string_view path) const;

    /// From here on entries are a new layer over what is there, as in an OCI image. In every path
    /// from now on, and in the target of a hard link, parents that are symbolic links are followed
    /// inside the root of the file system, also to what is not there yet; the last name never is.
    void begin_layer();
    /// A whiteout: takes away what lower layers have put at a path and below it. What the current
    /// layer has put stays, with its parents. Does nothing if there is nothing.
    void remove_lower(std::string_view path);
    /// An opaque whiteout: the same for all that is in a directory.
    void remove_lower_content(std::string_view directory);

    /// Bytes of the disk that have been given out so far.
    std::uint64_t bytes_allocated() const noexcept;

    WriterResult finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace banger::ext4
