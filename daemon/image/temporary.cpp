#include "daemon/image/temporary.hpp"

#include "base/error.hpp"

#include <stdlib.h>
#include <sys/stat.h>

namespace banger::image {

std::filesystem::path make_temporary_directory(const std::filesystem::path &parent) {
    std::string pattern = (parent / "tmp.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw_errno("make a directory in " + parent.string());
    }
    return pattern;
}

std::uint64_t disk_bytes_of(const std::filesystem::path &file) {
    constexpr std::uint64_t sector = 512; // stat(2)
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0
               ? static_cast<std::uint64_t>(status.st_blocks) * sector
               : 0;
}

} // namespace banger::image
