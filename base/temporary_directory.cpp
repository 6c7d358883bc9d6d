#include "base/temporary_directory.hpp"

#include "base/error.hpp"
#include "base/log.hpp"

#include <stdlib.h>

namespace banger {

TemporaryDirectory::TemporaryDirectory(const std::filesystem::path &parent) {
    std::string pattern = (parent / "tmp.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw_errno("make a directory in " + parent.string());
    }
    path_ = pattern;
}

TemporaryDirectory::~TemporaryDirectory() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
    if (error) {
        log::warning(fmt::format("could not remove {}: {}", path_.string(), error.message()));
    }
}

} // namespace banger
