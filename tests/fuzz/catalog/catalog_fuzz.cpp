// Any bytes as a catalog: an Error, or entries within what the rest relies on.

#include "base/error.hpp"
#include "base/names.hpp"
#include "daemon/catalog/parse.hpp"

#include <cstdint>
#include <cstdlib>

namespace {

using namespace banger;
using namespace banger::catalog;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

void check(const RemoteFile &file, bool from_server) {
    const bool remote = file.url.starts_with("http://") || file.url.starts_with("https://");
    require(remote || (!from_server && file.url.starts_with("file://")));
    require(file.url.find_first_of(std::string_view{" \n\r\t\0", 5}) == std::string::npos);
    require(file.sha256.size() == 64 &&
            file.sha256.find_first_not_of("0123456789abcdef") == std::string::npos);
}

void check(const Recipe &recipe, bool from_server) {
    for (const auto &package : recipe.packages) {
        check_package(package);
    }
    for (const auto &source : recipe.sources) {
        check(source.key, from_server);
        require(source.uri.find('\n') == std::string::npos);
    }
    for (const auto &file : recipe.files) {
        check(file.file, from_server);
        require(file.path.is_absolute() && file.mode <= 07777);
    }
}

void take(std::string_view text, const std::string &origin, bool from_server) {
    try {
        const Part part = parse(text, origin);
        for (const auto &image : part.images) {
            ArtifactName{"image", image.name};
            ArtifactName{"kernel", image.kernel};
            std::visit([&](const auto &means) { check(means, from_server); }, image.means);
        }
        for (const auto &kernel : part.kernels) {
            ArtifactName{"kernel", kernel.name};
            check(kernel.bundle, from_server);
        }
    } catch (const Error &error) {
        require(error.code() == ErrorCode::InvalidArgument);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const std::string_view text{reinterpret_cast<const char *>(data), size};
    take(text, "https://example.org/catalog.json", true);
    take(text, "/etc/banger/catalog.d/x.json", false);
    return 0;
}
