#pragma once

#include <array>
#include <cstddef>
#include <cstring>
#include <span>

namespace banger::bundle {

/// What a hole in a file is made of: a file system's block.
constexpr std::size_t block_size = 4096;
inline constexpr std::array<std::byte, 256 * block_size> zeros{};

/// At most zeros.size() bytes.
inline bool is_zero(std::span<const std::byte> bytes) noexcept {
    return std::memcmp(bytes.data(), zeros.data(), bytes.size()) == 0;
}

} // namespace banger::bundle
