#include "daemon/image/worker/vmlinux.hpp"

#include "base/error.hpp"
#include "daemon/archive/archive_reader.hpp"

#include <elf.h>

#include <cstring>

namespace banger::image {
namespace {

constexpr std::size_t max_vmlinux = 512U << 20U;

template <typename T>
T field(std::string_view image, std::size_t offset) {
    T value{};
    if (offset + sizeof value > image.size()) {
        fail(ErrorCode::ImageCorrupt, "the kernel image is too short");
    }
    std::memcpy(&value, image.data() + offset, sizeof value);
    return value;
}

} // namespace

std::string vmlinux_from_bzimage(std::string_view image) {
    constexpr std::size_t setup_sects = 0x1f1;
    constexpr std::size_t magic = 0x202;
    constexpr std::size_t version = 0x206;
    constexpr std::size_t payload_offset = 0x248;
    constexpr std::size_t payload_length = 0x24c;
    if (field<std::uint32_t>(image, magic) != 0x53726448 || // "HdrS"
        field<std::uint16_t>(image, version) < 0x208) {
        fail(ErrorCode::ImageCorrupt, "the kernel image is no bzImage of protocol 2.08 or later");
    }
    const auto sectors = field<std::uint8_t>(image, setup_sects);
    const std::uint64_t start = (std::uint64_t{sectors == 0 ? 4U : sectors} + 1) * 512 +
                                field<std::uint32_t>(image, payload_offset);
    std::uint64_t length = field<std::uint32_t>(image, payload_length);
    if (length < 8 || start + length > image.size()) {
        fail(ErrorCode::ImageCorrupt, "the payload of the kernel image lies outside of it");
    }
    std::string_view payload = image.substr(start, length);
    // Only gzip has the size as part of its format; for the others the build appends four bytes
    // that no decoder knows.
    if (!payload.starts_with("\x1f\x8b")) {
        payload.remove_suffix(4);
    }
    ArchiveReader reader{memory_source(std::as_bytes(std::span{payload})),
                         ArchiveReader::Format::Raw, "the payload of the kernel image"};
    if (reader.next() == nullptr) {
        fail(ErrorCode::ImageCorrupt, "the payload of the kernel image is empty");
    }
    std::string vmlinux = reader.read_all(max_vmlinux);
    if (!vmlinux.starts_with(ELFMAG) ||
        field<std::uint16_t>(vmlinux, offsetof(Elf64_Ehdr, e_machine)) != EM_X86_64) {
        fail(ErrorCode::ImageCorrupt, "the payload of the kernel image is no ELF file for x86-64");
    }
    return vmlinux;
}

} // namespace banger::image
