#include "daemon/image/worker/part_fetch.hpp"

#include "base/byte_size.hpp"
#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "daemon/oci/http.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <ctime>
#include <mutex>
#include <thread>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t max_key = 1U << 20U;
constexpr std::uint64_t max_file = 4ULL << 30U;
constexpr std::size_t at_once = 4;
constexpr std::string_view file_scheme = "file://";
constexpr long http_ok = 200;

/// What all parts have fetched together.
class Progress {
public:
    explicit Progress(Report &report) : report_(report) {}

    void add(std::uint64_t bytes) {
        const std::lock_guard lock(mutex_);
        done_ += bytes;
        report_.bytes(done_, 0);
    }

private:
    Report &report_;
    std::mutex mutex_;
    std::uint64_t done_ = 0;
};

/// The file that grows while a part is fetched; gone in the end.
class Download {
public:
    Download(fs::path path, const WantedPart &part, Progress &progress)
        : path_(std::move(path)), fd_(open_file(path_, O_RDWR | O_CREAT | O_TRUNC)),
          limit_(part.size != 0            ? part.size
                 : part.apt_source.empty() ? max_file
                                           : max_key),
          url_(part.url), progress_(progress) {}
    ~Download() { ::unlink(path_.c_str()); }
    Download(const Download &) = delete;
    Download &operator=(const Download &) = delete;

    void take(std::span<const std::byte> bytes) {
        size_ += bytes.size();
        if (size_ > limit_) {
            fail(ErrorCode::LimitsExceeded, "{} is larger than {}", url_, format_byte_size(limit_));
        }
        write_all(fd_.get(), bytes, "write " + path_.string());
        progress_.add(bytes.size());
    }
    void begin_anew() {
        if (::ftruncate(fd_.get(), 0) != 0 || ::lseek(fd_.get(), 0, SEEK_SET) < 0) {
            throw_errno("empty " + path_.string());
        }
        size_ = 0;
    }
    const fs::path &path() const noexcept { return path_; }
    std::uint64_t size() const noexcept { return size_; }

private:
    fs::path path_;
    UniqueFd fd_;
    std::uint64_t limit_;
    std::uint64_t size_ = 0;
    std::string url_;
    Progress &progress_;
};

void copy_local(const fs::path &source, Download &to) {
    // A fifo would keep us waiting for ever.
    const UniqueFd fd = open_file(source, O_RDONLY | O_NONBLOCK);
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0 || !S_ISREG(status.st_mode)) {
        fail(ErrorCode::InvalidArgument, "{} is no file", source.string());
    }
    std::array<std::byte, 65536> buffer;
    for (;;) {
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n < 0) {
            throw_errno("read " + source.string());
        }
        if (n == 0) {
            return;
        }
        to.take({buffer.data(), static_cast<std::size_t>(n)});
    }
}

void download(const std::string &url, Download &to) {
    oci::HttpSettings settings;
    settings.connect_timeout = std::chrono::seconds{10};
    settings.max_retries = 2;
    oci::HttpRequest request;
    request.url = url;
    request.plain_http = true; // the sha256 tells what is right
    for (unsigned failures = 0;; ++failures) {
        oci::TransferSet set{std::stop_token{}};
        const oci::Transfer *current = nullptr;
        oci::Transfer transfer{set, request, settings, [&](std::span<const std::byte> bytes) {
                                   if (current->status() == http_ok) {
                                       to.take(bytes);
                                   }
                               }};
        current = &transfer;
        std::vector<oci::TransferSet::Finished> finished;
        while (finished.empty()) {
            finished = set.wait(std::chrono::minutes{1});
        }
        const CURLcode code = finished.front().code;
        if (transfer.thrown()) {
            std::rethrow_exception(transfer.thrown());
        }
        // Where nobody answers at all, once is enough: a recipe may go on without the part.
        const bool answered = transfer.status() != 0;
        if (answered && oci::is_transient(code, transfer.status()) &&
            failures < settings.max_retries) {
            set.wait(oci::retry_delay(settings, failures, transfer.retry_after()));
            to.begin_anew();
            continue;
        }
        if (code != CURLE_OK) {
            fail(ErrorCode::NetworkUnavailable, "cannot fetch {}: {}", url, transfer.reason(code));
        }
        if (transfer.status() != http_ok) {
            fail(ErrorCode::NetworkUnavailable, "cannot fetch {}: the server answers {}", url,
                 transfer.status());
        }
        return;
    }
}

