#include "daemon/helper/nftables.hpp"

#include "base/error.hpp"

#include <nftables/libnftables.h>

#include <string_view>

namespace banger::helper {

void Nftables::Free::operator()(nft_ctx *context) const noexcept {
    nft_ctx_free(context);
}

Nftables::Nftables() : context_(nft_ctx_new(NFT_CTX_DEFAULT)) {
    if (!context_) {
        fail(ErrorCode::NetworkUnavailable, "could not set up libnftables");
    }
    // What it prints belongs into our error message.
    nft_ctx_buffer_error(context_.get());
    nft_ctx_buffer_output(context_.get());
}

void Nftables::run(const std::string &script) {
    const int result = nft_run_cmd_from_buffer(context_.get(), script.c_str());
    // Reading a buffer empties it for the next run.
    nft_ctx_get_output_buffer(context_.get());
    const char *text = nft_ctx_get_error_buffer(context_.get());
    if (result != 0) {
        fail(ErrorCode::NetworkUnavailable,
             "the kernel refused the packet filter rules (does it have nftables with bridge and "
             "NAT support?): {}",
             std::string_view{text != nullptr ? text : ""}.substr(0, 2000));
    }
}

} // namespace banger::helper
