#pragma once

#include "cli/verbs.hpp"

#include <functional>
#include <string>
#include <vector>

namespace banger::cli {

/// What may stand where the last word is.
struct Candidates {
    struct Word {
        std::string text;
        std::string description;
    };
    std::vector<Word> words;
    bool files = false; ///< names of files too, which the shell knows best
};

/// Names of one kind (kind::vm, image, kernel, available_kernel) that there are now.
using LiveNames = std::function<std::vector<std::string>(const std::string &kind)>;

/// Completes the last of the words, which may be empty, by walking the tree of verbs.
Candidates complete(const CLI::App &root, const std::vector<std::string> &words,
                    const LiveNames &live_names);

} // namespace banger::cli
