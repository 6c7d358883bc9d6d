#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace banger::test {

/// Reads the tar once more and compares each entry with the file system, as libext2fs reads it:
/// kind, mode, owner, time, size, content, target, device, hard links, xattrs and ACLs; then looks
/// for what is in the file system alone. Returns the differences, at most twenty; `entries` is how
/// many were compared.
std::vector<std::string> differences(const std::filesystem::path &tar,
                                     const std::filesystem::path &image, std::size_t &entries);

} // namespace banger::test
