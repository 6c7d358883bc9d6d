#pragma once

#include "cli/verbs.hpp"

namespace banger::cli {

// The verbs of `banger image` that have a file of their own.
void add_image_show(CLI::App &image, Context &context);
void add_image_register(CLI::App &image, Context &context);
void add_image_promote(CLI::App &image, Context &context);
void add_image_cache(CLI::App &image, Context &context);

} // namespace banger::cli
