#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace banger {

/// A running SHA-256 (FIPS 180-4), by libcrypto.
class Sha256 {
public:
    Sha256();
    Sha256(Sha256 &&) noexcept;
    Sha256 &operator=(Sha256 &&) noexcept;
    ~Sha256();

    void update(std::span<const std::byte> data);
    void update(std::string_view data);
    /// 64 lower-case hexadecimal digits; ends the computation.
    std::string hex_digest();

private:
    struct Context;
    std::unique_ptr<Context> context_;
};

std::string sha256_of(std::string_view data);
/// Throws Error.
std::string sha256_of_file(const std::filesystem::path &path);

} // namespace banger
