#include "dbus/options.hpp"

#include <fmt/ranges.h>

namespace banger::bus {

void OptionsReader::finish() const {
    for (const auto &[key, value] : options_) {
        if (known_.find(key) == known_.end()) {
            if (known_.empty()) {
                fail(ErrorCode::InvalidArgument,
                     "the option '{}' is not known: this method takes none", key);
            }
            fail(ErrorCode::InvalidArgument, "the option '{}' is not known: there are {}", key,
                 fmt::join(known_, ", "));
        }
    }
}

} // namespace banger::bus
