#pragma once

#include "daemon/helper/links.hpp"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace banger::helper {

/// IPv4 forwarding on the uplinks, as long as guests need it. What each had before stands in a file
/// under /run, which outlives the helper and not the boot.
class UplinkForwarding {
public:
    UplinkForwarding(Links &links, std::filesystem::path record)
        : links_(links), record_(std::move(record)) {}

    /// Switches forwarding on for these, and gives the others that were switched on by this their
    /// former value back, unless somebody has switched it on for the whole host since. Returns the
    /// names of those that forward because of this alone. Throws Error.
    std::vector<std::string> require(const std::vector<LinkState> &uplinks);

private:
    /// Of one link, by "index:name", so that another link of the name is not meant.
    using Record = std::map<std::string, bool>;

    Record load() const;
    void save(const Record &record) const;

    Links &links_;
    std::filesystem::path record_;
};

} // namespace banger::helper