/// The tar of one part.
class TarFile {
public:
    explicit TarFile(fs::path path)
        : path_(std::move(path)), archive_(::archive_write_new(), &::archive_write_free),
          entry_(::archive_entry_new(), &::archive_entry_free) {
        check(::archive_write_set_format_pax_restricted(archive_.get()));
        check(::archive_write_open_filename(archive_.get(), path_.c_str()));
    }
    void begin(const fs::path &path_in_image, std::uint32_t mode, std::uint64_t size) {
        archive_entry *entry = ::archive_entry_clear(entry_.get());
        ::archive_entry_set_pathname(entry, path_in_image.relative_path().c_str());
        ::archive_entry_set_filetype(entry, AE_IFREG);
        ::archive_entry_set_perm(entry, mode);
        ::archive_entry_set_size(entry, static_cast<la_int64_t>(size));
        // Its place in time is the build's, where nothing is newer than the archive.
        ::archive_entry_set_mtime(entry, std::time(nullptr), 0);
        check(::archive_write_header(archive_.get(), entry));
    }
    void write(std::string_view bytes) {
        const bool written = ::archive_write_data(archive_.get(), bytes.data(), bytes.size()) >= 0;
        check(written ? ARCHIVE_OK : ARCHIVE_FATAL);
    }
    void close() { check(::archive_write_close(archive_.get())); }

private:
    void check(int result) {
        if (result != ARCHIVE_OK) {
            const bool full = ::archive_errno(archive_.get()) == ENOSPC;
            fail(full ? ErrorCode::DiskFull : ErrorCode::Internal, "cannot write {}: {}",
                 path_.string(), ::archive_error_string(archive_.get()));
        }
    }

    fs::path path_;
    std::unique_ptr<archive, int (*)(archive *)> archive_;
    std::unique_ptr<archive_entry, void (*)(archive_entry *)> entry_;
};

void pack_file(const WantedPart &part, const Download &fetched, const fs::path &tar_path) {
    TarFile tar{tar_path};
    tar.begin(part.path, part.mode, fetched.size());
    const UniqueFd fd = open_file(fetched.path(), O_RDONLY);
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n < 0) {
            throw_errno("read " + fetched.path().string());
        }
        if (n == 0) {
            break;
        }
        tar.write({buffer.data(), static_cast<std::size_t>(n)});
    }
    tar.close();
}

/// apt tells an armoured key from a binary one by the name.
std::string_view key_suffix(std::string_view key) {
    return key.starts_with("-----BEGIN PGP") ? ".asc" : ".gpg";
}

fs::path pack_key(const WantedPart &part, const Download &fetched, const fs::path &directory) {
    constexpr std::uint32_t readable = 0644;
    const std::string key = read_file(fetched.path(), max_key);
    const std::string file_name = part.name + std::string(key_suffix(key));
    const fs::path in_image = fs::path{"/etc/apt/keyrings"} / file_name;
    const std::string source = fmt::format("{}Signed-By: {}\n", part.apt_source, in_image.string());
    TarFile tar{directory / (part.name + ".tar")};
    tar.begin(in_image, readable, key.size());
    tar.write(key);
    tar.begin(fs::path{"/etc/apt/sources.list.d"} / (part.name + ".sources"), readable,
              source.size());
    tar.write(source);
    tar.close();
    write_file_atomically(directory / file_name, key, readable);
    return directory / file_name;
}

nlohmann::json fetch(const WantedPart &part, const fs::path &directory, Progress &progress) {
    Download fetched{directory / (part.name + ".part"), part, progress};
    if (part.url.starts_with(file_scheme)) {
        copy_local(part.url.substr(file_scheme.size()), fetched);
    } else {
        download(part.url, fetched);
    }
    if (part.size != 0 && fetched.size() != part.size) {
        fail(ErrorCode::ImageCorrupt, "{} has {} bytes, not {}", part.url, fetched.size(),
             part.size);
    }
    if (const std::string sha256 = sha256_of_file(fetched.path()); sha256 != part.sha256) {
        fail(ErrorCode::ImageCorrupt, "{} is not what it should be: its sha256 is {}, not {}",
             part.url, sha256, part.sha256);
    }
    nlohmann::json result = nlohmann::json::object();
    if (part.apt_source.empty()) {
        pack_file(part, fetched, directory / (part.name + ".tar"));
    } else {
        result["key"] = pack_key(part, fetched, directory).string();
    }
    return result;
}

nlohmann::json error_json(const Error &error) {
    return {{"error", {{"code", to_string(error.code())}, {"message", error.what()}}}};
}

nlohmann::json try_fetch(const WantedPart &part, const fs::path &directory, Progress &progress) {
    try {
        return fetch(part, directory, progress);
    } catch (const Error &error) {
        return error_json(error);
    } catch (const std::exception &error) {
        return error_json(Error{ErrorCode::Internal, error.what()});
    }
}

} // namespace

void fetch_parts(const PartFetch &wanted, Report &report) {
    Progress progress{report};
    std::vector<nlohmann::json> results(wanted.parts.size());
    std::atomic<std::size_t> next = 0;
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < std::min(at_once, wanted.parts.size()); ++i) {
            threads.emplace_back([&] {
                for (std::size_t part = next++; part < wanted.parts.size(); part = next++) {
                    results[part] = try_fetch(wanted.parts[part], wanted.directory, progress);
                }
            });
        }
    }
    report.result({{"parts", results}});
}

} // namespace banger::image
