#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace banger::agent {

/// Who a process runs as.
struct User {
    std::string name;
    uid_t uid = 0;
    gid_t gid = 0;
    std::vector<gid_t> groups;
    std::string home = "/";
    std::string shell = "/bin/sh";
};

/// Looks up "name", "1000", "name:group", "1000:1000" in the guest's own files: a static program
/// has no NSS. Empty is root; root and numbers need no entry. Throws Error{NotFound} that names
/// the user or group.
User find_user(std::string_view text, const std::filesystem::path &etc = "/etc");

} // namespace banger::agent
