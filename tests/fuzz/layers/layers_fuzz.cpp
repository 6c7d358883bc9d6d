// Up to three layers out of one input, cut where it says so, one applied upon the other: an Error,
// or an image.

#include "base/error.hpp"
#include "base/unique_fd.hpp"
#include "daemon/image/worker/layer_import.hpp"
#include "tests/fuzz/tar_input.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <clocale>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    using namespace banger;
    static const char *const locale = std::setlocale(LC_CTYPE, "C.UTF-8");
    (void)locale;
    constexpr std::size_t block = 512;
    constexpr std::size_t most_layers = 3;
    if (size < most_layers) {
        return 0;
    }
    const UniqueFd image{::memfd_create("image", MFD_CLOEXEC)};
    ext4::WriterOptions options;
    options.max_bytes = 64U << 20U;
    options.max_inodes = 10'000;
    options.sync = false;
    std::span rest{reinterpret_cast<const std::byte *>(data), size};
    const auto blocks = rest.first(most_layers); // of each layer
    rest = rest.subspan(most_layers);
    try {
        ext4::Writer writer{image.get(), options};
        for (const std::byte count : blocks) {
            const std::size_t length =
                std::min(rest.size(), std::to_integer<std::size_t>(count) * block);
            const auto layer = fuzz::with_checksums(rest.first(length));
            ArchiveReader tar{memory_source(layer), ArchiveReader::Format::Tar, "the input"};
            image::import_layer(tar, writer);
            rest = rest.subspan(length);
        }
        writer.finish();
    } catch (const Error &) {
    }
    return 0;
}
