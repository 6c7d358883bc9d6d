#pragma once

#include "base/unique_fd.hpp"

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace banger::supervisor {

/// A SOCK_SEQPACKET connection as a client of the supervisor has it, waiting and with a deadline.
class ControlClient {
public:
    /// Throws when nobody listens there.
    explicit ControlClient(const std::filesystem::path &path);
    explicit ControlClient(UniqueFd fd) : fd_(std::move(fd)) {}

    void send(const nlohmann::json &packet, const std::vector<int> &descriptors = {}) const;
    /// The next packet; null when the connection is over. Throws after 30 s.
    nlohmann::json receive();
    /// Packets up to the one that has `key`.
    nlohmann::json receive_with(const char *key);
    /// The descriptors of the last packet.
    std::vector<UniqueFd> take_descriptors() { return std::move(descriptors_); }
    void close() { fd_.reset(); }

private:
    UniqueFd fd_;
    std::vector<UniqueFd> descriptors_;
};

} // namespace banger::supervisor
