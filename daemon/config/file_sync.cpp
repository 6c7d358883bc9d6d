#include "daemon/config/file_sync.hpp"

#include "base/error.hpp"
#include "base/paths.hpp"

#include <algorithm>
#include <charconv>

namespace banger::config {
namespace {

void refuse_dot_dot(const std::filesystem::path &path) {
    if (std::any_of(path.begin(), path.end(), [](const auto &part) { return part == ".."; })) {
        fail(ErrorCode::InvalidArgument, "'{}' has '..' in it", path.string());
    }
}

} // namespace

std::filesystem::path expand_host_path(std::string_view text) {
    std::filesystem::path path;
    if (text.starts_with("~/")) {
        path = home_directory() / text.substr(2);
    } else if (text.starts_with('/')) {
        path = text;
    } else {
        fail(ErrorCode::InvalidArgument, "'{}' is neither absolute nor does it begin with '~/'",
             text);
    }
    refuse_dot_dot(path);
    return path;
}

std::filesystem::path expand_guest_path(std::string_view text) {
    std::filesystem::path path;
    if (text.starts_with("~/")) {
        path = std::filesystem::path("/root") / text.substr(2);
    } else if (text.starts_with("/root/")) {
        path = text;
    } else {
        fail(ErrorCode::InvalidArgument, "'{}' does not lie below '~/' or '/root/'", text);
    }
    refuse_dot_dot(path);
    if (path.lexically_normal() == "/root/" || path.lexically_normal() == "/root") {
        fail(ErrorCode::InvalidArgument, "'{}' names no file below /root", text);
    }
    return path;
}

std::uint32_t parse_mode(std::string_view text) {
    std::uint32_t mode = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), mode, 8);
    if (text.empty() || error != std::errc{} || end != text.data() + text.size() || mode > 0777) {
        fail(ErrorCode::InvalidArgument,
             "'{}' is not a file mode: use octal digits, as in \"0600\"", text);
    }
    return mode;
}

} // namespace banger::config
