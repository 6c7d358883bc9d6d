#pragma once

#include "base/outcome.hpp"

#include <functional>
#include <memory>
#include <string>

namespace sdbus {
class IConnection;
class IProxy;
} // namespace sdbus

namespace banger::helper {

enum class Decision { Yes, Challenge, No };

/// Asks polkit whether a caller may make things (action org.banger.network.manage).
class Authority {
public:
    explicit Authority(sdbus::IConnection &system_bus);
    ~Authority();

    /// `caller` is a unique bus name. With `interactive` polkit may ask the user, however long that
    /// takes. A polkit that cannot be asked is an Error{NotAuthorized} that says so.
    void check(const std::string &caller, bool interactive,
               std::function<void(Outcome<Decision>)> done);

private:
    std::unique_ptr<sdbus::IProxy> polkit_;
};

} // namespace banger::helper
