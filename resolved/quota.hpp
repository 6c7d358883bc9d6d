#pragma once

#include "base/ipv4.hpp"

#include <cstddef>
#include <map>
#include <optional>
#include <utility>

namespace banger::resolved {

/// Counts what is in use, in all and by client, so that no guest takes what all need.
class Quota {
public:
    /// One of what is counted; given back when destroyed. The quota must outlive it.
    class Ticket {
    public:
        Ticket(Ticket &&other) noexcept
            : quota_(std::exchange(other.quota_, nullptr)), client_(other.client_) {}
        Ticket &operator=(Ticket &&) = delete;
        ~Ticket() {
            if (quota_ != nullptr) {
                quota_->give_back(client_);
            }
        }

    private:
        friend class Quota;
        Ticket(Quota *quota, Ipv4 client) : quota_(quota), client_(client) {}

        Quota *quota_;
        Ipv4 client_;
    };

    Quota(std::size_t in_all, std::size_t per_client) : in_all_(in_all), per_client_(per_client) {}
    Quota(const Quota &) = delete;
    Quota &operator=(const Quota &) = delete;

    /// Nothing if there is none left.
    std::optional<Ticket> take(Ipv4 client) {
        if (used_ >= in_all_) {
            return std::nullopt;
        }
        const auto entry = by_client_.try_emplace(client, 0).first;
        if (entry->second >= per_client_) {
            return std::nullopt;
        }
        ++entry->second;
        ++used_;
        return Ticket{this, client};
    }

private:
    void give_back(Ipv4 client) noexcept {
        const auto entry = by_client_.find(client);
        if (--entry->second == 0) {
            by_client_.erase(entry);
        }
        --used_;
    }

    std::size_t in_all_;
    std::size_t per_client_;
    std::size_t used_ = 0;
    std::map<Ipv4, std::size_t> by_client_;
};

} // namespace banger::resolved
