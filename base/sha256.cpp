#include "base/sha256.hpp"

#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <vector>

namespace banger {

struct Sha256::Context {
    struct Free {
        void operator()(EVP_MD_CTX *context) const { EVP_MD_CTX_free(context); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> evp{EVP_MD_CTX_new()};
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
    if (!context_->evp || EVP_DigestInit_ex(context_->evp.get(), EVP_sha256(), nullptr) != 1) {
        fail(ErrorCode::Internal, "libcrypto cannot compute SHA-256");
    }
}
Sha256::Sha256(Sha256 &&) noexcept = default;
Sha256 &Sha256::operator=(Sha256 &&) noexcept = default;
Sha256::~Sha256() = default;

void Sha256::update(std::span<const std::byte> data) {
    EVP_DigestUpdate(context_->evp.get(), data.data(), data.size());
}

void Sha256::update(std::string_view data) {
    update(std::as_bytes(std::span{data}));
}

std::string Sha256::hex_digest() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned length = 0;
    EVP_DigestFinal_ex(context_->evp.get(), digest.data(), &length);
    std::string hex;
    hex.reserve(2UL * length);
    for (unsigned i = 0; i < length; ++i) {
        fmt::format_to(std::back_inserter(hex), "{:02x}", digest[i]);
    }
    return hex;
}

std::string sha256_of(std::string_view data) {
    Sha256 sum;
    sum.update(data);
    return sum.hex_digest();
}

std::string sha256_of_file(const std::filesystem::path &path) {
    const UniqueFd fd = open_file(path, O_RDONLY);
    Sha256 sum;
    std::vector<std::byte> buffer(1U << 20U);
    for (;;) {
        const ssize_t n = ::read(fd.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            throw_errno(fmt::format("read {}", path.string()));
        }
        if (n == 0) {
            return sum.hex_digest();
        }
        sum.update(std::span{buffer}.first(static_cast<std::size_t>(n)));
    }
}

} // namespace banger
