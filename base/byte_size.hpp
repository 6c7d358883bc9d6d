#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace banger {

constexpr std::uint64_t KiB = 1024;
constexpr std::uint64_t MiB = 1024 * KiB;
constexpr std::uint64_t GiB = 1024 * MiB;

/// Reads "16G", "512M", "8GiB", "1.5T", "4096" (bytes); factors of 1024, as Docker has them.
/// Throws Error{InvalidArgument} that quotes the text.
std::uint64_t parse_byte_size(std::string_view text);

/// "8 GiB", "1.5 GiB", "512 MiB", "17 B": at most one decimal, for people.
std::string format_byte_size(std::uint64_t bytes);

} // namespace banger
