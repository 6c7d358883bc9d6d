#pragma once

#include "cli/client.hpp"
#include "cli/verbs.hpp"

namespace banger::cli {

/// What a bundle is made of.
struct BundleVerb {
    const char *description;
    const char *type_name; ///< kind::image or kind::kernel
    const char *interface; ///< names::image or names::kernel
    const char *method;    ///< of the manager
};
constexpr BundleVerb bundle_of_image{"Write a bundle of an image, for others to pull", kind::image,
                                     names::image, "ExportImage"};
constexpr BundleVerb bundle_of_kernel{"Write a bundle of a kernel, for others to pull",
                                      kind::kernel, names::kernel, "ExportKernel"};

/// `bundle`: writes the file, and prints the entry that a catalog needs for it.
void add_bundle(CLI::App &parent, const BundleVerb &bundle, Context &context);

} // namespace banger::cli
