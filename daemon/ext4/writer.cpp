#include "daemon/ext4/writer.hpp"

#include "base/error.hpp"
#include "daemon/ext4/block_writer.hpp"
#include "daemon/ext4/checksum.hpp"
#include "daemon/ext4/extent_tree.hpp"
#include "daemon/ext4/geometry.hpp"
#include "daemon/ext4/inode_table.hpp"
#include "daemon/ext4/large_xattrs.hpp"
#include "daemon/ext4/tree.hpp"
#include "daemon/ext4/xattr.hpp"

#include <unistd.h>

#include <algorithm>

namespace banger::ext4 {
namespace {

constexpr std::uint64_t max_disk = std::uint64_t{1} << 40U;
/// From 32-bit logical block numbers.
constexpr std::uint64_t max_file = ((std::uint64_t{1} << 32U) - 1) * block_size;
/// Over this a directory's count is 1, «unknown» (dir_nlink).
constexpr std::uint32_t max_directory_links = 65000;
constexpr std::size_t max_short_target = 59;
constexpr std::size_t max_target = 4095;

WriterOptions checked(WriterOptions options) {
    if (options.label.size() > 16) {
        fail(ErrorCode::InvalidArgument, "the label {:?} has more than 16 bytes", options.label);
    }
    options.max_bytes = std::min(options.max_bytes, max_disk);
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

Inode inode_of(EntryType type, const Metadata &metadata) {
    Inode inode;
    inode.type = type;
    inode.metadata = metadata;
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
    std::vector<Run> used;
    Time newest;

    // The file whose data is coming, and the block of it that is not full yet.
    InodeNumber open_file = 0;
    std::uint64_t open_size = 0;
    std::uint64_t position = 0;
    std::span<std::byte> partial;
    std::uint64_t partial_logical = 0;
    std::size_t partial_filled = 0;

    State(int descriptor, WriterOptions wanted)
        : fd(descriptor), options(checked(std::move(wanted))), identity(identity_of(options.label)),
          checksum(identity.uuid), blocks(fd, options.max_bytes / block_size, options.sync),
          tree(options.max_inodes) {}

    InodeNumber put(std::string_view path, Inode inode) {
        end_file();
        // What cannot be written is refused while the path is known.
        try {
            write_large_xattrs(inode, blocks, checksum, tree);
        } catch (const Error &error) {
            throw error.with_context(path);
        }
        newest = std::max(newest, inode.metadata.modified);
        return tree.put(path, std::move(inode));
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
        open_file = 0;
    }

    void write(std::uint64_t offset, std::span<const std::byte> data);
    InodeLayout lay_out(InodeNumber number);
    void lay_out_directory(InodeNumber number, InodeLayout &layout);
    void lay_out_extents(InodeNumber number, InodeLayout &layout,
                         const std::vector<Extent> &extents);
    void write_tables(const Geometry &geometry, const std::vector<InodeRecord> &records);
};

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
            append_blocks(tree.at(open_file).extents, static_cast<std::uint32_t>(logical),
                          room.block, taken / block_size);
        } else {
            if (partial.empty()) {
                const BlockWriter::Room room = blocks.next(1);
                append_blocks(tree.at(open_file).extents, static_cast<std::uint32_t>(logical),
                              room.block, 1);
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

void Writer::State::lay_out_extents(InodeNumber number, InodeLayout &layout,
                                    const std::vector<Extent> &extents) {
    const ExtentTree written = write_extent_tree(blocks, checksum, number, extents);
    layout.has_extents = true;
    layout.root = written.root;
    for (const Extent &extent : extents) {
        used.push_back({extent.physical, extent.length});
        layout.blocks += extent.length;
    }
    for (const Run &run : written.blocks) {
        used.push_back(run);
        layout.blocks += run.length;
    }
}

void Writer::State::lay_out_directory(InodeNumber number, InodeLayout &layout) {
    const Inode &inode = tree.at(number);
    std::vector<DirectoryEntry> entries;
    entries.reserve(inode.entries.size());
    std::uint32_t links = 2;
    for (const auto &[name, link] : inode.entries) {
        const EntryType type = tree.at(link.inode).type;
        entries.push_back({name, link.inode, type});
        links += type == EntryType::Directory ? 1 : 0;
    }
    layout.links = links < max_directory_links ? links : 1;
    const WrittenDirectory written =
        write_directory(blocks, checksum, identity.hash_seed, number, inode.parent, entries);
    layout.size = std::uint64_t{written.block_count} * block_size;
    layout.indexed = written.indexed;
    lay_out_extents(number, layout, written.extents);
}

InodeLayout Writer::State::lay_out(InodeNumber number) {
    const Inode &inode = tree.at(number);
    InodeLayout layout;
    layout.links = inode.links;
    layout.size = inode.size;
    switch (inode.type) {
    case EntryType::Directory:
        lay_out_directory(number, layout);
        break;
    case EntryType::Regular:
        lay_out_extents(number, layout, inode.extents);
        break;
    case EntryType::Symlink:
        layout.size = inode.target.size();
        if (inode.target.size() <= max_short_target) {
            std::memcpy(layout.root.data(), inode.target.data(), inode.target.size());
        } else {
            const BlockWriter::Room room = blocks.next(1);
            std::fill(room.memory.begin(), room.memory.end(), std::byte{0});
            std::memcpy(room.memory.data(), inode.target.data(), inode.target.size());
            lay_out_extents(number, layout, {{0, 1, room.block}});
        }
        break;
    case EntryType::CharacterDevice:
    case EntryType::BlockDevice:
        layout.root = encode_device(inode.major, inode.minor);
        break;
    case EntryType::Fifo:
    case EntryType::Socket:
        break;
    }
    if (!inode.metadata.xattrs.empty()) {
        EncodedXattrs encoded = encode_xattrs(inode.metadata.xattrs, inode.value_inodes);
        layout.xattrs = encoded.in_inode;
        if (encoded.block) {
            const BlockWriter::Room room = blocks.next(1);
            seal_xattr_block(*encoded.block, room.block, checksum);
            std::memcpy(room.memory.data(), encoded.block->data(), block_size);
            layout.xattr_block = room.block;
            layout.blocks += 1;
            used.push_back({room.block, 1});
        }
        // They are charged to whom they belong, as by the kernel.
        for (const auto &[name, value] : inode.value_inodes) {
            layout.blocks += (value.size + block_size - 1) / block_size;
        }
    }
    return layout;
}

void Writer::State::write_tables(const Geometry &geometry,
                                 const std::vector<InodeRecord> &records) {
    for (std::uint32_t group = 0; group < geometry.groups; ++group) {
        const std::size_t first = std::size_t{group} * geometry.inodes_per_group;
        if (first >= records.size()) {
            break;
        }
        const std::size_t count =
            std::min<std::size_t>(geometry.inodes_per_group, records.size() - first);
        write_at(fd, geometry.tables[group] * block_size,
                 std::as_bytes(std::span{records}.subspan(first, count)));
    }
}

Writer::Writer(int fd, WriterOptions options)
    : state_(std::make_unique<State>(fd, std::move(options))) {}

Writer::~Writer() = default;

void Writer::add_directory(std::string_view path, const Metadata &metadata) {
    state_->put(path, inode_of(EntryType::Directory, metadata));
}

void Writer::add_symlink(std::string_view path, const Metadata &metadata, std::string_view target) {
    if (target.empty() || target.size() > max_target ||
        target.find('\0') != std::string_view::npos) {
        fail(ErrorCode::InvalidArgument, "{:?} is a symbolic link to nothing that can be", path);
    }
    Inode inode = inode_of(EntryType::Symlink, metadata);
    inode.target = target;
    state_->put(path, std::move(inode));
}

void Writer::add_hard_link(std::string_view path, std::string_view target) {
    state_->end_file();
    state_->tree.link(path, target);
}

void Writer::add_character_device(std::string_view path, const Metadata &metadata,
                                  std::uint32_t major, std::uint32_t minor) {
    Inode inode = inode_of(EntryType::CharacterDevice, metadata);
    inode.major = major;
    inode.minor = minor;
    state_->put(path, std::move(inode));
}

void Writer::add_block_device(std::string_view path, const Metadata &metadata, std::uint32_t major,
                              std::uint32_t minor) {
    Inode inode = inode_of(EntryType::BlockDevice, metadata);
    inode.major = major;
    inode.minor = minor;
    state_->put(path, std::move(inode));
}

void Writer::add_fifo(std::string_view path, const Metadata &metadata) {
    state_->put(path, inode_of(EntryType::Fifo, metadata));
}

void Writer::add_socket(std::string_view path, const Metadata &metadata) {
    state_->put(path, inode_of(EntryType::Socket, metadata));
}

void Writer::begin_file(std::string_view path, const Metadata &metadata, std::uint64_t size) {
    if (size > max_file) {
        fail(ErrorCode::Unsupported, "{:?} of {} bytes is larger than ext4 allows", path, size);
    }
    Inode inode = inode_of(EntryType::Regular, metadata);
    inode.size = size;
    state_->open_file = state_->put(path, std::move(inode));
    state_->open_size = size;
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
    const InodeNumber end = state.tree.end();
    std::vector<InodeRecord> records(end - 1); // numbers begin at 1
    std::vector<Usage> usage;
    for (InodeNumber number = root_inode; number < end; ++number) {
        if (state.tree.has(number)) {
            const InodeLayout layout = state.lay_out(number);
            records[number - 1] =
                encode_inode(number, state.tree.at(number), layout, state.checksum);
            usage.push_back({number, state.tree.at(number).is_directory(),
                             state.tree.at(number).is_xattr_value});
        }
    }
    const Geometry geometry = plan_geometry(state.blocks, end - 1);
    state.blocks.flush();
    if (::ftruncate(state.fd, static_cast<off_t>(geometry.blocks * block_size)) != 0) {
        throw_errno("size the file system");
    }
    state.write_tables(geometry, records);

    for (const Run &run : merged(state.tree.freed())) {
        erase_blocks(state.fd, run);
    }
    const std::vector<Run> used = merged(std::move(state.used));
    WriterResult result;
    for (const Run &run : used) {
        result.used_bytes += run.length * block_size;
    }
    // The superblock holds 32 bits and no zero: zero would mean the clock.
    const std::int64_t time = std::clamp<std::int64_t>(state.newest.seconds, 1, 0xffffffffLL);
    write_superstructure(state.fd, geometry, state.options.label, state.identity, time, used,
                         usage);
    if (state.options.sync && ::fsync(state.fd) != 0) {
        throw_errno("write the file system to the disk");
    }
    result.used_bytes += std::uint64_t{geometry.groups} * (2 + geometry.table_blocks) * block_size;
    result.file_system_bytes = geometry.blocks * block_size;
    result.inodes = static_cast<std::uint32_t>(usage.size());
    return result;
}

} // namespace banger::ext4
