#include "daemon/image/worker/kernel_image.hpp"

#include "base/error.hpp"
#include "daemon/archive/archive_reader.hpp"
#include "daemon/image/worker/vmlinux.hpp"

#include <gelf.h>

#include <algorithm>
#include <memory>

namespace banger::image {
namespace {

// xen/include/public/elfnote.h; what CONFIG_PVH puts into the kernel's notes.
constexpr GElf_Word note_phys32_entry = 18;
constexpr std::string_view note_owner{"Xen\0", 4};

using ElfFile = std::unique_ptr<Elf, int (*)(Elf *)>;

ElfFile open_elf(std::string &image, std::string_view what) {
    ::elf_version(EV_CURRENT);
    ElfFile elf{::elf_memory(image.data(), image.size()), ::elf_end};
    if (!elf || ::elf_kind(elf.get()) != ELF_K_ELF) {
        fail(ErrorCode::ImageCorrupt, "{} is no ELF file: {}", what, ::elf_errmsg(-1));
    }
    return elf;
}

void require_kernel_for_this_machine(Elf *elf, std::string_view what) {
    GElf_Ehdr header{};
    if (::gelf_getehdr(elf, &header) == nullptr) {
        fail(ErrorCode::ImageCorrupt, "{} is a damaged ELF file: {}", what, ::elf_errmsg(-1));
    }
    if (header.e_machine != EM_X86_64 || ::gelf_getclass(elf) != ELFCLASS64) {
        fail(ErrorCode::Unsupported, "{} is for another machine (ELF machine {}), not for x86-64",
             what, header.e_machine);
    }
    if (header.e_type != ET_EXEC && header.e_type != ET_DYN) {
        fail(ErrorCode::ImageCorrupt, "{} is an ELF file, but no kernel: it cannot be executed",
             what);
    }
}

bool has_pvh_note(Elf_Data *notes) {
    GElf_Nhdr note{};
    std::size_t name = 0;
    std::size_t description = 0;
    for (std::size_t at = 0; (at = ::gelf_getnote(notes, at, &note, &name, &description)) != 0;) {
        const auto *bytes = static_cast<const char *>(notes->d_buf);
        if (note.n_type == note_phys32_entry &&
            std::string_view{bytes + name, note.n_namesz} == note_owner) {
            return true;
        }
    }
    return false;
}

/// Throws Error{ImageCorrupt} where a segment lies outside of the file, which has `size` bytes.
bool has_pvh_entry(Elf *elf, std::uint64_t size, std::string_view what) {
    std::size_t segments = 0;
    if (::elf_getphdrnum(elf, &segments) != 0 || segments == 0) {
        fail(ErrorCode::ImageCorrupt, "{} is a damaged ELF file: it has no segments", what);
    }
    bool found = false;
    for (std::size_t i = 0; i < segments; ++i) {
        GElf_Phdr segment{};
        if (::gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr) {
            fail(ErrorCode::ImageCorrupt, "{} is a damaged ELF file: {}", what, ::elf_errmsg(-1));
        }
        if (segment.p_offset > size || segment.p_filesz > size - segment.p_offset) {
            fail(ErrorCode::ImageCorrupt, "{} is a damaged ELF file: it has been cut off", what);
        }
        if (segment.p_type != PT_NOTE) {
            continue;
        }
        Elf_Data *notes = ::elf_getdata_rawchunk(elf, static_cast<std::int64_t>(segment.p_offset),
                                                 segment.p_filesz,
                                                 segment.p_align == 8 ? ELF_T_NHDR8 : ELF_T_NHDR);
        found = found || (notes != nullptr && has_pvh_note(notes));
    }
    return found;
}

/// Where `text` begins after the next `mark`, from `from` on.
std::size_t after(std::string_view text, std::string_view mark, std::size_t from) {
    const auto at = text.find(mark, from);
    return at == std::string_view::npos ? at : at + mark.size();
}

} // namespace

std::string bootable_vmlinux(std::string image, std::string_view what) {
    if (!image.starts_with(ELFMAG)) {
        image = vmlinux_from_bzimage(image, what);
    }
    const ElfFile elf = open_elf(image, what);
    require_kernel_for_this_machine(elf.get(), what);
    if (!has_pvh_entry(elf.get(), image.size(), what)) {
        fail(ErrorCode::Unsupported,
             "{} has no PVH entry, by which a VM starts it: it must be built with CONFIG_PVH=y",
             what);
    }
    return image;
}

std::string kernel_release(std::string_view vmlinux) {
    constexpr std::string_view banner = "Linux version ";
    constexpr std::size_t longest = 64; // struct utsname has room for that
    for (std::size_t at = 0; (at = after(vmlinux, banner, at)) != std::string_view::npos;) {
        const std::string_view rest = vmlinux.substr(at, longest + 2);
        const std::string_view release = rest.substr(0, rest.find(' '));
        const bool plain = std::all_of(release.begin(), release.end(), [](unsigned char c) {
            return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '+' || c == '_' || c == '~';
        });
        if (plain && !release.empty() &&
            std::isdigit(static_cast<unsigned char>(release[0])) != 0 &&
            rest.substr(release.size()).starts_with(" (")) {
            return std::string(release);
        }
    }
    fail(ErrorCode::ImageCorrupt, "the kernel does not say which version of Linux it is");
}

std::optional<std::string> embedded_config(std::string_view vmlinux) {
    constexpr std::size_t max_config = 4U << 20U;
    // kernel/configs.c: between these marks lies a gzip file.
    const auto begin = after(vmlinux, "IKCFG_ST\x1f\x8b", 0);
    const auto end = begin == std::string_view::npos ? begin : vmlinux.find("IKCFG_ED", begin);
    if (end == std::string_view::npos) {
        return std::nullopt;
    }
    const std::string_view packed = vmlinux.substr(begin - 2, end - (begin - 2));
    ArchiveReader reader{memory_source(std::as_bytes(std::span{packed})),
                         ArchiveReader::Format::Raw, "the configuration inside the kernel"};
    if (reader.next() == nullptr) {
        return std::nullopt;
    }
    return reader.read_all(max_config);
}

} // namespace banger::image
