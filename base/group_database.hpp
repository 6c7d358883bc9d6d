#pragma once

#include <string_view>

namespace banger {

/// Whether the group database names `user` as a member of `group`, whatever the groups of this
/// process are; false for a group that does not exist. Source: getgrnam(3).
bool is_in_group(std::string_view user, const char *group);

} // namespace banger
