#pragma once

#include "base/error.hpp"
#include "base/log.hpp"
#include "dbus/compat.hpp"

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

namespace banger::bus {

/// "org.banger.Error." + the code's name.
std::string error_name(ErrorCode code);

/// banger's error as D-Bus has it, and back. An error of another service becomes Internal, or what
/// its name means (org.freedesktop.DBus.Error.AccessDenied: NotAuthorized, …NoReply and …Timeout:
/// GuestTimeout …).
sdbus::Error to_bus_error(const Error &error);
Error from_bus_error(const std::string &name, const std::string &message);

/// Turns the exception that is being handled into a D-Bus error. Call in a catch block.
sdbus::Error current_exception_as_bus_error();

/// Every handler of a method and every property getter runs in here: on sdbus-c++ 1.x an exception
/// other than sdbus::Error aborts the process.
template <typename Body>
auto guard(Body &&body) -> decltype(body()) {
    try {
        return std::forward<Body>(body)();
    } catch (...) {
        throw current_exception_as_bus_error();
    }
}

/// A late reply that cannot be forgotten: the destructor answers with an error. Copies share the
/// one reply.
template <typename... Results>
class Reply {
public:
    explicit Reply(sdbus::Result<Results...> &&result)
        : state_(std::make_shared<State>(std::move(result))) {}

    template <typename... Values>
    void operator()(const Values &...values) const {
        if (!std::exchange(state_->answered, true)) {
            state_->result.returnResults(values...);
        }
    }
    void fail(const Error &error) const {
        if (!std::exchange(state_->answered, true)) {
            state_->result.returnError(to_bus_error(error));
        }
    }
    /// Answers with the exception that is being handled. Call in a catch block.
    void fail_with_current_exception() const {
        if (!std::exchange(state_->answered, true)) {
            state_->result.returnError(current_exception_as_bus_error());
        }
    }

private:
    struct State {
        explicit State(sdbus::Result<Results...> &&r) : result(std::move(r)) {}
        ~State() {
            if (answered) {
                return;
            }
            try {
                result.returnError(
                    to_bus_error(Error(ErrorCode::Internal, "the request was dropped")));
            } catch (const std::exception &e) {
                log::warning(
                    fmt::format("could not answer a dropped request: {}, ignoring", e.what()));
            }
        }
        State(const State &) = delete;
        State &operator=(const State &) = delete;
        sdbus::Result<Results...> result;
        bool answered = false;
    };
    // Shared: the copies live in callbacks, of which one will answer.
    std::shared_ptr<State> state_;
};

} // namespace banger::bus
