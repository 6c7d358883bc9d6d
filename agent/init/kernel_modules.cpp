#include "agent/init/kernel_modules.hpp"

#include "agent/init/console.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace banger::init {
namespace {

void load(const std::filesystem::path &path) {
    const UniqueFd fd = open_file(path, O_RDONLY);
    if (::syscall(SYS_finit_module, fd.get(), "", 0) != 0 && errno != EEXIST) {
        throw_errno(fmt::format("load the module {}", path.string()));
    }
}

} // namespace

void load_modules(const std::filesystem::path &list) {
    const std::string content = read_file(list);
    std::string_view rest = content;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (line.empty()) {
            continue;
        }
        try {
            load(line);
        } catch (const Error &error) {
            warn(error.what());
        }
    }
}

} // namespace banger::init
