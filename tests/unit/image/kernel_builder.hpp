#pragma once

#include <elf.h>

#include <filesystem>
#include <string>
#include <string_view>

struct archive;

/// Small files that are kernels, modules and their directories as far as banger looks at them.
namespace banger::test {

struct KernelShape {
    std::string release = "6.1.0-test";
    bool pvh = true;
    std::uint16_t machine = EM_X86_64;
    std::uint16_t type = ET_EXEC;
    std::string config = {}; ///< inside the kernel, as CONFIG_IKCONFIG puts it there; empty: none
};
/// An ELF file with its notes and its banner.
std::string vmlinux(const KernelShape &shape = {});

/// One stream, packed by the filter of libarchive.
std::string packed(const std::string &content, int (*add_filter)(archive *));

/// A bzImage with one setup sector; `size_appended` where it is not packed by gzip.
std::string bzimage(const std::string &content, int (*add_filter)(archive *), bool size_appended);

/// An ELF file that depmod(8) takes for a module.
std::string kernel_module(std::string_view name, std::string_view release);

/// lib/modules/`release` below `root`, with every module that VMs and Docker use, but `without`.
void write_modules(const std::filesystem::path &root, const std::string &release,
                   const std::string &without = "");

/// A configuration that builds all of them in.
std::string builtin_config();

} // namespace banger::test
