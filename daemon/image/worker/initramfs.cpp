#include "daemon/image/worker/initramfs.hpp"

#include "base/files.hpp"
#include "base/sha256.hpp"
#include "daemon/image/worker/output_file.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <nlohmann/json.hpp>

#include <memory>
#include <string>
#include <string_view>

namespace banger::image {
namespace {

constexpr std::size_t max_program = 256U << 20U;

class Cpio {
public:
    explicit Cpio(int fd) : archive_(archive_write_new(), archive_write_free) {
        check(archive_write_set_format_cpio_newc(archive_.get()));
        check(archive_write_set_bytes_per_block(archive_.get(), 0));
        check(archive_write_open_fd(archive_.get(), fd));
    }

    void directory(const char *path) { put(path, AE_IFDIR, 0755, {}); }
    void file(const char *path, mode_t permissions, std::string_view content) {
        put(path, AE_IFREG, permissions, content);
    }
    void character_device(const char *path, mode_t permissions, dev_t major, dev_t minor) {
        put(path, AE_IFCHR, permissions, {}, major, minor);
    }
    void finish() { check(archive_write_close(archive_.get())); }

private:
    void check(int result) {
        if (result != ARCHIVE_OK) {
            const int number = archive_errno(archive_.get());
            if (number > 0) {
                throw_errno("write the initramfs", number);
            }
            fail(ErrorCode::Internal, "write the initramfs: {}",
                 archive_error_string(archive_.get()));
        }
    }

    void put(const char *path, unsigned type, mode_t permissions, std::string_view content,
             dev_t major = 0, dev_t minor = 0) {
        const std::unique_ptr<archive_entry, void (*)(archive_entry *)> entry{archive_entry_new(),
                                                                              archive_entry_free};
        archive_entry_set_pathname(entry.get(), path);
        archive_entry_set_filetype(entry.get(), type);
        archive_entry_set_perm(entry.get(), permissions);
        archive_entry_set_mtime(entry.get(), 0, 0);
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(content.size()));
        archive_entry_set_nlink(entry.get(), 1);
        archive_entry_set_rdevmajor(entry.get(), major);
        archive_entry_set_rdevminor(entry.get(), minor);
        check(archive_write_header(archive_.get(), entry.get()));
        if (!content.empty() &&
            archive_write_data(archive_.get(), content.data(), content.size()) < 0) {
            check(ARCHIVE_FATAL);
        }
    }

    std::unique_ptr<archive, int (*)(archive *)> archive_;
};

/// The user's own, and zeros up to where the next archive may begin: a multiple of four bytes, and
/// four zeros at least, by which a compressed one is known to be over.
void write_initrd(const std::filesystem::path &initrd, int fd) {
    if (!std::filesystem::exists(initrd)) {
        return;
    }
    constexpr std::size_t alignment = 512;
    std::string content = read_file(initrd, max_program);
    content.resize((content.size() + 4 + alignment - 1) / alignment * alignment, '\0');
    write_all(fd, content, "write the initramfs");
}

} // namespace

std::vector<std::string> boot_module_order(const std::filesystem::path &kernel_directory) {
    const auto path = kernel_directory / "boot-modules/order";
    const std::string order = read_file(path);
    std::vector<std::string> names;
    std::string_view rest = order;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        const std::string_view name = rest.substr(0, end);
        rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
        if (!name.ends_with(".ko") || name.find('/') != std::string_view::npos) {
            fail(ErrorCode::ImageCorrupt, "{} names a module {:?}", path.string(), name);
        }
        names.emplace_back(name);
    }
    return names;
}

void write_initramfs(const InitramfsParts &parts, Report &report) {
    OutputFile file{parts.output};
    write_initrd(parts.kernel_directory / "initrd", file.fd());
    Cpio cpio{file.fd()};
    for (const char *path : {"dev", "proc", "sys", "run", "banger", "banger/modules.d"}) {
        cpio.directory(path);
    }
    cpio.character_device("dev/console", 0600, 5, 1);
    cpio.character_device("dev/null", 0666, 1, 3);
    cpio.file("init", 0755, read_file(parts.init, max_program));
    cpio.file("banger/agent", 0755, read_file(parts.agent, max_program));

    std::string list;
    for (const auto &name : boot_module_order(parts.kernel_directory)) {
        cpio.file(("banger/modules.d/" + name).c_str(), 0644,
                  read_file(parts.kernel_directory / "boot-modules" / name, max_program));
        list += "/banger/modules.d/" + name + "\n";
    }
    cpio.file("banger/modules", 0644, list);
    cpio.finish();
    file.publish();
    report.result({{"digest", sha256_of_file(parts.output)}});
}

} // namespace banger::image
