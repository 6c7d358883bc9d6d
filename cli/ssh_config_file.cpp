#include "cli/ssh_config_file.hpp"

#include <fmt/format.h>

namespace banger::cli {
namespace {

constexpr std::string_view begin_marker =
    "# >>> banger: written by `banger ssh-config --install` >>>\n";
constexpr std::string_view end_marker = "# <<< banger <<<\n";

} // namespace

std::string include_line(const std::filesystem::path &included) {
    return fmt::format("Include \"{}\"", included.native());
}

bool has_include(std::string_view text) {
    return text.find(begin_marker) != std::string_view::npos;
}

std::string without_include(std::string_view text) {
    const std::size_t begin = text.find(begin_marker);
    if (begin == std::string_view::npos) {
        return std::string(text);
    }
    const std::size_t end = text.find(end_marker, begin);
    if (end == std::string_view::npos) {
        // The end was edited away: nothing but the marker itself is surely ours.
        return fmt::format("{}{}", text.substr(0, begin), text.substr(begin + begin_marker.size()));
    }
    std::string_view rest = text.substr(end + end_marker.size());
    // The empty line that with_include() puts after the block.
    if (rest.starts_with('\n')) {
        rest.remove_prefix(1);
    }
    return fmt::format("{}{}", text.substr(0, begin), rest);
}

std::string with_include(std::string_view text, const std::filesystem::path &included) {
    return fmt::format("{}{}\n{}\n{}", begin_marker, include_line(included), end_marker,
                       without_include(text));
}

} // namespace banger::cli
