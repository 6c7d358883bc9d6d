#pragma once

#include <memory>
#include <string>

struct nft_ctx;

namespace banger::helper {

/// libnftables(3).
class Nftables {
public:
    /// Throws Error.
    Nftables();

    /// Runs a script as one transaction. Throws Error{NetworkUnavailable}; then nothing has
    /// changed.
    void run(const std::string &script);

private:
    struct Free {
        void operator()(nft_ctx *context) const noexcept;
    };
    std::unique_ptr<nft_ctx, Free> context_;
};

} // namespace banger::helper
