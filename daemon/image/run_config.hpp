#pragma once

#include <string>
#include <vector>

namespace banger::image {

/// How a container of the image would run: what an OCI image's configuration says (image-spec,
/// config.md). All empty for an image that a recipe made.
struct RunConfig {
    std::vector<std::string> environment; ///< NAME=VALUE
    std::string working_directory;        ///< empty: the user's home
    std::string user;                     ///< user[:group], names or numbers; empty: root
    std::vector<std::string> entrypoint;
    std::vector<std::string> command; ///< arguments of the entrypoint where the user gives none
};

} // namespace banger::image
