#include "cli/table.hpp"

#include "cli/terminal.hpp"

#include <algorithm>
#include <utility>

namespace banger::cli {

Table::Table(std::vector<std::string> headers) {
    add(std::move(headers));
}

void Table::add(std::vector<std::string> row) {
    for (auto &cell : row) {
        cell = printable(cell);
    }
    rows_.push_back(std::move(row));
}

std::string Table::text() const {
    constexpr std::size_t gap = 3;
    std::vector<std::size_t> widths(rows_.front().size(), 0);
    for (const auto &row : rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], display_width(row[i]));
        }
    }
    std::string text;
    for (const auto &row : rows_) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i];
            line.append(widths[i] + gap - display_width(row[i]), ' ');
        }
        line.erase(line.find_last_not_of(' ') + 1);
        text += line + "\n";
    }
    return text;
}

} // namespace banger::cli
