#include "cli/workspace_archive.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "cli/format.hpp"
#include "cli/git_snapshot.hpp"
#include "cli/tree_reader.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <set>

namespace banger::cli {
namespace {

namespace fs = std::filesystem;

struct ArchiveDeleter {
    void operator()(archive *a) const {
        // After a failed write free() alone leaves libarchive's own buffer behind (3.6).
        archive_write_close(a);
        archive_write_free(a);
    }
};
struct EntryDeleter {
    void operator()(archive_entry *e) const { archive_entry_free(e); }
};

// The sink of libarchive: never closes the descriptor, and counts.
struct Sink {
    int fd;
    int stop;
    std::atomic<std::uint64_t> *written;
};

la_ssize_t write_to_sink(archive *a, void *userdata, const void *data, std::size_t size) {
    const auto *sink = static_cast<Sink *>(userdata);
    while (true) {
        std::array<pollfd, 2> polls{{{sink->fd, POLLOUT, 0}, {sink->stop, POLLIN, 0}}};
        ::poll(polls.data(), polls.size(), -1);
        if (polls[1].revents != 0) {
            archive_set_error(a, ECANCELED, "it was cancelled");
            return -1;
        }
        const ssize_t n = ::write(sink->fd, data, size);
        if (n >= 0) {
            *sink->written += static_cast<std::uint64_t>(n);
            return n;
        }
        if (errno != EINTR && errno != EAGAIN) {
            archive_set_error(a, errno, "the receiver has ended");
            return -1;
        }
    }
}

class TarWriter {
public:
    TarWriter(int fd, int stop, std::atomic<std::uint64_t> &written)
        : archive_(archive_write_new()), sink_{fd, stop, &written} {
        check(archive_write_set_format_pax_restricted(archive_.get()));
        // File names are bytes: no conversion by the locale.
        check(archive_write_set_options(archive_.get(), "hdrcharset=BINARY"));
        check(archive_write_set_bytes_in_last_block(archive_.get(), 1));
        check(archive_write_open(archive_.get(), &sink_, nullptr, write_to_sink, nullptr));
    }

    void add(TreeReader &reader, const std::string &path) {
        const auto status = reader.stat(path);
        if (!status) {
            return;
        }
        if (S_ISLNK(status->st_mode)) {
            add_parents(reader, path);
            const auto entry = make_entry(path, *status);
            archive_entry_set_size(entry.get(), 0);
            archive_entry_copy_symlink(entry.get(), reader.read_link(path).c_str());
            check(archive_write_header(archive_.get(), entry.get()));
        } else if (S_ISDIR(status->st_mode)) {
            add_parents(reader, path + "/");
        } else if (S_ISREG(status->st_mode)) {
            add_file(reader, path);
        }
    }

    void finish() { check(archive_write_close(archive_.get())); }

private:
    std::unique_ptr<archive_entry, EntryDeleter> make_entry(const std::string &path,
                                                            const struct stat &status) {
        std::unique_ptr<archive_entry, EntryDeleter> entry(archive_entry_new());
        archive_entry_copy_pathname(entry.get(), path.c_str());
        archive_entry_set_mode(entry.get(), status.st_mode & (S_IFMT | 0777U));
        archive_entry_set_mtime(entry.get(), status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
        archive_entry_set_uid(entry.get(), 0);
        archive_entry_set_gid(entry.get(), 0);
        archive_entry_copy_uname(entry.get(), "root");
        archive_entry_copy_gname(entry.get(), "root");
        return entry;
    }

    void add_parents(TreeReader &reader, const std::string &path) {
        for (std::size_t slash = path.find('/'); slash != std::string::npos;
             slash = path.find('/', slash + 1)) {
            const std::string parent = path.substr(0, slash);
            if (!directories_.insert(parent).second) {
                continue;
            }
            if (const auto status = reader.stat(parent)) {
                const auto entry = make_entry(parent, *status);
                archive_entry_set_perm(entry.get(), (status->st_mode & 0777U) | 0700U);
                check(archive_write_header(archive_.get(), entry.get()));
            }
        }
    }

    void add_file(TreeReader &reader, const std::string &path) {
        const UniqueFd file = reader.open(path);
        struct stat status {};
        if (::fstat(file.get(), &status) != 0) {
            throw_errno(fmt::format("read {}", quote_path(path)));
        }
        if (!S_ISREG(status.st_mode)) {
            return;
        }
        add_parents(reader, path);
        const auto entry = make_entry(path, status);
        archive_entry_set_size(entry.get(), status.st_size);
        check(archive_write_header(archive_.get(), entry.get()));
        // A file that grows meanwhile is cut, one that shrinks is filled with zeros.
        auto left = static_cast<std::uint64_t>(status.st_size);
        while (left > 0) {
            const ssize_t n = ::read(file.get(), buffer_.data(), buffer_.size());
            if (n < 0 && errno == EINTR) {
                continue;
            }
            if (n < 0) {
                throw_errno(fmt::format("read {}", quote_path(path)));
            }
            if (n == 0) {
                break;
            }
            const std::uint64_t size = std::min<std::uint64_t>(left, static_cast<std::uint64_t>(n));
            if (archive_write_data(archive_.get(), buffer_.data(), size) < 0) {
                check(ARCHIVE_FATAL);
            }
            left -= size;
        }
    }

    void check(int result) {
        if (result < ARCHIVE_WARN) {
            fail(ErrorCode::Internal, "could not send the workspace: {}",
                 archive_error_string(archive_.get()));
        }
    }

    std::unique_ptr<archive, ArchiveDeleter> archive_;
    Sink sink_;
    std::set<std::string> directories_;
    std::array<char, 128UL * 1024UL> buffer_{};
};

} // namespace

WorkspaceArchive::WorkspaceArchive(const Workspace &workspace)
    : workspace_(workspace), git_directory_(temporary_.path() / "git" / ".git"),
      source_(workspace.root()), files_(workspace.files()) {
    make_git_snapshot(workspace, git_directory_);
    if (!workspace.options().from.empty()) {
        check_out();
    }
    for (const auto &item : fs::recursive_directory_iterator(git_directory_)) {
        // Directories too: git wants refs/ to be there, if only empty.
        git_files_.push_back(item.path().lexically_relative(git_directory_.parent_path()));
        bytes_ += item.is_regular_file() ? item.file_size() : 0;
    }
    TreeReader reader(source_);
    for (const std::string &path : files_) {
        if (const auto status = reader.stat(path)) {
            bytes_ += static_cast<std::uint64_t>(status->st_size);
        }
    }
}

void WorkspaceArchive::check_out() {
    source_ = temporary_.path() / "tree";
    make_private_directories(source_);
    workspace_.git()
        .with_index(git_directory_ / "index")
        .read({"checkout-index", "--all", "--prefix=" + source_.native() + "/"});
}

void WorkspaceArchive::write(int fd, int stop, std::atomic<std::uint64_t> &written) const {
    const auto writer = std::make_unique<TarWriter>(fd, stop, written);
    TreeReader git_reader(git_directory_.parent_path());
    for (const std::string &path : git_files_) {
        writer->add(git_reader, path);
    }
    TreeReader source(source_);
    TreeReader root(workspace_.root());
    for (const std::string &path : files_) {
        // Untracked files are in the working tree alone.
        writer->add(source.stat(path) ? source : root, path);
    }
    writer->finish();
}

} // namespace banger::cli
