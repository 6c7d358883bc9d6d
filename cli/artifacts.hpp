#pragma once

#include "cli/client.hpp"
#include "cli/jobs.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace banger::cli {

/// What org.banger.Image or org.banger.Kernel tells.
struct Artifact {
    std::string name;
    std::string digest;
    std::string source;
    std::uint64_t size_bytes = 0;
    std::uint64_t created_at_usec = 0;
};

/// Sorted by name; `interface` is names::image or names::kernel.
std::vector<Artifact> list_artifacts(const ManagedObjects &objects, const char *interface);

bool is_there(const ManagedObjects &objects, const char *interface, const std::string &name);

/// Whether the image says what its containers run: an OCI image, used as by docker.
bool is_container_image(const ManagedObjects &objects, const std::string &name);

/// An OCI reference to a file or directory gets an absolute path: bangerd's working directory is
/// another. Anything else stays as it is.
std::string with_absolute_path(const std::string &reference);

/// Pulls the image (a name or an OCI reference) and a kernel to boot it with where they are
/// missing, with progress. An empty `kernel` means the default one. Returns the image's name.
/// Throws Error.
std::string pull_missing(Client &client, Jobs &jobs, const ManagedObjects &objects,
                         const std::string &image, const std::string &kernel);

} // namespace banger::cli
