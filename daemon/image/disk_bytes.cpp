#include "daemon/image/disk_bytes.hpp"

#include <sys/stat.h>

namespace banger::image {

std::uint64_t disk_bytes_of(const std::filesystem::path &file) {
    constexpr std::uint64_t sector = 512; // stat(2)
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0
               ? static_cast<std::uint64_t>(status.st_blocks) * sector
               : 0;
}

} // namespace banger::image
