#pragma once

#include <functional>
#include <string>
#include <vector>

namespace banger {

/// What has been done so far and how to take it back. An operation that can fail half-way adds an
/// undo after each step and calls commit() at its end; else the undos run in reverse order. An undo
/// that fails is logged, and the next one still runs.
class UndoList {
public:
    UndoList() = default;
    UndoList(UndoList &&other) noexcept;
    UndoList &operator=(UndoList &&other) noexcept;
    ~UndoList();

    /// `what` completes "could not undo: …".
    void add(std::string what, std::function<void()> undo);
    void commit() noexcept;
    void roll_back() noexcept;

private:
    struct Undo {
        std::string what;
        std::function<void()> run;
    };
    std::vector<Undo> undos_;
};

} // namespace banger
