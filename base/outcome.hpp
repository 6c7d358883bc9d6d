#pragma once

#include "base/error.hpp"

#include <optional>
#include <utility>
#include <variant>

namespace banger {

/// What an asynchronous operation ended with: a value or an Error.
template <typename T>
class Outcome {
public:
    Outcome(T value) : state_(std::in_place_index<0>, std::move(value)) {}
    Outcome(Error error) : state_(std::in_place_index<1>, std::move(error)) {}

    explicit operator bool() const noexcept { return state_.index() == 0; }
    /// The value; throws the Error where there is none.
    T &value() {
        if (const auto *failed = std::get_if<1>(&state_)) {
            throw *failed;
        }
        return *std::get_if<0>(&state_);
    }
    /// Only where there is no value.
    const Error &error() const { return std::get<1>(state_); }

private:
    std::variant<T, Error> state_;
};

template <>
class Outcome<void> {
public:
    Outcome() = default;
    Outcome(Error error) : error_(std::move(error)) {}

    explicit operator bool() const noexcept { return !error_.has_value(); }
    void value() const {
        if (error_) {
            throw *error_;
        }
    }
    const Error &error() const { return error_.value(); }

private:
    std::optional<Error> error_;
};

} // namespace banger
