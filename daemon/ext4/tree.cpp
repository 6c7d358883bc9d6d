#include "daemon/ext4/tree.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <utility>

namespace banger::ext4 {
namespace {

constexpr std::size_t max_name = 255;
constexpr std::size_t max_path = 4096;
constexpr std::uint32_t max_links = 65000;
constexpr unsigned max_followed = 255;

/// "" at the end; "." and empty components are passed over.
std::string_view take_component(std::string_view &rest) {
    while (!rest.empty()) {
        const auto slash = rest.find('/');
        const std::string_view component = rest.substr(0, slash);
        rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
        if (!component.empty() && component != ".") {
            return component;
        }
    }
    return {};
}

void check_name(std::string_view name, std::string_view path) {
    if (name.size() > max_name || name.find('\0') != std::string_view::npos) {
        fail(ErrorCode::InvalidArgument, "the path {:?} has a name that ext4 cannot hold",
             path.substr(0, 512));
    }
}

std::string_view next_component(std::string_view &rest, std::string_view whole) {
    const std::string_view component = take_component(rest);
    if (component == "..") {
        fail(ErrorCode::InvalidArgument, "the path {:?} leads upwards", whole);
    }
    check_name(component, whole);
    return component;
}

std::vector<std::string_view> components_of(std::string_view path) {
    if (path.size() > max_path) {
        fail(ErrorCode::InvalidArgument, "a path of {} bytes is too long: {:?}…", path.size(),
             path.substr(0, 64));
    }
    std::vector<std::string_view> components;
    std::string_view rest = path;
    for (auto name = next_component(rest, path); !name.empty(); name = next_component(rest, path)) {
        components.push_back(name);
    }
    return components;
}

/// The last component; "" for the root.
std::string_view take_last(std::vector<std::string_view> &components) {
    if (components.empty()) {
        return {};
    }
    const std::string_view last = components.back();
    components.pop_back();
    return last;
}

} // namespace

Tree::Tree(std::uint32_t max_inodes, std::uint64_t max_text_bytes)
    : max_inodes_(max_inodes), inodes_(first_free_inode), texts_(max_text_bytes) {
    inodes_[root_inode].type = EntryType::Directory;
    inodes_[root_inode].content = Directory{root_inode, 0, {}};
}

Extra &Tree::extra(InodeNumber number) {
    at(number).has_extra = true;
    return extras_[number];
}

const Extra *Tree::find_extra(InodeNumber number) const {
    return at(number).has_extra ? &extras_.at(number) : nullptr;
}

std::uint32_t Tree::count() const {
    return static_cast<std::uint32_t>(
        std::count_if(inodes_.begin(), inodes_.end(),
                      [](const Inode &inode) { return inode.type != EntryType::Unknown; }));
}

bool Tree::has_xattr_values() const {
    return std::any_of(inodes_.begin(), inodes_.end(),
                       [](const Inode &inode) { return inode.is_xattr_value; });
}

void Tree::begin_layer() {
    ++layer_;
    forget_last_parent();
}

void Tree::forget_last_parent() {
    last_parent_ = 0;
}

const Link *Tree::child(InodeNumber directory, std::string_view name) const {
    return directory == 0 ? nullptr : names_.find(directory, name);
}

InodeNumber Tree::find(std::string_view path) const {
    const Place place = look_up(path);
    if (place.name.empty()) {
        return place.directory;
    }
    const Link *link = child(place.directory, place.name);
    return link == nullptr ? 0 : link->inode;
}

InodeNumber Tree::create(Inode inode) {
    if (inodes_.size() >= max_inodes_) {
        fail(ErrorCode::LimitsExceeded, "more than {} files in one file system", max_inodes_);
    }
    inodes_.push_back(inode);
    return end() - 1;
}

/// Follows symbolic links as chroot(2) would have them: no way leads out of the root. What is not
/// there is taken as it is written, so that ".." behind it leads back.
std::vector<std::string_view> Tree::resolve(std::vector<std::string_view> directories,
                                            std::string_view whole) const {
    if (layer_ == 0) {
        return directories;
    }
    struct Step {
        std::string_view name;
        InodeNumber inode;
    };
    std::vector<Step> steps;
    unsigned followed = 0;
    std::vector<std::string_view> ahead{directories.rbegin(), directories.rend()};
    while (!ahead.empty()) {
        const std::string_view name = take_component(ahead.back());
        if (name.empty()) {
            ahead.pop_back();
            continue;
        }
        if (name == "..") {
            if (!steps.empty()) {
                steps.pop_back();
            }
            continue;
        }
        check_name(name, whole);
        const InodeNumber here = steps.empty() ? root_inode : steps.back().inode;
        const Link *link = child(here, name);
        if (link == nullptr || at(link->inode).type != EntryType::Symlink) {
            steps.push_back({name, link == nullptr ? 0 : link->inode});
            continue;
        }
        if (++followed > max_followed) {
            fail(ErrorCode::InvalidArgument,
                 "the path {:?} leads through more than {} symbolic links", whole, max_followed);
        }
        const std::string_view target = target_of(link->inode);
        if (target.starts_with('/')) {
            steps.clear();
        }
        ahead.push_back(target);
    }
    directories.clear();
    for (const Step &step : steps) {
        directories.push_back(step.name);
    }
    return directories;
}

Tree::Place Tree::look_up(std::string_view path) const {
    std::vector<std::string_view> components = components_of(path);
    const std::string_view last = take_last(components);
    return {look_up_directory(std::move(components), path), last};
}

InodeNumber Tree::look_up_directory(std::vector<std::string_view> names,
                                    std::string_view whole) const {
    InodeNumber directory = root_inode;
    for (const std::string_view name : resolve(std::move(names), whole)) {
        const Link *link = child(directory, name);
        if (link == nullptr) {
            return 0;
        }
        directory = link->inode;
    }
    return at(directory).is_directory() ? directory : 0;
}

InodeNumber Tree::create_parent(InodeNumber in) {
    constexpr std::uint16_t set_group_id = 02000;
    Inode directory;
    directory.type = EntryType::Directory;
    directory.content = Directory{in, 0, {}};
    const Inode &above = at(in);
    if ((above.permissions & set_group_id) != 0) {
        directory.permissions |= set_group_id;
        directory.gid = above.gid;
    }
    return create(directory);
}

Tree::Place Tree::locate(std::string_view path) {
    const auto slash = path.rfind('/');
    const bool ends_in_name = slash != std::string_view::npos && slash + 1 < path.size();
    if (last_parent_ != 0 && ends_in_name && path.size() <= max_path &&
        path.substr(0, slash) == last_parent_path_) {
        std::string_view rest = path.substr(slash + 1);
        const std::string_view name = next_component(rest, path);
        if (!name.empty()) {
            return {last_parent_, name};
        }
    }
    std::vector<std::string_view> components = components_of(path);
    Place place{root_inode, take_last(components)};
    for (const std::string_view name : resolve(std::move(components), path)) {
        Link *found = names_.find(place.directory, name);
        if (found == nullptr) {
            const InodeNumber made = create_parent(place.directory);
            names_.add(place.directory, name, Link{made, layer_});
            place.directory = made;
            continue;
        }
        if (!at(found->inode).is_directory()) {
            fail(ErrorCode::InvalidArgument,
                 "the path {:?} leads through {:?}, which is no directory", path, name);
        }
        found->layer = layer_;
        place.directory = found->inode;
    }
    if (ends_in_name) {
        last_parent_path_ = path.substr(0, slash);
        last_parent_ = place.directory;
    }
    return place;
}

InodeNumber Tree::put(std::string_view path, Inode inode, WrittenXattrs xattrs) {
    const Place place = locate(path);
    if (place.name.empty()) {
        if (!inode.is_directory()) {
            fail(ErrorCode::InvalidArgument, "the root of a file system is a directory");
        }
        replace_metadata(root_inode, inode, std::move(xattrs));
        return root_inode;
    }
    if (Link *link = names_.find(place.directory, place.name); link != nullptr) {
        if (at(link->inode).is_directory() && inode.is_directory()) {
            replace_metadata(link->inode, inode, std::move(xattrs));
            link->layer = layer_;
            return link->inode;
        }
        unlink(place.directory, place.name);
    }
    if (inode.type == EntryType::Symlink) {
        // The way to what was remembered may lead through it.
        forget_last_parent();
    }
    if (inode.is_directory()) {
        inode.content = Directory{place.directory, 0, {}};
    }
    inode.links = 1;
    const InodeNumber number = create(inode);
    set_xattrs(number, std::move(xattrs));
    names_.add(place.directory, place.name, Link{number, layer_});
    return number;
}

void Tree::link(std::string_view path, std::string_view target) {
    const InodeNumber number = find(target);
    if (number == 0) {
        fail(ErrorCode::InvalidArgument, "{:?} is a hard link to {:?}, which is not there", path,
             target);
    }
    if (at(number).is_directory()) {
        fail(ErrorCode::InvalidArgument, "{:?} is a hard link to the directory {:?}", path, target);
    }
    if (at(number).links >= max_links) {
        fail(ErrorCode::Unsupported, "{:?} has more than {} hard links", target, max_links);
    }
    const Place place = locate(path);
    if (place.name.empty()) {
        fail(ErrorCode::InvalidArgument, "the root of a file system is a directory");
    }
    Link *existing = names_.find(place.directory, place.name);
    if (existing != nullptr && existing->inode == number) {
        existing->layer = layer_;
        return;
    }
    ++at(number).links;
    if (existing != nullptr) {
        unlink(place.directory, place.name);
    }
    if (at(number).type == EntryType::Symlink) {
        forget_last_parent();
    }
    names_.add(place.directory, place.name, Link{number, layer_});
}

Tree::Place Tree::look_up_to_remove(std::string_view path) const {
    Place place = look_up(path);
    if (place.name.empty()) {
        fail(ErrorCode::InvalidArgument, "the root of a file system cannot be removed");
    }
    return place;
}

void Tree::remove(std::string_view path) {
    const Place place = look_up_to_remove(path);
    if (child(place.directory, place.name) != nullptr) {
        unlink(place.directory, place.name);
    }
}

void Tree::remove_lower(std::string_view path) {
    const Place place = look_up_to_remove(path);
    const Link *link = child(place.directory, place.name);
    if (link == nullptr) {
        return;
    }
    if (link->layer != layer_) {
        unlink(place.directory, place.name);
    } else if (at(link->inode).is_directory()) {
        remove_lower_in(link->inode);
    }
}

void Tree::remove_lower_content(std::string_view directory) {
    const InodeNumber number = look_up_directory(components_of(directory), directory);
    if (number != 0) {
        remove_lower_in(number);
    }
}

void Tree::remove_lower_in(InodeNumber top) {
    std::vector<InodeNumber> directories{top};
    while (!directories.empty()) {
        const InodeNumber current = directories.back();
        directories.pop_back();
        // Or an archive of whiteouts of one large directory would keep us busy.
        if (std::exchange(directory(current).only_of_layer, layer_) == layer_) {
            continue;
        }
        std::string_view done;
        while (const auto entry = names_.next(current, done)) {
            done = entry->name;
            if (entry->link.layer != layer_) {
                unlink(current, entry->name);
            } else if (at(entry->link.inode).is_directory()) {
                directories.push_back(entry->link.inode);
            }
        }
    }
}

void Tree::unlink(InodeNumber directory, std::string_view name) {
    const InodeNumber number = names_.find(directory, name)->inode;
    names_.erase(directory, name);
    // What was remembered may be gone with it.
    forget_last_parent();
    if (at(number).is_directory()) {
        drop(number);
    } else if (--at(number).links == 0) {
        release(number);
    }
}

void Tree::drop(InodeNumber number) {
    // A list instead of recursion: depth is the archive's choice.
    std::vector<InodeNumber> directories{number};
    while (!directories.empty()) {
        const InodeNumber current = directories.back();
        directories.pop_back();
        while (const auto entry = names_.next(current, {})) {
            names_.erase(current, entry->name);
            const InodeNumber inode = entry->link.inode;
            if (at(inode).is_directory()) {
                directories.push_back(inode);
            } else if (--at(inode).links == 0) {
                release(inode);
            }
        }
        release(current);
    }
}

void Tree::release(InodeNumber number) {
    release_xattrs(number);
    Inode &inode = at(number);
    if (const Data *data = data_of(inode); data != nullptr && data->start != 0) {
        freed_.push_back({data->start, data->blocks});
    }
    if (const Extra *extra = find_extra(number); extra != nullptr) {
        if (extra->pieces) {
            freed_.insert(freed_.end(), extra->pieces->runs.begin(), extra->pieces->runs.end());
        }
        extras_.erase(number);
    }
    inode = Inode{};
}

void Tree::release_xattrs(InodeNumber number) {
    if (!at(number).has_extra) {
        return;
    }
    const WrittenXattrs xattrs = std::exchange(extras_.at(number).xattrs, {});
    if (xattrs.block != 0) {
        freed_.push_back({xattrs.block, 1});
    }
    for (const InodeNumber value : xattrs.values) {
        release(value);
    }
}

void Tree::set_xattrs(InodeNumber number, WrittenXattrs xattrs) {
    if (xattrs.in_inode != nullptr || xattrs.block != 0) {
        extra(number).xattrs = std::move(xattrs);
    }
}

void Tree::replace_metadata(InodeNumber number, const Inode &from, WrittenXattrs xattrs) {
    release_xattrs(number);
    Inode &inode = at(number);
    inode.permissions = from.permissions;
    inode.uid = from.uid;
    inode.gid = from.gid;
    inode.modified = from.modified;
    inode.accessed = from.accessed;
    set_xattrs(number, std::move(xattrs));
}

} // namespace banger::ext4
