// Any bytes as a tar (or what libarchive takes for one) into a file system: an Error, or an image.

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "daemon/image/worker/tar_import.hpp"
#include "tests/fuzz/tar_input.hpp"

#include <sys/mman.h>

#include <clocale>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace banger;
    static const char *const locale = std::setlocale(LC_CTYPE, "C.UTF-8");
    (void)locale;
    const UniqueFd image{::memfd_create("image", MFD_CLOEXEC)};
    ext4::WriterOptions options;
    options.max_bytes = 64U << 20U;
    options.max_inodes = 10'000;
    options.sync = false;
    try {
        ext4::Writer writer{image.get(), options};
        const auto bytes = fuzz::with_checksums({reinterpret_cast<const std::byte *>(data), size});
        ArchiveReader tar{memory_source(bytes), ArchiveReader::Format::Tar, "the input"};
        image::import_tar(tar, writer, {});
        writer.finish();
    } catch (const Error &) {
    }
    return 0;
}
