#include "daemon/image/worker/vmlinux.hpp"

#include "base/error.hpp"
#include "daemon/archive/archive_reader.hpp"

#include <elf.h>

#include <cstring>

namespace banger::image {
namespace {

constexpr std::size_t max_vmlinux = 512U << 20U;

template <typename T>
T field(std::string_view image, std::size_t offset, std::string_view what) {
    T value{};
    if (offset + sizeof value > image.size()) {
        fail(ErrorCode::ImageCorrupt, "{} is too short for a kernel", what);
    }
    std::memcpy(&value, image.data() + offset, sizeof value);
    return value;
}

} // namespace

std::string vmlinux_from_bzimage(std::string_view image, std::string_view what) {
    constexpr std::size_t setup_sects = 0x1f1;
    constexpr std::size_t magic = 0x202;
    constexpr std::size_t version = 0x206;
    constexpr std::size_t payload_offset = 0x248;
    constexpr std::size_t payload_length = 0x24c;
    if (field<std::uint32_t>(image, magic, what) != 0x53726448 || // "HdrS"
        field<std::uint16_t>(image, version, what) < 0x208) {
        fail(ErrorCode::ImageCorrupt,
             "{} is no kernel: neither an ELF file nor a bzImage of protocol 2.08 or later", what);
    }
    const auto sectors = field<std::uint8_t>(image, setup_sects, what);
    const std::uint64_t start = (std::uint64_t{sectors == 0 ? 4U : sectors} + 1) * 512 +
                                field<std::uint32_t>(image, payload_offset, what);
    std::uint64_t length = field<std::uint32_t>(image, payload_length, what);
    if (length < 8 || start + length > image.size()) {
        fail(ErrorCode::ImageCorrupt, "the payload of {} lies outside of it", what);
    }
    std::string_view payload = image.substr(start, length);
    // Only gzip has the size as part of its format; for the others the build appends four bytes
    // that no decoder knows.
    if (!payload.starts_with("\x1f\x8b")) {
        payload.remove_suffix(4);
    }
    ArchiveReader reader{memory_source(std::as_bytes(std::span{payload})),
                         ArchiveReader::Format::Raw, fmt::format("the payload of {}", what)};
    if (reader.next() == nullptr) {
        fail(ErrorCode::ImageCorrupt, "the payload of {} is empty", what);
    }
    std::string vmlinux = reader.read_all(max_vmlinux);
    if (!vmlinux.starts_with(ELFMAG)) {
        fail(ErrorCode::ImageCorrupt, "the payload of {} is no ELF file", what);
    }
    return vmlinux;
}

} // namespace banger::image
