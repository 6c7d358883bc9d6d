#include "cli/available_kernels.hpp"

#include <nlohmann/json.hpp>

namespace banger::cli {

nlohmann::ordered_json to_json(const AvailableKernel &kernel) {
    return {{"name", kernel.name},
            {"package_version", kernel.package_version},
            {"suite", kernel.suite},
            {"installed", kernel.installed}};
}

std::vector<AvailableKernel> list_available_kernels(Client &client) {
    using Row = sdbus::Struct<std::string, std::string, std::string, bool>;
    std::vector<AvailableKernel> kernels;
    for (const auto &row : client.call<std::vector<Row>>(sdbus::ObjectPath{names::manager_path},
                                                         names::manager, "ListAvailableKernels")) {
        kernels.push_back({std::get<0>(row), std::get<1>(row), std::get<2>(row), std::get<3>(row)});
    }
    return kernels;
}

} // namespace banger::cli
