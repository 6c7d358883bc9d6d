#include "daemon/ext4/names.hpp"

#include "base/error.hpp"

#include <algorithm>
#include <cstring>

namespace banger::ext4 {
namespace {

constexpr std::uint64_t piece_size = std::uint64_t{1} << 20U;
using Length = std::uint16_t;

} // namespace

TextStore::Position TextStore::add(std::string_view text) {
    const std::uint64_t needed = sizeof(Length) + text.size();
    // A text lies in one piece.
    if (used_ % piece_size + needed > piece_size) {
        used_ += piece_size - used_ % piece_size;
    }
    if (used_ + needed > max_bytes_) {
        fail(ErrorCode::LimitsExceeded,
             "names and targets of symbolic links of more than {} MiB in one file system",
             max_bytes_ >> 20U);
    }
    if (used_ / piece_size == pieces_.size()) {
        pieces_.emplace_back(new char[piece_size]);
    }
    char *place = pieces_.back().get() + used_ % piece_size;
    const auto length = static_cast<Length>(text.size());
    std::memcpy(place, &length, sizeof length);
    std::copy(text.begin(), text.end(), place + sizeof length);
    return static_cast<Position>(std::exchange(used_, used_ + needed));
}

std::string_view TextStore::at(Position position) const {
    const char *place = pieces_[position / piece_size].get() + position % piece_size;
    Length length = 0;
    std::memcpy(&length, place, sizeof length);
    return {place + sizeof length, length};
}

Link *Names::find(InodeNumber directory, std::string_view name) {
    const auto found = links_.find(Wanted{directory, name});
    return found == links_.end() ? nullptr : &found->second;
}

const Link *Names::find(InodeNumber directory, std::string_view name) const {
    const auto found = links_.find(Wanted{directory, name});
    return found == links_.end() ? nullptr : &found->second;
}

void Names::add(InodeNumber directory, std::string_view name, Link link) {
    links_.emplace(Key{directory, texts_.add(name)}, link);
}

void Names::erase(InodeNumber directory, std::string_view name) {
    links_.erase(links_.find(Wanted{directory, name}));
}

std::optional<Names::Entry> Names::next(InodeNumber directory, std::string_view name) const {
    const auto found = links_.upper_bound(Wanted{directory, name});
    if (found == links_.end() || found->first.directory != directory) {
        return std::nullopt;
    }
    return Entry{texts_.at(found->first.name), found->second};
}

void Names::for_each(InodeNumber directory,
                     const std::function<void(TextStore::Position, Link)> &take) const {
    for (auto at = links_.upper_bound(Wanted{directory, {}});
         at != links_.end() && at->first.directory == directory; ++at) {
        take(at->first.name, at->second);
    }
}

} // namespace banger::ext4
