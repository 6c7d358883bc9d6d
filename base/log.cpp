#include "base/log.hpp"

#include "base/error.hpp"

#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <vector>

#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

namespace banger::log {
namespace {

// The one process-wide setting: LogControl1 of a process has one level, too.
std::atomic<Level> current_level{Level::Info};

constexpr std::array<std::pair<std::string_view, Level>, 8> names{{
    {"emerg", Level::Error},
    {"alert", Level::Error},
    {"crit", Level::Error},
    {"err", Level::Error},
    {"warning", Level::Warning},
    {"notice", Level::Notice},
    {"info", Level::Info},
    {"debug", Level::Debug},
}};

// systemd.exec(5): $JOURNAL_STREAM holds "device:inode" of the stream that leads to the journal.
bool stderr_is_journal() {
    const char *stream = ::secure_getenv("JOURNAL_STREAM");
    struct stat st {};
    return stream != nullptr && ::fstat(STDERR_FILENO, &st) == 0 &&
           fmt::format("{}:{}", st.st_dev, st.st_ino) == stream;
}

} // namespace

void write(Level level, std::string_view message, std::initializer_list<Field> fields) {
    if (level > current_level.load(std::memory_order_relaxed)) {
        return;
    }
    static const bool to_journal = stderr_is_journal();
    if (!to_journal) {
        const std::string line = fmt::format("<{}>{}\n", static_cast<int>(level), message);
        std::fwrite(line.data(), 1, line.size(), stderr);
        return;
    }
    std::vector<std::string> entries;
    entries.reserve(fields.size() + 2);
    entries.push_back(fmt::format("MESSAGE={}", message));
    entries.push_back(fmt::format("PRIORITY={}", static_cast<int>(level)));
    for (const auto &[name, value] : fields) {
        entries.push_back(fmt::format("{}={}", name, value));
    }
    std::vector<iovec> vectors;
    vectors.reserve(entries.size());
    for (auto &entry : entries) {
        vectors.push_back({entry.data(), entry.size()});
    }
    sd_journal_sendv(vectors.data(), static_cast<int>(vectors.size()));
}

void set_level(Level level) noexcept {
    current_level = level;
}

void set_level(std::string_view name) {
    for (const auto &[known, level] : names) {
        if (known == name) {
            current_level = level;
            return;
        }
    }
    fail(ErrorCode::InvalidArgument,
         "'{}' is not a log level: use err, warning, notice, info or debug", name);
}

std::string_view level_name() noexcept {
    std::string_view found = "info";
    for (const auto &[name, level] : names) {
        if (level == current_level.load()) {
            found = name;
        }
    }
    return found;
}

} // namespace banger::log
