#include "cli/temporary_directory.hpp"

#include "base/error.hpp"

#include <cstdlib>
#include <system_error>
#include <utility>

namespace banger::cli {

TemporaryDirectory::TemporaryDirectory() {
    std::error_code ignored;
    auto base = std::filesystem::temp_directory_path(ignored);
    if (base.empty()) {
        base = "/tmp";
    }
    std::string name = base / "banger-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) {
        throw_errno(fmt::format("create a temporary directory in {}", base.native()));
    }
    path_ = name;
}

TemporaryDirectory::TemporaryDirectory(TemporaryDirectory &&other) noexcept
    : path_(std::exchange(other.path_, {})) {}

TemporaryDirectory::~TemporaryDirectory() {
    if (!path_.empty()) {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
}

} // namespace banger::cli
