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

/// For what libarchive does not write: the parts of a tar by hand.
std::string pax_record(const std::string &key, const std::string &value);
/// Records, as a tar has them in front of an entry.
std::string pax_header(const std::string &records);
std::string ustar_block(const std::string &name, char type, std::size_t size,
                        const std::string &link = {});
/// Up to whole blocks of 512 bytes.
std::string padded(std::string data);

} // namespace banger::test
