#include "daemon/helper/authority.hpp"

#include "dbus/compat.hpp"

#include <chrono>
#include <cstdint>
#include <map>

namespace banger::helper {
namespace {

constexpr const char *interface = "org.freedesktop.PolicyKit1.Authority";
constexpr const char *action = "org.banger.network.manage";
constexpr std::uint32_t allow_user_interaction = 1;
// People take their time to find a password.
constexpr std::chrono::minutes patience{10};

using Answer = sdbus::Struct<bool, bool, std::map<std::string, std::string>>;

} // namespace

Authority::Authority(sdbus::IConnection &system_bus)
    : polkit_(sdbus::createProxy(system_bus, bus::ServiceName{"org.freedesktop.PolicyKit1"},
                                 sdbus::ObjectPath{"/org/freedesktop/PolicyKit1/Authority"})) {}

Authority::~Authority() = default;

void Authority::check(const std::string &caller, bool interactive,
                      std::function<void(Outcome<Decision>)> done) {
    // The unique name of the caller: the bus never gives it to anybody else.
    const auto subject =
        sdbus::make_struct(std::string{"system-bus-name"},
                           std::map<std::string, sdbus::Variant>{{"name", sdbus::Variant{caller}}});
    polkit_->callMethodAsync("CheckAuthorization")
        .onInterface(interface)
        .withTimeout(std::chrono::duration_cast<std::chrono::microseconds>(patience))
        .withArguments(subject, std::string{action}, std::map<std::string, std::string>{},
                       interactive ? allow_user_interaction : std::uint32_t{0}, std::string{})
        .uponReplyInvoke([done = std::move(done)](bus::AsyncError error, const Answer &answer) {
            if (error) {
                done(Error(ErrorCode::NotAuthorized,
                           fmt::format("polkit could not be asked whether you may: {} (is the "
                                       "package polkitd installed and running?)",
                                       error->getMessage())));
            } else if (std::get<0>(answer)) {
                done(Decision::Yes);
            } else {
                done(std::get<1>(answer) ? Decision::Challenge : Decision::No);
            }
        });
}

} // namespace banger::helper
