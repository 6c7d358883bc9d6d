#pragma once

#include <string>
#include <vector>

namespace banger::cli {

enum class Verdict { Pass, Warn, Fail };

/// One row of doctor's report.
struct DoctorRow {
    std::string name;
    Verdict verdict = Verdict::Pass;
    std::string detail;
    std::string remedy; ///< what to do; empty for a pass
};

using DoctorRows = std::vector<DoctorRow>;

} // namespace banger::cli
