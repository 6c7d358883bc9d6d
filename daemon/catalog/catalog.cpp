#include "daemon/catalog/catalog.hpp"

#include <algorithm>
#include <iterator>

namespace banger::catalog {
namespace {

template <typename Entry>
const Entry *find(const std::vector<Entry> &entries, std::string_view name) noexcept {
    const auto found = std::find_if(entries.begin(), entries.end(),
                                    [&](const Entry &entry) { return entry.name == name; });
    return found == entries.end() ? nullptr : &*found;
}

template <typename Entry>
void add_new(std::vector<Entry> &to, std::vector<Entry> from) {
    for (Entry &entry : from) {
        if (find(to, entry.name) == nullptr) {
            to.push_back(std::move(entry));
        }
    }
}

} // namespace

void Catalog::add(Part part) {
    add_new(images_, std::move(part.images));
    add_new(kernels_, std::move(part.kernels));
}

const ImageEntry *Catalog::find_image(std::string_view name) const noexcept {
    return find(images_, name);
}

const KernelEntry *Catalog::find_kernel(std::string_view name) const noexcept {
    return find(kernels_, name);
}

} // namespace banger::catalog
