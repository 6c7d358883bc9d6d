#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace banger::oci {

struct HttpSettings {
    std::chrono::seconds connect_timeout{15};
    /// A transfer that gives less than 1 KiB/s for so long is cut.
    std::chrono::seconds low_speed_time{30};
    unsigned max_retries = 5;
    /// Before the first retry; doubles up to 30 s.
    std::chrono::milliseconds retry_delay{500};
};

struct Settings {
    /// Of blobs, for all images: ~/.cache/banger/oci.
    std::filesystem::path cache_directory;
    /// As from credential_files() (auth.hpp); empty: anonymous.
    std::vector<std::filesystem::path> credential_files;
    /// By registry, "docker.io": what is asked first, host[:port] or http[s]://host[:port][/path].
    /// A mirror that fails is passed over with a warning.
    std::map<std::string, std::vector<std::string>> mirrors;
    /// host[:port] of registries and mirrors that are asked by plain HTTP. Those on the loopback
    /// interface always are, unless a mirror says https://.
    std::set<std::string> insecure_registries;
    unsigned parallel_downloads = 4;
    HttpSettings http;
    /// Bytes of layers that are there and in all. Called on the thread that downloads.
    std::function<void(std::uint64_t done, std::uint64_t total)> progress;
};

} // namespace banger::oci
