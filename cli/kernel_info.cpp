#include "cli/kernel_info.hpp"

#include "cli/format.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace banger::cli {

KernelInfo kernel_info(const Properties &properties) {
    using Words = std::vector<std::string>;
    return {property<std::string>(properties, "Name"),
            property<std::string>(properties, "Version"),
            property<std::string>(properties, "PackageVersion"),
            property<std::string>(properties, "Distro"),
            property<std::string>(properties, "Suite"),
            property<std::string>(properties, "Source"),
            property<std::string>(properties, "Digest"),
            property<std::uint64_t>(properties, "SizeBytes"),
            property<std::uint64_t>(properties, "CreatedAt"),
            property<bool>(properties, "HasModules"),
            property<bool>(properties, "HasInitrd"),
            property<Words>(properties, "Missing"),
            property<bool>(properties, "FeaturesKnown"),
            property<Words>(properties, "UsedBy")};
}

nlohmann::ordered_json to_json(const KernelInfo &kernel) {
    return {{"name", kernel.name},
            {"version", kernel.release},
            {"package_version", kernel.package_version},
            {"distro", kernel.distro},
            {"suite", kernel.suite},
            {"source", kernel.source},
            {"digest", kernel.digest},
            {"size_bytes", kernel.size_bytes},
            {"created_at", format_iso_time(kernel.created_at_usec)},
            {"has_modules", kernel.has_modules},
            {"has_initrd", kernel.has_initrd},
            {"missing", kernel.missing},
            {"features_known", kernel.features_known},
            {"used_by", kernel.used_by}};
}

std::vector<KernelInfo> list_kernels(Client &client) {
    std::vector<KernelInfo> kernels;
    for (const auto &[path, interfaces] : client.objects()) {
        if (const auto found = interfaces.find(names::kernel); found != interfaces.end()) {
            kernels.push_back(kernel_info(found->second));
        }
    }
    std::sort(kernels.begin(), kernels.end(),
              [](const KernelInfo &a, const KernelInfo &b) { return a.name < b.name; });
    return kernels;
}

KernelInfo find_kernel(Client &client, const std::string &name) {
    const auto path = client.call<sdbus::ObjectPath>(sdbus::ObjectPath{names::manager_path},
                                                     names::manager, "GetKernel", name);
    return kernel_info(client.all_properties(path, names::kernel));
}

std::string shortcomings(const KernelInfo &kernel) {
    if (!kernel.missing.empty()) {
        return fmt::format("the kernel {} lacks {}: Docker in a VM, or the VMM that needs it, will "
                           "not work with it",
                           kernel.name, fmt::join(kernel.missing, ", "));
    }
    if (!kernel.features_known) {
        return fmt::format(
            "nothing tells what is built into the kernel {}: whether a VM can start with it could "
            "not be checked{}",
            kernel.name, kernel.has_modules ? "" : ", and it has no modules");
    }
    return {};
}

} // namespace banger::cli
