#pragma once

#include <string>
#include <vector>

namespace banger::cli {

/// Columns padded to their widest cell, three spaces apart, as docker prints them. Cells are made
/// printable. A row has as many cells as there are headers.
class Table {
public:
    explicit Table(std::vector<std::string> headers);

    void add(std::vector<std::string> row);
    /// With a line of headers; no space at the end of a line.
    std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

} // namespace banger::cli
