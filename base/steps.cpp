#include "base/steps.hpp"

#include "base/log.hpp"

#include <fmt/format.h>

#include <exception>
#include <utility>

namespace banger {

UndoList::UndoList(UndoList &&other) noexcept : undos_(std::exchange(other.undos_, {})) {}

UndoList &UndoList::operator=(UndoList &&other) noexcept {
    if (this != &other) {
        roll_back();
        undos_ = std::exchange(other.undos_, {});
    }
    return *this;
}

UndoList::~UndoList() {
    roll_back();
}

void UndoList::add(std::string what, std::function<void()> undo) {
    undos_.push_back({std::move(what), std::move(undo)});
}

void UndoList::commit() noexcept {
    undos_.clear();
}

void UndoList::roll_back() noexcept {
    while (!undos_.empty()) {
        const Undo undo = std::move(undos_.back());
        undos_.pop_back();
        try {
            undo.run();
        } catch (const std::exception &e) {
            log::warning(fmt::format("could not undo: {}: {}, ignoring", undo.what, e.what()));
        }
    }
}

} // namespace banger
