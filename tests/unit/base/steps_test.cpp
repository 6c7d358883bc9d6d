#include "base/steps.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace banger {
namespace {

TEST(UndoList, TakesStepsBackInReverseOrderAndPastAFailure) {
    std::string order;
    {
        UndoList undo;
        undo.add("a", [&] { order += 'a'; });
        undo.add("b", [] { throw std::runtime_error("b cannot"); });
        undo.add("c", [&] { order += 'c'; });
    }
    EXPECT_EQ(order, "ca");
}

TEST(UndoList, ACommittedOneTakesNothingBack) {
    bool undone = false;
    {
        UndoList undo;
        undo.add("x", [&] { undone = true; });
        undo.commit();
    }
    EXPECT_FALSE(undone);
}

} // namespace
} // namespace banger
