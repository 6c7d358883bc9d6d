#include "daemon/install_paths.hpp"

#include <cstdlib>

namespace banger {
namespace {

std::filesystem::path directory(const char *variable, const char *built_in) {
    const char *value = ::secure_getenv(variable);
    return value != nullptr && value[0] == '/' ? value : built_in;
}

} // namespace

Programs installed_programs() {
    const auto libexec = directory("BANGER_LIBEXECDIR", BANGER_BUILT_LIBEXECDIR);
    const auto guest = directory("BANGER_GUESTDIR", BANGER_BUILT_GUESTDIR);
    return {libexec / "banger-image-worker", libexec / "banger-build-guard", guest / "banger-init",
            guest / "banger-vsock-agent"};
}

} // namespace banger
