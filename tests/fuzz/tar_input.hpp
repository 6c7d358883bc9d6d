#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <numeric>
#include <span>
#include <vector>

namespace banger::fuzz {

/// The bytes with right checksums in the headers of a tar: a fuzzer does not find them by itself,
/// and would never get behind the first header.
inline std::vector<std::byte> with_checksums(std::span<const std::byte> input) {
    constexpr std::size_t block = 512;
    constexpr std::size_t size_at = 124;
    constexpr std::size_t size_length = 11;
    constexpr std::size_t sum_at = 148;
    constexpr std::size_t sum_length = 8;
    std::vector<std::byte> tar{input.begin(), input.end()};
    for (std::size_t at = 0; at + block <= tar.size();) {
        const std::span header = std::span{tar}.subspan(at, block);
        at += block;
        if (std::all_of(header.begin(), header.end(),
                        [](std::byte byte) { return byte == std::byte{0}; })) {
            continue;
        }
        std::fill_n(header.begin() + sum_at, sum_length, std::byte{' '});
        const unsigned sum =
            std::accumulate(header.begin(), header.end(), 0U, [](unsigned so_far, std::byte byte) {
                return so_far + std::to_integer<unsigned>(byte);
            });
        std::array<char, sum_length> text{};
        std::snprintf(text.data(), text.size(), "%06o", sum);
        std::transform(text.begin(), text.begin() + 7, header.begin() + sum_at,
                       [](char c) { return std::byte(c); });
        const auto *size_text = reinterpret_cast<const char *>(header.data()) + size_at;
        std::uint64_t size = 0;
        std::from_chars(size_text, size_text + size_length, size, 8);
        at += std::min<std::uint64_t>((size + block - 1) / block * block, tar.size());
    }
    return tar;
}

} // namespace banger::fuzz
