#include "daemon/helper/network_config.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <toml++/toml.h>

namespace banger::helper {
namespace {

[[noreturn]] void refuse(const std::filesystem::path &file, const toml::source_region &where,
                         std::string_view what) {
    fail(ErrorCode::InvalidArgument, "{}:{}: {}", file.string(), where.begin.line, what);
}

std::string string_of(const std::filesystem::path &file, std::string_view key,
                      const toml::node &node) {
    const auto *text = node.as_string();
    if (text == nullptr) {
        refuse(file, node.source(), fmt::format("'{}' must be a string", key));
    }
    return text->get();
}

Ipv4Prefix pool_of(const std::filesystem::path &file, const toml::node &node) {
    const std::string text = string_of(file, "pool", node);
    Ipv4Prefix pool;
    try {
        pool = Ipv4Prefix::parse(text);
    } catch (const Error &e) {
        refuse(file, node.source(), e.what());
    }
    if (pool.length < 8 || pool.length > 24) {
        refuse(file, node.source(),
               fmt::format("the pool {} must have a prefix of 8 to 24 bits: each user gets a /24",
                           text));
    }
    return pool;
}

void read(NetworkConfig &config, const std::filesystem::path &file, const toml::table &document) {
    for (const auto &[section, content] : document) {
        const auto *table = content.as_table();
        if (section.str() != "network" || table == nullptr) {
            refuse(file, content.source(),
                   fmt::format("'{}' is not known here: there is [network]", section.str()));
        }
        for (const auto &[key, value] : *table) {
            if (key.str() == "pool") {
                config.pool = pool_of(file, value);
            } else if (key.str() == "vm_domain_owner") {
                config.vm_domain_owner = string_of(file, key.str(), value);
            } else {
                refuse(file, value.source(),
                       fmt::format("'{}' is not known here: there are pool, vm_domain_owner",
                                   key.str()));
            }
        }
    }
}

} // namespace

NetworkConfig NetworkConfig::load(const std::filesystem::path &file) {
    NetworkConfig config;
    std::string text;
    try {
        text = read_file(file, 64U << 10U);
    } catch (const Error &e) {
        if (e.code() == ErrorCode::NotFound) {
            return config;
        }
        throw;
    }
    try {
        read(config, file, toml::parse(text, file.string()));
    } catch (const toml::parse_error &e) {
        refuse(file, e.source(), e.description());
    }
    return config;
}

} // namespace banger::helper
