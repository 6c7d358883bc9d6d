#include "base/group_database.hpp"

#include <grp.h>

namespace banger {

bool is_in_group(std::string_view user, const char *group) {
    const ::group *entry = ::getgrnam(group);
    if (entry == nullptr) {
        return false;
    }
    for (char **member = entry->gr_mem; *member != nullptr; ++member) {
        if (user == *member) {
            return true;
        }
    }
    return false;
}

} // namespace banger
