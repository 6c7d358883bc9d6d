#include "daemon/helper/user_name.hpp"

#include <pwd.h>

#include <cerrno>
#include <vector>

namespace banger::helper {

std::string user_name_of(uid_t uid) {
    // sysconf(_SC_GETPW_R_SIZE_MAX) is a hint only: grow until the entry fits.
    for (std::size_t size = 1024; size <= (1U << 20U); size *= 4) {
        std::vector<char> buffer(size);
        passwd entry{};
        passwd *found = nullptr;
        const int error = getpwuid_r(uid, &entry, buffer.data(), buffer.size(), &found);
        if (error != ERANGE) {
            return found != nullptr ? found->pw_name : "";
        }
    }
    return "";
}

} // namespace banger::helper
