#pragma once

#include <sdbus-c++/sdbus-c++.h>

#include <optional>
#include <string>
#include <type_traits>

/// Where sdbus-c++ 1.x and 2.x differ. Nothing else in the tree asks which one it is. Besides:
/// always write sdbus::ObjectPath{…} and sdbus::Variant{…}; sdbus::make_struct and std::get;
/// create*BusConnection() and requestName; registerAdaptor() as the last line of a constructor.
namespace banger::bus {

#if __has_include(<sdbus-c++/VTableItems.h>)
#define BANGER_SDBUS_2 1
using ServiceName = sdbus::ServiceName;
using InterfaceName = sdbus::InterfaceName;
using PropertyName = sdbus::PropertyName;
using MemberName = sdbus::MemberName;
/// What an asynchronous call ended with; test it as a bool, then ->getName() and ->getMessage().
using AsyncError = std::optional<sdbus::Error>;
inline sdbus::Error make_error(const std::string &name, const std::string &message) {
    return sdbus::Error{sdbus::Error::Name{name}, message};
}
inline bool process(sdbus::IConnection &connection) {
    return connection.processPendingEvent();
}
/// The D-Bus signature of a C++ type, "a{sv}".
template <typename T>
std::string signature_of() {
    return sdbus::as_null_terminated(sdbus::signature_of_v<T>).data();
}
#else
#define BANGER_SDBUS_2 0
using ServiceName = std::string;
using InterfaceName = std::string;
using PropertyName = std::string;
using MemberName = std::string;
using AsyncError = const sdbus::Error *;
inline sdbus::Error make_error(const std::string &name, const std::string &message) {
    return sdbus::Error{name, message};
}
inline bool process(sdbus::IConnection &connection) {
    return connection.processPendingRequest();
}
template <typename T>
std::string signature_of() {
    return sdbus::signature_of<T>::str();
}
#endif

/// After the last uponSignal() of a proxy that was made by createProxy().
inline void finish_registration([[maybe_unused]] sdbus::IProxy &proxy) {
#if !BANGER_SDBUS_2
    proxy.finishRegistration();
#endif
}

/// The unique name of who called the method that is being handled, ":1.42"; empty outside a
/// handler.
inline std::string sender_of(const sdbus::IObject &object) {
#if BANGER_SDBUS_2
    const char *sender = object.getCurrentlyProcessedMessage().getSender();
    return sender != nullptr ? sender : "";
#else
    const sdbus::Message *message = object.getCurrentlyProcessedMessage();
    return message != nullptr ? message->getSender() : std::string{};
#endif
}

/// The uid of who called the method that is being handled, as the bus knows it: the effective one,
/// which the bus took from the socket. (The real one would be read from /proc, by a pid that may be
/// somebody else by now.) Throws sdbus::Error.
inline uid_t sender_uid_of(const sdbus::IObject &object) {
#if BANGER_SDBUS_2
    return object.getCurrentlyProcessedMessage().getCredsEuid();
#else
    return object.getCurrentlyProcessedMessage()->getCredsEuid();
#endif
}

} // namespace banger::bus
