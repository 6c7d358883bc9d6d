#include "daemon/helper/forwarding.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

#include <nlohmann/json.hpp>

#include <set>

namespace banger::helper {
namespace {

std::string key_of(const LinkState &link) {
    return fmt::format("{}:{}", link.index, link.name);
}

} // namespace

UplinkForwarding::Record UplinkForwarding::load() const {
    try {
        return nlohmann::json::parse(read_file(record_)).get<Record>();
    } catch (const Error &e) {
        if (e.code() != ErrorCode::NotFound) {
            throw;
        }
    } catch (const nlohmann::json::exception &e) {
        log::warning(fmt::format("{} is damaged ({}): the uplinks keep forwarding until the next "
                                 "boot",
                                 record_.string(), e.what()));
    }
    return {};
}

void UplinkForwarding::save(const Record &record) const {
    if (record.empty()) {
        std::error_code ignored; // it may not be there
        std::filesystem::remove(record_, ignored);
        return;
    }
    write_file_atomically(record_, nlohmann::json(record).dump() + "\n");
}

std::vector<std::string> UplinkForwarding::require(const std::vector<LinkState> &uplinks) {
    const Record before = load();
    if (before.empty() && uplinks.empty()) {
        return {};
    }
    const bool everywhere = forwarding_everywhere(links_);
    Record record;
    std::vector<std::string> opened;
    std::set<std::string> wanted;
    for (const LinkState &link : uplinks) {
        const std::string key = key_of(link);
        wanted.insert(key);
        const auto known = before.find(key);
        // On although we found it off: by us, unless the whole host forwards by now.
        const bool by_us = known != before.end() && !known->second;
        const bool former = link.forwarding && (everywhere || !by_us);
        record[key] = former;
        if (!former) {
            opened.push_back(link.name);
        }
    }
    Record during = before;
    for (const auto &[key, former] : record) {
        during[key] = former;
    }
    // On disk before it is done, so that a crash in between forgets nothing.
    if (during != before) {
        save(during);
    }
    for (const LinkState &link : uplinks) {
        if (!link.forwarding) {
            links_.set_forwarding(link, true);
        }
    }
    for (const LinkState &link : links_.all()) {
        const auto known = before.find(key_of(link));
        if (known != before.end() && wanted.count(known->first) == 0 && !known->second &&
            link.forwarding && !everywhere) {
            links_.set_forwarding(link, false);
        }
    }
    if (record != during) {
        save(record);
    }
    return opened;
}

} // namespace banger::helper
