#pragma once

#include "resolved/message.hpp"
#include "resolved/zone.hpp"

#include <optional>
#include <string>

namespace banger::resolved {

/// What our zones say of a name.
struct Match {
    enum class Kind {
        Outside, ///< in none of our zones
        NoName,  ///< would be in one, and is not there
        Exists,
    };
    Kind kind = Kind::Outside;
    /// The zone it is in, as text without the final dot.
    std::string apex;
    bool is_apex = false;
    /// Of a VM's name: its A record.
    std::optional<Ipv4> address = {};
    /// Of a VM's address: the name in its PTR record.
    std::string host = {};
};

/// For guests all of `.vm` is ours, since nobody else will tell them that a name is not there. For
/// the host it is only the user's own domain: its resolver asks each user's server.
Match look_up(const Zone &zone, const Labels &name, Client client);

} // namespace banger::resolved
