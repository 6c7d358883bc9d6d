#include "daemon/ext4/writer.hpp"

#include "base/error.hpp"
#include "daemon/ext4/block_writer.hpp"
#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/extent_tree.hpp"
#include "daemon/ext4/file_data.hpp"
#include "daemon/ext4/geometry.hpp"
#include "daemon/ext4/inode_table.hpp"
#include "daemon/ext4/tree.hpp"
#include "daemon/ext4/xattr_writer.hpp"

#include <unistd.h>

#include <algorithm>

namespace banger::ext4 {
namespace {

constexpr std::uint64_t max_disk = std::uint64_t{1} << 40U;
constexpr std::uint64_t max_text = std::uint64_t{1} << 32U;
/// From 32-bit logical block numbers.
constexpr std::uint64_t max_file = ((std::uint64_t{1} << 32U) - 1) * block_size;
/// Over this a directory's count is 1, «unknown» (dir_nlink).
constexpr std::uint32_t max_directory_links = 65000;
constexpr std::size_t max_short_target = 59;
// As Linux has device numbers.
constexpr std::uint32_t max_major = (1U << 12U) - 1;
constexpr std::uint32_t max_minor = (1U << 20U) - 1;
constexpr std::size_t max_target = 4095;
constexpr InodeNumber records_at_once = 4096;

WriterOptions checked(WriterOptions options) {
    if (options.label.size() > 16) {
        fail(ErrorCode::InvalidArgument, "the label {:?} has more than 16 bytes", options.label);
    }
    options.max_bytes = std::min(options.max_bytes, max_disk);
    options.max_text_bytes = std::min(options.max_text_bytes, max_text);
    return options;
}

std::vector<Run> merged(std::vector<Run> runs) {
    std::sort(runs.begin(), runs.end(),
              [](const Run &a, const Run &b) { return a.start < b.start; });
    std::vector<Run> result;
    for (const Run &run : runs) {
        if (!result.empty() && result.back().start + result.back().length == run.start) {
            result.back().length += run.length;
        } else {
            result.push_back(run);
        }
    }
    return result;
}

/// `all` without `holes`; both are in order, and every hole lies inside one run.
std::vector<Run> without(const std::vector<Run> &all, const std::vector<Run> &holes) {
    std::vector<Run> result;
    auto hole = holes.begin();
    for (Run rest : all) {
        for (; hole != holes.end() && hole->start < rest.start + rest.length; ++hole) {
            if (hole->start > rest.start) {
                result.push_back({rest.start, hole->start - rest.start});
            }
            const std::uint64_t end = rest.start + rest.length;
            rest.start = hole->start + hole->length;
            rest.length = end - rest.start;
        }
        if (rest.length > 0) {
            result.push_back(rest);
        }
    }
    return result;
}

Inode inode_of(EntryType type, const Metadata &metadata) {
    Inode inode;
    inode.type = type;
    inode.permissions = metadata.permissions;
    inode.uid = metadata.uid;
    inode.gid = metadata.gid;
    inode.modified = disk_time(metadata.modified);
    inode.accessed = metadata.accessed ? disk_time(*metadata.accessed) : inode.modified;
    return inode;
}

} // namespace

struct Writer::State {
    int fd;
    WriterOptions options;
    Identity identity;
    Checksum checksum;
    BlockWriter blocks;
    Tree tree;
    Time newest;

    // The file whose data is coming, and the block of it that is not full yet.
    InodeNumber open_file = 0;
    std::uint64_t open_size = 0;
    std::vector<Extent> open_extents;
    std::uint64_t position = 0;
    std::span<std::byte> partial;
    std::uint64_t partial_logical = 0;
    std::size_t partial_filled = 0;

    State(int descriptor, WriterOptions wanted)
        : fd(descriptor), options(checked(std::move(wanted))), identity(identity_of(options.label)),
          checksum(identity.uuid), blocks(fd, options.max_bytes / block_size, options.sync),
          tree(options.max_inodes, options.max_text_bytes) {}

    InodeNumber put(std::string_view path, const Inode &inode, const Metadata &metadata) {
        end_file();
        WrittenXattrs xattrs;
        // What cannot be written is refused while the path is known.
        try {
            xattrs = write_xattrs(metadata.xattrs, inode.type, blocks, checksum, tree);
        } catch (const Error &error) {
            throw error.with_context(path);
        }
        newest = std::max(newest, metadata.modified);
        return tree.put(path, inode, std::move(xattrs));
    }

