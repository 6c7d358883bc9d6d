#pragma once

#include <archive.h>
#include <archive_entry.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace banger::test {

/// Writes a pax archive with libarchive.
class Tar {
public:
    explicit Tar(const std::filesystem::path &path);

    struct Entry {
        std::string path = {};
        unsigned type = AE_IFREG;
        mode_t permissions = 0644;
        std::string content = {};
        std::string link = {};
        la_int64_t uid = 0;
        time_t seconds = 1'700'000'000;
        long nanoseconds = 0;
        std::vector<std::pair<std::string, std::string>> xattrs = {};
        bool acl = false;
        unsigned device = 0;
    };

    void add(const Entry &e);

private:
    std::unique_ptr<archive, int (*)(archive *)> archive_;
};

} // namespace banger::test
