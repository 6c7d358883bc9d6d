#include "daemon/ext4/tree.hpp"

#include "base/error.hpp"

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
std::string take_last(std::vector<std::string_view> &components) {
    if (components.empty()) {
        return {};
    }
    std::string last{components.back()};
    components.pop_back();
    return last;
}

} // namespace

Tree::Tree(std::uint32_t max_inodes) : max_inodes_(max_inodes) {
    inodes_.resize(first_free_inode);
    auto root = std::make_unique<Inode>();
    root->type = EntryType::Directory;
    root->parent = root_inode;
    inodes_[root_inode] = std::move(root);
}

void Tree::begin_layer() {
    ++layer_;
    forget_last_parent();
}

void Tree::forget_last_parent() {
    last_parent_ = 0;
}

const Link *Tree::child(InodeNumber directory, std::string_view name) const {
    if (directory == 0 || !at(directory).is_directory()) {
        return nullptr;
    }
    const auto &entries = at(directory).entries;
    const auto found = entries.find(name);
    return found == entries.end() ? nullptr : &found->second;
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
    inodes_.push_back(std::make_unique<Inode>(std::move(inode)));
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
        const std::string_view target = at(link->inode).target;
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
    std::string last = take_last(components);
    return {look_up_directory(std::move(components), path), std::move(last)};
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
    directory.parent = in;
    const Metadata &above = at(in).metadata;
    if ((above.permissions & set_group_id) != 0) {
        directory.metadata.permissions |= set_group_id;
        directory.metadata.gid = above.gid;
    }
    return create(std::move(directory));
}

Tree::Place Tree::locate(std::string_view path) {
    const auto slash = path.rfind('/');
    const bool ends_in_name = slash != std::string_view::npos && slash + 1 < path.size();
    if (last_parent_ != 0 && ends_in_name && path.size() <= max_path &&
        path.substr(0, slash) == last_parent_path_) {
        std::string_view rest = path.substr(slash + 1);
        const std::string_view name = next_component(rest, path);
        if (!name.empty()) {
            return {last_parent_, std::string(name)};
        }
    }
    std::vector<std::string_view> components = components_of(path);
    Place place{root_inode, take_last(components)};
    for (const std::string_view name : resolve(std::move(components), path)) {
        auto &entries = at(place.directory).entries;
        auto found = entries.find(name);
        if (found == entries.end()) {
            found = entries.emplace(name, Link{create_parent(place.directory), 0}).first;
        } else if (!at(found->second.inode).is_directory()) {
            fail(ErrorCode::InvalidArgument,
                 "the path {:?} leads through {:?}, which is no directory", path, name);
        }
        found->second.layer = layer_;
        place.directory = found->second.inode;
    }
    if (ends_in_name) {
        last_parent_path_ = path.substr(0, slash);
        last_parent_ = place.directory;
    }
    return place;
}

InodeNumber Tree::put(std::string_view path, Inode inode) {
    const Place place = locate(path);
    if (place.name.empty()) {
        if (!inode.is_directory()) {
            fail(ErrorCode::InvalidArgument, "the root of a file system is a directory");
        }
        replace_metadata(root_inode, inode);
        return root_inode;
    }
    auto &entries = at(place.directory).entries;
    const auto existing = entries.find(place.name);
    if (existing != entries.end()) {
        Link &link = existing->second;
        if (at(link.inode).is_directory() && inode.is_directory()) {
            replace_metadata(link.inode, inode);
            link.layer = layer_;
            return link.inode;
        }
        unlink(place.directory, place.name);
    }
    if (inode.type == EntryType::Symlink) {
        // The way to what was remembered may lead through it.
        forget_last_parent();
    }
    inode.parent = inode.is_directory() ? place.directory : 0;
    inode.links = 1;
    const InodeNumber number = create(std::move(inode));
    entries.emplace(place.name, Link{number, layer_});
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
    auto &entries = at(place.directory).entries;
    const auto existing = entries.find(place.name);
    if (existing != entries.end() && existing->second.inode == number) {
        existing->second.layer = layer_;
        return;
    }
    ++at(number).links;
    if (existing != entries.end()) {
        unlink(place.directory, place.name);
    }
    if (at(number).type == EntryType::Symlink) {
        forget_last_parent();
    }
    entries.emplace(place.name, Link{number, layer_});
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
    if (link->layer == layer_) {
        remove_lower_in(link->inode);
    } else {
        unlink(place.directory, place.name);
    }
}

void Tree::remove_lower_content(std::string_view directory) {
    const InodeNumber number = look_up_directory(components_of(directory), directory);
    if (number != 0) {
        remove_lower_in(number);
    }
}

void Tree::remove_lower_in(InodeNumber directory) {
    std::vector<InodeNumber> directories{directory};
    while (!directories.empty()) {
        const InodeNumber current = directories.back();
        directories.pop_back();
        // Or an archive of whiteouts of one large directory would keep us busy.
        if (std::exchange(at(current).only_of_layer, layer_) == layer_) {
            continue;
        }
        auto &entries = at(current).entries;
        for (auto entry = entries.begin(); entry != entries.end();) {
            const auto [name, link] = *entry;
            ++entry;
            if (link.layer != layer_) {
                unlink(current, name);
            } else if (at(link.inode).is_directory()) {
                directories.push_back(link.inode);
            }
        }
    }
}

void Tree::unlink(InodeNumber directory, std::string_view name) {
    auto &entries = at(directory).entries;
    const auto found = entries.find(name);
    const InodeNumber number = found->second.inode;
    entries.erase(found);
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
        for (const auto &[name, link] : at(current).entries) {
            if (at(link.inode).is_directory()) {
                directories.push_back(link.inode);
            } else if (--at(link.inode).links == 0) {
                release(link.inode);
            }
        }
        release(current);
    }
}

void Tree::release(InodeNumber number) {
    for (const Extent &extent : at(number).extents) {
        freed_.push_back({extent.physical, extent.length});
    }
    release_value_inodes(number);
    inodes_[number].reset();
}

void Tree::release_value_inodes(InodeNumber number) {
    for (const auto &[name, value] : at(number).value_inodes) {
        release(value.inode);
    }
}

void Tree::replace_metadata(InodeNumber number, Inode &from) {
    release_value_inodes(number);
    at(number).metadata = std::move(from.metadata);
    at(number).value_inodes = std::move(from.value_inodes);
}

} // namespace banger::ext4