    void put_device(std::string_view path, EntryType type, const Metadata &metadata,
                    const Device &device) {
        if (device.major > max_major || device.minor > max_minor) {
            fail(ErrorCode::InvalidArgument, "{:?} is a device {}:{}, which ext4 cannot hold", path,
                 device.major, device.minor);
        }
        Inode inode = inode_of(type, metadata);
        inode.content = device;
        put(path, inode, metadata);
    }

    void end_partial() {
        if (!partial.empty()) {
            std::fill(partial.begin() + static_cast<std::ptrdiff_t>(partial_filled), partial.end(),
                      std::byte{0});
            partial = {};
        }
    }

    void end_file() {
        end_partial();
        if (open_file != 0) {
            set_data(tree, open_file, open_extents, blocks, checksum);
            open_file = 0;
        }
    }

    void write(std::uint64_t offset, std::span<const std::byte> data);
    void append(std::uint64_t logical, std::uint64_t physical, std::uint64_t count);
    void write_directories();
    void write_tables(const Geometry &geometry);
};

void Writer::State::append(std::uint64_t logical, std::uint64_t physical, std::uint64_t count) {
    append_blocks(open_extents, static_cast<std::uint32_t>(logical), physical, count);
    if (open_extents.size() > options.max_pieces) {
        fail(ErrorCode::LimitsExceeded, "a file of more than {} pieces with holes between them",
             options.max_pieces);
    }
}

void Writer::State::write(std::uint64_t offset, std::span<const std::byte> data) {
    if (open_file == 0) {
        fail(ErrorCode::InvalidArgument, "data without a file that it belongs to");
    }
    if (offset < position || offset > open_size || data.size() > open_size - offset) {
        fail(ErrorCode::InvalidArgument,
             "data at {} of {} bytes is out of order or outside a file of {} bytes", offset,
             data.size(), open_size);
    }
    position = offset + data.size();
    while (!data.empty()) {
        const std::uint64_t logical = offset / block_size;
        const std::size_t inside = offset % block_size;
        if (!partial.empty() && partial_logical != logical) {
            end_partial();
        }
        std::size_t taken = 0;
        if (partial.empty() && inside == 0 && data.size() >= block_size) {
            const BlockWriter::Room room = blocks.next(data.size() / block_size);
            taken = room.memory.size();
            std::memcpy(room.memory.data(), data.data(), taken);
            append(logical, room.block, taken / block_size);
        } else {
            if (partial.empty()) {
                const BlockWriter::Room room = blocks.next(1);
                append(logical, room.block, 1);
                partial = room.memory;
                partial_logical = logical;
                partial_filled = 0;
            }
            taken = std::min(data.size(), block_size - inside);
            std::fill(partial.begin() + static_cast<std::ptrdiff_t>(partial_filled),
                      partial.begin() + static_cast<std::ptrdiff_t>(inside), std::byte{0});
            std::memcpy(partial.data() + inside, data.data(), taken);
            partial_filled = inside + taken;
            if (partial_filled == block_size) {
                partial = {};
            }
        }
        offset += taken;
        data = data.subspan(taken);
    }
}

void Writer::State::write_directories() {
    for (InodeNumber number = root_inode; number < tree.end(); ++number) {
        if (!tree.has(number) || !tree.at(number).is_directory()) {
            continue;
        }
        const WrittenDirectory written =
            write_directory(blocks, checksum, identity.hash_seed, tree, number);
        set_data(tree, number, written.extents, blocks, checksum);
        Inode &inode = tree.at(number);
        const std::uint32_t links = 2 + written.subdirectories;
        inode.links = links < max_directory_links ? static_cast<std::uint16_t>(links) : 1;
        inode.indexed = written.indexed;
    }
}

void Writer::State::write_tables(const Geometry &geometry) {
    std::vector<InodeRecord> records;
    records.reserve(records_at_once);
    for (InodeNumber first = 1; first < tree.end();) {
        const std::uint32_t group = (first - 1) / geometry.inodes_per_group;
        const std::uint32_t in_group = (first - 1) % geometry.inodes_per_group;
        const InodeNumber end = std::min(
            {first + records_at_once, first - in_group + geometry.inodes_per_group, tree.end()});
        records.clear();
        for (InodeNumber number = first; number < end; ++number) {
            records.push_back(tree.has(number) ? encode_inode(number, tree, checksum)
                                               : InodeRecord{});
        }
        write_at(fd, geometry.tables[group] * block_size + std::uint64_t{in_group} * inode_size,
                 std::as_bytes(std::span{records}));
        first = end;
    }
}

Writer::Writer(int fd, WriterOptions options)
    : state_(std::make_unique<State>(fd, std::move(options))) {}

Writer::~Writer() = default;

void Writer::add_directory(std::string_view path, const Metadata &metadata) {
    state_->put(path, inode_of(EntryType::Directory, metadata), metadata);
}

void Writer::add_symlink(std::string_view path, const Metadata &metadata, std::string_view target) {
    if (target.empty() || target.size() > max_target ||
        target.find('\0') != std::string_view::npos) {
        fail(ErrorCode::InvalidArgument, "{:?} is a symbolic link to nothing that can be", path);
    }
    state_->end_file();
    Symlink content;
    content.target = state_->tree.texts().add(target);
    if (target.size() > max_short_target) {
        const BlockWriter::Room room = state_->blocks.next(1);
        std::fill(room.memory.begin(), room.memory.end(), std::byte{0});
        std::memcpy(room.memory.data(), target.data(), target.size());
        content.data = {static_cast<std::uint32_t>(room.block), 1};
    }
    Inode inode = inode_of(EntryType::Symlink, metadata);
    inode.content = content;
    state_->put(path, inode, metadata);
}

void Writer::add_hard_link(std::string_view path, std::string_view target) {
    state_->end_file();
    state_->tree.link(path, target);
}

void Writer::add_character_device(std::string_view path, const Metadata &metadata,
                                  std::uint32_t major, std::uint32_t minor) {
    state_->put_device(path, EntryType::CharacterDevice, metadata, {major, minor});
}

void Writer::add_block_device(std::string_view path, const Metadata &metadata, std::uint32_t major,
                              std::uint32_t minor) {
    state_->put_device(path, EntryType::BlockDevice, metadata, {major, minor});
}

void Writer::add_fifo(std::string_view path, const Metadata &metadata) {
    state_->put(path, inode_of(EntryType::Fifo, metadata), metadata);
}

void Writer::add_socket(std::string_view path, const Metadata &metadata) {
    state_->put(path, inode_of(EntryType::Socket, metadata), metadata);
}

void Writer::begin_file(std::string_view path, const Metadata &metadata, std::uint64_t size) {
    if (size > max_file) {
        fail(ErrorCode::Unsupported, "{:?} of {} bytes is larger than ext4 allows", path, size);
    }
    Inode inode = inode_of(EntryType::Regular, metadata);
    inode.content = RegularFile{size, {}};
    state_->open_file = state_->put(path, inode, metadata);
    state_->open_size = size;
    state_->open_extents.clear();
    state_->position = 0;
}

void Writer::write_data(std::uint64_t offset, std::span<const std::byte> data) {
    state_->write(offset, data);
}

void Writer::add_file(std::string_view path, const Metadata &metadata, std::string_view content) {
    begin_file(path, metadata, content.size());
    write_data(0, std::as_bytes(std::span{content}));
}

void Writer::remove(std::string_view path) {
    state_->end_file();
    state_->tree.remove(path);
}

bool Writer::exists(std::string_view path) const {
    return state_->tree.find(path) != 0;
}

void Writer::begin_layer() {
    state_->end_file();
    state_->tree.begin_layer();
}

void Writer::remove_lower(std::string_view path) {
    state_->end_file();
    state_->tree.remove_lower(path);
}

void Writer::remove_lower_content(std::string_view directory) {
    state_->end_file();
    state_->tree.remove_lower_content(directory);
}

std::uint64_t Writer::bytes_allocated() const noexcept {
    return state_->blocks.end() * block_size;
}

WriterResult Writer::finish() {
    State &state = *state_;
    state.end_file();
    state.write_directories();
    const Geometry geometry = plan_geometry(state.blocks, state.tree.end() - 1);
    state.blocks.flush();
    if (::ftruncate(state.fd, static_cast<off_t>(geometry.blocks * block_size)) != 0) {
        throw_errno("size the file system");
    }
    state.write_tables(geometry);

    const std::vector<Run> freed = merged(state.tree.freed());
    for (const Run &run : freed) {
        erase_blocks(state.fd, run);
    }
    const std::vector<Run> used = without(state.blocks.given(), freed);
    WriterResult result;
    for (const Run &run : used) {
        result.used_bytes += run.length * block_size;
    }
    // The superblock holds 32 bits and no zero: zero would mean the clock.
    const std::int64_t time = std::clamp<std::int64_t>(state.newest.seconds, 1, 0xffffffffLL);
    write_superstructure(state.fd, geometry, state.options.label, state.identity, time, used,
                         state.tree);
    if (state.options.sync && ::fsync(state.fd) != 0) {
        throw_errno("write the file system to the disk");
    }
    result.used_bytes += std::uint64_t{geometry.groups} * (2 + geometry.table_blocks) * block_size;
    result.file_system_bytes = geometry.blocks * block_size;
    result.inodes = state.tree.count();
    return result;
}

} // namespace banger::ext4
