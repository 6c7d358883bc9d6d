// Any bytes as a bundle, or as its manifest: an Error, or files that are what the manifest says.

#include "base/error.hpp"
#include "daemon/bundle/unpack.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <clocale>
#include <cstdint>
#include <cstdlib>

namespace {

using namespace banger;
using namespace banger::bundle;

void require(bool condition) {
    if (!condition) {
        std::abort();
    }
}

void check(const Manifest &manifest) {
    for (const Member &member : manifest.members) {
        require(member.path.find("/.") == std::string::npos);
        require(std::count(member.path.begin(), member.path.end(), '/') <= 1);
        require(member.path.front() != '/' && member.size <= max_rootfs_bytes);
    }
    parse_manifest(to_json(manifest), manifest.kind);
}

template <typename Read>
void try_to(Read read) {
    try {
        check(read());
    } catch (const Error &error) {
        require(error.code() == ErrorCode::ImageCorrupt || error.code() == ErrorCode::Unsupported ||
                error.code() == ErrorCode::LimitsExceeded);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    static const char *const locale = std::setlocale(LC_CTYPE, "C.UTF-8");
    (void)locale;
    constexpr std::uint64_t max_member_bytes = 4U << 20U;
    for (const Kind kind : {Kind::Image, Kind::Kernel}) {
        try_to([&] { return parse_manifest({reinterpret_cast<const char *>(data), size}, kind); });
        try_to([&] {
            ArchiveReader tar{memory_source({reinterpret_cast<const std::byte *>(data), size}),
                              ArchiveReader::Format::Tar, "the input"};
            return unpack(
                tar, kind,
                [](const std::string &) { return UniqueFd{::memfd_create("member", MFD_CLOEXEC)}; },
                max_member_bytes);
        });
    }
    return 0;
}
