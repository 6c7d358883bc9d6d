#pragma once

#include "daemon/catalog/recipe.hpp"

#include <filesystem>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace banger::catalog {

/// An image that can be made available, by a recipe or as a bundle (docs/image-catalog.md).
struct ImageEntry {
    std::string name;        ///< "debian-bookworm"
    std::string description; ///< one line
    std::string kernel;      ///< the default kernel of its VMs
    std::string origin;      ///< where the entry stands: "built in", a path or URL
    std::variant<Recipe, RemoteFile> means;

    /// nullptr: it is a bundle.
    const Recipe *recipe() const noexcept { return std::get_if<Recipe>(&means); }
    /// nullptr: it is a recipe.
    const RemoteFile *bundle() const noexcept { return std::get_if<RemoteFile>(&means); }
};

/// A kernel that can be made available as a bundle (docs/kernel-catalog.md).
struct KernelEntry {
    std::string name;
    std::string description;
    std::string origin;
    RemoteFile bundle;
};

/// What one file of the catalog says.
struct Part {
    std::vector<ImageEntry> images;
    std::vector<KernelEntry> kernels;
};

/// All that can be made available. Of several entries of one name the first one added counts. A
/// value type.
class Catalog {
public:
    void add(Part part);
    /// A part that could not be read; the others are of use all the same.
    void add_problem(std::string problem) { problems_.push_back(std::move(problem)); }

    /// In the order in which they were added.
    const std::vector<ImageEntry> &images() const noexcept { return images_; }
    const std::vector<KernelEntry> &kernels() const noexcept { return kernels_; }
    const std::vector<std::string> &problems() const noexcept { return problems_; }

    /// nullptr when there is none of that name.
    const ImageEntry *find_image(std::string_view name) const noexcept;
    const KernelEntry *find_kernel(std::string_view name) const noexcept;

private:
    std::vector<ImageEntry> images_;
    std::vector<KernelEntry> kernels_;
    std::vector<std::string> problems_;
};

} // namespace banger::catalog
