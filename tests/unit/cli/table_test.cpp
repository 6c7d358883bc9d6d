#include "cli/table.hpp"

#include <gtest/gtest.h>

#include <clocale>

namespace banger::cli {
namespace {

TEST(Table, AlignsColumnsAndEndsLinesWithoutSpaces) {
    Table table({"NAME", "STATE", "IP"});
    table.add({"sandbox", "running", "172.16.0.2"});
    table.add({"x", "stopped", ""});
    EXPECT_EQ(table.text(), "NAME      STATE     IP\n"
                            "sandbox   running   172.16.0.2\n"
                            "x         stopped\n");
}

TEST(Table, CountsColumnsOfTheTerminalNotBytes) {
    std::setlocale(LC_CTYPE, "C.UTF-8");
    Table table({"A", "B"});
    table.add({"ä", "1"});
    table.add({"漢", "2"});
    EXPECT_EQ(table.text(), "A    B\nä    1\n漢   2\n");
}

TEST(Table, ControlCharactersDoNotReachTheTerminal) {
    Table table({"A"});
    table.add({"\x1b[31mred\n"});
    EXPECT_EQ(table.text(), "A\n\\x1b[31mred\\x0a\n");
}

} // namespace
} // namespace banger::cli
