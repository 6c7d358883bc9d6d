#include "daemon/ext4/file_data.hpp"

namespace banger::ext4 {
namespace {

void append_run(std::vector<Run> &runs, const Run &run) {
    if (!runs.empty() && runs.back().start + runs.back().length == run.start) {
        runs.back().length += run.length;
    } else {
        runs.push_back(run);
    }
}

} // namespace

void set_data(Tree &tree, InodeNumber number, const std::vector<Extent> &extents,
              BlockWriter &blocks, const Checksum &checksum) {
    Data &data = *data_of(tree.at(number));
    if (extents.empty()) {
        data = {};
        return;
    }
    const Extent &first = extents.front();
    if (extents.size() == 1 && first.logical == 0) {
        data = {static_cast<std::uint32_t>(first.physical), first.length};
        return;
    }
    auto pieces = std::make_unique<Pieces>();
    data = {};
    for (const Extent &extent : extents) {
        data.blocks += extent.length;
        append_run(pieces->runs, {extent.physical, extent.length});
    }
    const ExtentTree written = write_extent_tree(blocks, checksum, number, extents);
    pieces->root = written.root;
    for (const Run &run : written.blocks) {
        append_run(pieces->runs, run);
    }
    tree.extra(number).pieces = std::move(pieces);
}

} // namespace banger::ext4
