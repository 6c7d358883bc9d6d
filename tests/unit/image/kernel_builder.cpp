#include "tests/unit/image/kernel_builder.hpp"

#include "base/files.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

namespace banger::test {
namespace {

struct Feature {
    std::string_view module;
    std::string_view option;
};
constexpr auto features = std::to_array<Feature>({
    {"virtio_mmio", "VIRTIO_MMIO"},
    {"virtio_blk", "VIRTIO_BLK"},
    {"virtio_console", "VIRTIO_CONSOLE"},
    {"virtio_net", "VIRTIO_NET"},
    {"virtio-rng", "HW_RANDOM_VIRTIO"},
    {"overlay", "OVERLAY_FS"},
    {"ext4", "EXT4_FS"},
    {"vsock", "VSOCKETS"},
    {"vmw_vsock_virtio_transport", "VIRTIO_VSOCKETS"},
    {"bridge", "BRIDGE"},
    {"br_netfilter", "BRIDGE_NETFILTER"},
    {"veth", "VETH"},
    {"nf_nat", "NF_NAT"},
    {"nf_tables", "NF_TABLES"},
    {"nft_chain_nat", "NFT_NAT"},
    {"nft_compat", "NFT_COMPAT"},
    {"xt_MASQUERADE", "NETFILTER_XT_TARGET_MASQUERADE"},
    {"xt_addrtype", "NETFILTER_XT_MATCH_ADDRTYPE"},
    {"xt_conntrack", "NETFILTER_XT_MATCH_CONNTRACK"},
});

template <typename T>
void append(std::string &to, const T &value) {
    to.append(reinterpret_cast<const char *>(&value), sizeof value);
}

std::string pvh_note() {
    std::string note;
    append(note, Elf64_Nhdr{4, 4, 18});
    note.append("Xen\0", 4);
    append(note, std::uint32_t{0x1000000});
    return note;
}

Elf64_Ehdr elf_header(std::uint16_t type, std::uint16_t machine) {
    Elf64_Ehdr header{};
    std::memcpy(header.e_ident, ELFMAG, SELFMAG);
    header.e_ident[EI_CLASS] = ELFCLASS64;
    header.e_ident[EI_DATA] = ELFDATA2LSB;
    header.e_ident[EI_VERSION] = EV_CURRENT;
    header.e_type = type;
    header.e_machine = machine;
    header.e_version = EV_CURRENT;
    header.e_ehsize = sizeof header;
    header.e_phentsize = sizeof(Elf64_Phdr);
    header.e_shentsize = sizeof(Elf64_Shdr);
    return header;
}

} // namespace

std::string vmlinux(const KernelShape &shape) {
    Elf64_Ehdr header = elf_header(shape.type, shape.machine);
    header.e_phoff = sizeof header;
    header.e_phnum = 1;
    const std::string note = shape.pvh ? pvh_note() : std::string{};
    Elf64_Phdr segment{};
    segment.p_type = PT_NOTE;
    segment.p_offset = sizeof header + sizeof segment;
    segment.p_filesz = note.size();
    segment.p_align = 4;
    std::string image;
    append(image, header);
    append(image, segment);
    image += note;
    if (!shape.config.empty()) {
        image += "IKCFG_ST" + packed(shape.config, archive_write_add_filter_gzip) + "IKCFG_ED";
    }
    image += "%s version %s (somebody)";
    image += '\0';
    image += "Linux version " + shape.release + " (somebody@somewhere) (gcc 12) #1 SMP";
    return image + std::string(100'000, '\0');
}

std::string packed(const std::string &content, int (*add_filter)(archive *)) {
    std::vector<char> room(content.size() + (1U << 20U));
    std::size_t used = 0;
    const std::unique_ptr<archive, int (*)(archive *)> out{archive_write_new(), archive_write_free};
    add_filter(out.get());
    archive_write_set_format_raw(out.get());
    archive_write_set_bytes_in_last_block(out.get(), 1);
    archive_write_open_memory(out.get(), room.data(), room.size(), &used);
    const std::unique_ptr<archive_entry, void (*)(archive_entry *)> entry{archive_entry_new(),
                                                                          archive_entry_free};
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_write_header(out.get(), entry.get());
    archive_write_data(out.get(), content.data(), content.size());
    archive_write_close(out.get());
    return {room.data(), used};
}

std::string bzimage(const std::string &content, int (*add_filter)(archive *), bool size_appended) {
    std::string payload = packed(content, add_filter);
    if (size_appended) {
        payload += std::string("\x40\x0d\x03\x00", 4);
    }
    std::string image(1024 + 64, '\0');
    const auto put = [&](std::size_t at, auto value) {
        std::memcpy(image.data() + at, &value, sizeof value);
    };
    put(0x1f1, std::uint8_t{1});
    put(0x202, std::uint32_t{0x53726448});
    put(0x206, std::uint16_t{0x20f});
    put(0x248, std::uint32_t{64});
    put(0x24c, static_cast<std::uint32_t>(payload.size()));
    return image + payload + "trailing";
}

std::string kernel_module(std::string_view name, std::string_view release) {
    std::string info{"license=GPL"};
    info += '\0';
    info += "name=" + std::string(name);
    info += '\0';
    info += "vermagic=" + std::string(release) + " SMP mod_unload ";
    info += '\0';
    const std::string section_names{"\0.modinfo\0.shstrtab\0", 20};

    Elf64_Ehdr header = elf_header(ET_REL, EM_X86_64);
    header.e_shoff = sizeof header;
    header.e_shnum = 3;
    header.e_shstrndx = 2;
    constexpr std::size_t content = sizeof(Elf64_Ehdr) + 3 * sizeof(Elf64_Shdr);
    Elf64_Shdr modinfo{};
    modinfo.sh_name = 1;
    modinfo.sh_type = SHT_PROGBITS;
    modinfo.sh_flags = SHF_ALLOC;
    modinfo.sh_offset = content;
    modinfo.sh_size = info.size();
    modinfo.sh_addralign = 1;
    Elf64_Shdr strings{};
    strings.sh_name = 10;
    strings.sh_type = SHT_STRTAB;
    strings.sh_offset = content + info.size();
    strings.sh_size = section_names.size();
    strings.sh_addralign = 1;
    std::string file;
    append(file, header);
    append(file, Elf64_Shdr{});
    append(file, modinfo);
    append(file, strings);
    return file + info + section_names;
}

void write_modules(const std::filesystem::path &root, const std::string &release,
                   const std::string &without) {
    const auto directory = root / "lib/modules" / release;
    std::filesystem::create_directories(directory / "kernel/drivers");
    for (const Feature &feature : features) {
        if (feature.module != without) {
            write_file_atomically(directory / "kernel/drivers" /
                                      (std::string(feature.module) + ".ko"),
                                  kernel_module(feature.module, release));
        }
    }
    write_file_atomically(directory / "modules.order", "");
    write_file_atomically(directory / "modules.builtin", "kernel/lib/crc32.ko\n");
    std::filesystem::create_symlink("/usr/src/linux", directory / "build");
}

std::string builtin_config() {
    std::string config;
    for (const Feature &feature : features) {
        config += "CONFIG_" + std::string(feature.option) + "=y\n";
    }
    return config;
}

} // namespace banger::test
