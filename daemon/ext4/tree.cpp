#include "daemon/ext4/tree.hpp"

#include "base/error.hpp"

namespace banger::ext4 {
namespace {

constexpr std::size_t max_name = 255;
constexpr std::size_t max_path = 4096;
constexpr std::uint32_t max_links = 65000;

/// The next component, "" at the end; "." and empty ones are passed over. Throws for ".." and what
/// no file may be called.
std::string_view next_component(std::string_view &rest, std::string_view whole) {
    while (!rest.empty()) {
        const auto slash = rest.find('/');
        const std::string_view component = rest.substr(0, slash);
        rest.remove_prefix(slash == std::string_view::npos ? rest.size() : slash + 1);
        if (component.empty() || component == ".") {
            continue;
        }
        if (component == "..") {
            fail(ErrorCode::InvalidArgument, "the path {:?} leads upwards", whole);
        }
        if (component.size() > max_name || component.find('\0') != std::string_view::npos) {
            fail(ErrorCode::InvalidArgument, "the path {:?} has a name that ext4 cannot hold",
                 whole.substr(0, 512));
        }
        return component;
    }
    return {};
}

void check_length(std::string_view path) {
    if (path.size() > max_path) {
        fail(ErrorCode::InvalidArgument, "a path of {} bytes is too long: {:?}…", path.size(),
             path.substr(0, 64));
    }
}

} // namespace

Tree::Tree(std::uint32_t max_inodes) : max_inodes_(max_inodes) {
    inodes_.resize(first_free_inode);
    auto root = std::make_unique<Inode>();
    root->type = EntryType::Directory;
    root->parent = root_inode;
    inodes_[root_inode] = std::move(root);
}

InodeNumber Tree::find(std::string_view path) const {
    check_length(path);
    InodeNumber current = root_inode;
    std::string_view rest = path;
    for (auto name = next_component(rest, path); !name.empty(); name = next_component(rest, path)) {
        if (!at(current).is_directory()) {
            return 0;
        }
        const auto &entries = at(current).entries;
        const auto found = entries.find(name);
        if (found == entries.end()) {
            return 0;
        }
        current = found->second;
    }
    return current;
}

InodeNumber Tree::create(Inode inode) {
    if (inodes_.size() >= max_inodes_) {
        fail(ErrorCode::LimitsExceeded, "more than {} files in one file system", max_inodes_);
    }
    inodes_.push_back(std::make_unique<Inode>(std::move(inode)));
    return end() - 1;
}

Tree::Place Tree::locate(std::string_view path) {
    check_length(path);
    const auto slash = path.rfind('/');
    if (slash != std::string_view::npos && slash + 1 < path.size() &&
        path.substr(0, slash) == last_parent_path_) {
        std::string_view rest = path.substr(slash + 1);
        const std::string_view name = next_component(rest, path);
        if (!name.empty()) {
            return {last_parent_, std::string(name)};
        }
    }
    std::string_view rest = path;
    Place place{root_inode, std::string(next_component(rest, path))};
    for (auto name = next_component(rest, path); !name.empty(); name = next_component(rest, path)) {
        auto &entries = at(place.directory).entries;
        const auto found = entries.find(place.name);
        InodeNumber child = 0;
        if (found != entries.end()) {
            child = found->second;
            if (!at(child).is_directory()) {
                fail(ErrorCode::InvalidArgument,
                     "the path {:?} leads through {:?}, which is no directory", path, place.name);
            }
        } else {
            Inode directory;
            directory.type = EntryType::Directory;
            directory.parent = place.directory;
            child = create(std::move(directory));
            entries.emplace(place.name, child);
        }
        place = {child, std::string(name)};
    }
    if (slash != std::string_view::npos && slash + 1 < path.size()) {
        last_parent_path_ = path.substr(0, slash);
        last_parent_ = place.directory;
    }
    return place;
}

InodeNumber Tree::put(std::string_view path, Inode inode) {
    const Place place = locate(path);
    InodeNumber existing = root_inode;
    if (!place.name.empty()) {
        const auto &entries = at(place.directory).entries;
        const auto found = entries.find(place.name);
        existing = found == entries.end() ? 0 : found->second;
    } else if (!inode.is_directory()) {
        fail(ErrorCode::InvalidArgument, "the root of a file system is a directory");
    }
    if (existing != 0 && at(existing).is_directory() && inode.is_directory()) {
        at(existing).metadata = std::move(inode.metadata);
        return existing;
    }
    if (existing != 0) {
        unlink(place.directory, place.name);
    }
    inode.parent = inode.is_directory() ? place.directory : 0;
    inode.links = 1;
    const InodeNumber number = create(std::move(inode));
    at(place.directory).entries.emplace(place.name, number);
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
    const auto &entries = at(place.directory).entries;
    const auto found = entries.find(place.name);
    if (found != entries.end() && found->second == number) {
        return;
    }
    ++at(number).links;
    if (found != entries.end()) {
        unlink(place.directory, place.name);
    }
    at(place.directory).entries.emplace(place.name, number);
}

void Tree::remove(std::string_view path) {
    const InodeNumber number = find(path);
    if (number == 0) {
        return;
    }
    const Place place = locate(path);
    if (place.name.empty()) {
        fail(ErrorCode::InvalidArgument, "the root of a file system cannot be removed");
    }
    unlink(place.directory, place.name);
}

void Tree::unlink(InodeNumber directory, std::string_view name) {
    auto &entries = at(directory).entries;
    const auto found = entries.find(name);
    const InodeNumber number = found->second;
    entries.erase(found);
    // What was remembered may be gone with it.
    last_parent_path_ = "\n";
    if (at(number).is_directory()) {
        drop(number);
    } else if (--at(number).links == 0) {
        inodes_[number].reset();
    }
}

void Tree::drop(InodeNumber number) {
    // A list instead of recursion: depth is the archive's choice.
    std::vector<InodeNumber> directories{number};
    while (!directories.empty()) {
        const InodeNumber current = directories.back();
        directories.pop_back();
        for (const auto &[name, child] : at(current).entries) {
            if (at(child).is_directory()) {
                directories.push_back(child);
            } else if (--at(child).links == 0) {
                inodes_[child].reset();
            }
        }
        inodes_[current].reset();
    }
}

} // namespace banger::ext4
