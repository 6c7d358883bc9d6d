#include "daemon/image/worker/modules_copy.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <vector>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_bytes = 4ULL << 30U;
constexpr std::size_t max_file = 512U << 20U;
constexpr std::size_t max_files = 200'000;

struct File {
    fs::path from;
    fs::path name; ///< relative
    std::uint64_t size = 0;
};

bool concerns_modules(const fs::path &name) {
    return name != "build" && name != "source" && name != "vmlinuz";
}

/// The file itself, or that which a symbolic link leads to; empty for a link that leads nowhere.
fs::path followed(const fs::path &root, const fs::directory_entry &entry) {
    if (!entry.is_symlink()) {
        return entry.path();
    }
    if (!leads_inside(root, entry.path())) {
        fail(ErrorCode::InvalidArgument, "{} is a symbolic link that leads outside of the modules",
             entry.path().string());
    }
    return entry.exists() ? fs::canonical(entry.path()) : fs::path{};
}

std::vector<File> files_in(const fs::path &root, std::uint64_t &sum, ext4::Time &newest) {
    std::vector<File> files;
    for (auto i = fs::recursive_directory_iterator{root}; i != fs::recursive_directory_iterator{};
         ++i) {
        const fs::path name = i->path().lexically_relative(root);
        if (!concerns_modules(name)) {
            i.disable_recursion_pending();
            continue;
        }
        if (!i->is_symlink() && i->is_directory()) {
            continue;
        }
        const fs::path file = followed(root, *i);
        if (file.empty()) {
            continue;
        }
        struct stat status {};
        if (::lstat(file.c_str(), &status) != 0) {
            throw_errno(fmt::format("look at {}", file.string()));
        }
        if (!S_ISREG(status.st_mode)) {
            fail(ErrorCode::InvalidArgument, "{} is neither a file nor a directory",
                 i->path().string());
        }
        const auto size = static_cast<std::uint64_t>(status.st_size);
        sum += size;
        if (size > max_file || sum > max_bytes || files.size() == max_files) {
            fail(ErrorCode::LimitsExceeded,
                 "the modules in {} are too large: {} files and {} GiB at most", root.string(),
                 max_files, max_bytes >> 30U);
        }
        newest = std::max(newest, {status.st_mtim.tv_sec, 0});
        files.push_back({file, name, size});
    }
    return files;
}

} // namespace

bool leads_inside(const fs::path &directory, const fs::path &path) {
    const fs::path end = fs::weakly_canonical(path);
    return std::mismatch(directory.begin(), directory.end(), end.begin(), end.end()).first ==
           directory.end();
}

ext4::Time copy_modules(const fs::path &from, const fs::path &to, Report &report) {
    std::uint64_t total = 0;
    std::uint64_t done = 0;
    ext4::Time newest;
    for (const File &file : files_in(fs::canonical(from), total, newest)) {
        const fs::path target = to / file.name;
        fs::create_directories(target.parent_path());
        const std::string content = read_file(file.from, max_file);
        const UniqueFd copy = open_file(target, O_WRONLY | O_CREAT | O_EXCL, 0644);
        write_all(copy.get(), content, target.string());
        done += file.size;
        report.bytes(done, total);
    }
    return newest;
}

} // namespace banger::image
