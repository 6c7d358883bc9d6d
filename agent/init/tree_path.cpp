#include "agent/init/tree_path.hpp"

#include "base/error.hpp"

#include <deque>

namespace banger::init {

namespace fs = std::filesystem;

fs::path resolve_in(const fs::path &root, const fs::path &path) {
    // As many as Linux follows.
    constexpr int most_links = 40;
    int links = 0;
    fs::path reached;
    std::deque<fs::path> rest(path.begin(), path.end());
    while (!rest.empty()) {
        const fs::path name = std::move(rest.front());
        rest.pop_front();
        if (name.is_absolute()) {
            reached.clear();
        } else if (name == "..") {
            reached = reached.parent_path();
        } else if (!name.empty() && name != ".") {
            std::error_code ignored;
            const fs::path here = root / reached / name;
            if (!fs::is_symlink(fs::symlink_status(here, ignored))) {
                reached /= name;
                continue;
            }
            if (++links > most_links) {
                fail(ErrorCode::ImageCorrupt, "the symbolic links of {} lead in a circle",
                     path.string());
            }
            const fs::path target = fs::read_symlink(here);
            rest.insert(rest.begin(), target.begin(), target.end());
        }
    }
    return reached;
}

} // namespace banger::init
