#pragma once

#include "daemon/ext4/format.hpp"

#include <absl/container/btree_map.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace banger::ext4 {

/// Texts of up to 64 KiB, kept for good in a few large pieces of memory. Throws
/// Error{LimitsExceeded} over its limit.
class TextStore {
public:
    using Position = std::uint32_t;

    explicit TextStore(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}
    Position add(std::string_view text);
    /// Stays valid.
    std::string_view at(Position position) const;

private:
    std::uint64_t max_bytes_;
    std::uint64_t used_ = 0;
    std::vector<std::unique_ptr<char[]>> pieces_;
};

/// What a name leads to. `layer` is the latest that has put the name, or something below it.
struct Link {
    InodeNumber inode = 0;
    std::uint32_t layer = 0;
};

/// The names in all directories, ordered by directory and name. One tree of small nodes: a name
/// costs its text and about twenty bytes, whatever the number of directories.
class Names {
public:
    explicit Names(TextStore &texts) : links_(Order{&texts}), texts_(texts) {}
    Names(const Names &) = delete;
    Names &operator=(const Names &) = delete;

    /// nullptr: no such name. Valid until a name is added or erased.
    Link *find(InodeNumber directory, std::string_view name);
    const Link *find(InodeNumber directory, std::string_view name) const;
    /// The name must be new.
    void add(InodeNumber directory, std::string_view name, Link link);
    void erase(InodeNumber directory, std::string_view name);

    struct Entry {
        std::string_view name; ///< stays valid
        Link link;
    };
    /// The first name of the directory behind `name`; "" is before all. While it goes from one to
    /// the next, a caller may add and erase.
    std::optional<Entry> next(InodeNumber directory, std::string_view name) const;
    /// In order. `take` must not add or erase.
    void for_each(InodeNumber directory,
                  const std::function<void(TextStore::Position, Link)> &take) const;

private:
    struct Key {
        InodeNumber directory;
        TextStore::Position name;
    };
    struct Wanted {
        InodeNumber directory;
        std::string_view name;
    };
    struct Order {
        using is_transparent = void;
        const TextStore *texts;

        std::pair<InodeNumber, std::string_view> of(const Key &key) const {
            return {key.directory, texts->at(key.name)};
        }
        static std::pair<InodeNumber, std::string_view> of(const Wanted &wanted) {
            return {wanted.directory, wanted.name};
        }
        bool operator()(const auto &a, const auto &b) const { return of(a) < of(b); }
    };

    absl::btree_map<Key, Link, Order> links_;
    TextStore &texts_;
};

} // namespace banger::ext4
