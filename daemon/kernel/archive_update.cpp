#include "daemon/kernel/archive_update.hpp"

#include "daemon/kernel/origin.hpp"

#include <iterator>

namespace banger::kernel {

void Registry::ArchiveUpdate::ask_suite(std::size_t index) {
    if (index == origins().size()) {
        registry().archive_ = std::move(found_);
        conclude(std::nullopt);
        return;
    }
    const auto count = static_cast<double>(origins().size());
    const std::string_view suite = origins()[index].suite;
    read_lists(suite, static_cast<double>(index) / count, static_cast<double>(index + 1) / count,
               [this, index, suite] {
                   ask_kernels(suite, [this, index](std::vector<ArchiveKernel> kernels) {
                       found_.insert(found_.end(), std::make_move_iterator(kernels.begin()),
                                     std::make_move_iterator(kernels.end()));
                       ask_suite(index + 1);
                   });
               });
}

} // namespace banger::kernel
