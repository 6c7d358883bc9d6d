#pragma once

#include "base/error.hpp"
#include "dbus/compat.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace banger::bus {

using Options = std::map<std::string, sdbus::Variant>;

/// Reads an a{sv} of options. Every key that may be there is asked for with take(); finish() then
/// refuses what is left, by name. A wrong type is an Error{InvalidArgument} that names key, wanted
/// and given signature.
class OptionsReader {
public:
    explicit OptionsReader(const Options &options) : options_(options) {}

    template <typename T>
    std::optional<T> take(const std::string &key) {
        known_.insert(key);
        const auto found = options_.find(key);
        if (found == options_.end()) {
            return std::nullopt;
        }
        const std::string given{found->second.peekValueType()};
        const std::string wanted = signature_of<T>();
        if (given != wanted) {
            fail(ErrorCode::InvalidArgument, "the option '{}' has the type '{}', not '{}'", key,
                 given, wanted);
        }
        return found->second.get<T>();
    }

    /// Throws Error{InvalidArgument} that names the first key nobody asked for, and those there
    /// are.
    void finish() const;

private:
    const Options &options_;
    std::set<std::string> known_;
};

} // namespace banger::bus
