#pragma once

#include "daemon/bus/domain.hpp"

#include <functional>
#include <string>
#include <vector>

namespace banger::bus {

/// The kernel that an empty name asks for.
inline constexpr const char *default_kernel = "debian";

/// A row of doctor.
struct DiagnosisRow {
    std::string row;
    std::string verdict; ///< "pass", "warn" or "fail"
    std::string detail;
    std::string remedy; ///< empty: none needed
};

/// Looks at what the daemon can tell of this host, changes nothing, and calls back with the rows.
using Diagnosis =
    std::function<void(Domain &, std::function<void(const std::vector<DiagnosisRow> &)>)>;

/// `dns` describes the DNS sockets.
Diagnosis make_diagnosis(std::function<DiagnosisRow()> dns);

} // namespace banger::bus
