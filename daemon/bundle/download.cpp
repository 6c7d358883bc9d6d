#include "daemon/bundle/download.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "daemon/bundle/http_download.hpp"

#include <fcntl.h>
#include <sys/stat.h>

namespace banger::bundle {
namespace {

/// A bundle that is here already, as a file.
class FileDownload final : public Download {
public:
    FileDownload(oci::BlobReader file, OnBytes on_bytes)
        : file_(std::move(file)), on_bytes_(std::move(on_bytes)) {}

    std::span<const std::byte> read() override {
        const auto bytes = file_.read();
        done_ += bytes.size();
        on_bytes_(done_, file_.blob().size);
        return bytes;
    }

private:
    oci::BlobReader file_;
    OnBytes on_bytes_;
    std::uint64_t done_ = 0;
};

std::uint64_t size_of(int fd, const std::string &path) {
    struct stat status {};
    if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        fail(ErrorCode::InvalidArgument, "{} is no regular file", path);
    }
    return static_cast<std::uint64_t>(status.st_size);
}

} // namespace

std::unique_ptr<Download> Download::open(const catalog::RemoteFile &bundle,
                                         const oci::BlobCache &cache, OnBytes on_bytes,
                                         const oci::HttpSettings &http) {
    constexpr std::string_view file_scheme = "file://";
    const auto digest = oci::Digest::parse("sha256:" + bundle.sha256);
    if (!digest) {
        fail(ErrorCode::InvalidArgument, "{:?} is no sha256", bundle.sha256);
    }
    const std::string what = "the bundle " + bundle.url;
    if (bundle.url.starts_with(file_scheme)) {
        const std::string path = bundle.url.substr(file_scheme.size());
        UniqueFd file = open_file(path, O_RDONLY | O_NONBLOCK);
        const std::uint64_t size = bundle.size != 0 ? bundle.size : size_of(file.get(), path);
        return std::make_unique<FileDownload>(
            oci::BlobReader{std::move(file), {*digest, size, {}}, what}, std::move(on_bytes));
    }
    if (const auto size = cache.size_of(*digest)) {
        return std::make_unique<FileDownload>(cache.open({*digest, *size, {}}, what),
                                              std::move(on_bytes));
    }
    return std::make_unique<HttpDownload>(bundle, *digest, cache, std::move(on_bytes), http);
}

void Download::finish() {
    while (!read().empty()) {
    }
}

} // namespace banger::bundle
