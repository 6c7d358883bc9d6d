#include "daemon/bus/diagnosis.hpp"

#include "base/byte_size.hpp"

#include <memory>

namespace banger::bus {
namespace {

using Rows = std::vector<DiagnosisRow>;

DiagnosisRow vmm_row(vm::Services &services) {
    try {
        return {"vmm", "pass", services.choose_vmm(services.config()).reason, ""};
    } catch (const Error &e) {
        // The refusal of /dev/kvm names its cure itself.
        return {"vmm", "fail", e.what(),
                e.code() == ErrorCode::NotAuthorized ? "" : "see 'vmm' in config.toml"};
    }
}

DiagnosisRow image_row(Domain &domain) {
    try {
        const std::string name = domain.vms.services().config().default_image_name.value;
        if (const auto image = domain.images.find(name)) {
            return {"default image", "pass",
                    fmt::format("{}, {}", name, format_byte_size(image->disk_bytes)), ""};
        }
        return {
            "default image", "warn", fmt::format("{} is not built yet", name),
            fmt::format("the first 'banger vm run' builds it, or 'banger image build {}'", name)};
    } catch (const Error &e) {
        return {"default image", "fail", e.what(), "mend config.toml"};
    }
}

DiagnosisRow kernel_row(Domain &domain) {
    if (const auto kernel = domain.kernels.find(default_kernel)) {
        return {"kernel", "pass", kernel->name, ""};
    }
    return {"kernel", "warn", "none has been pulled yet",
            "the first 'banger vm run' pulls it, or 'banger kernel pull'"};
}

DiagnosisRow catalog_row(Domain &domain) {
    try {
        const catalog::Catalog catalog = domain.catalogs.catalog();
        if (!catalog.problems().empty()) {
            return {"catalog", "warn", fmt::format("{}", fmt::join(catalog.problems(), "; ")),
                    "mend the file, or ask who publishes it; the rest of the catalog is in use"};
        }
        return {
            "catalog", "pass",
            fmt::format("{} images, {} kernels", catalog.images().size(), catalog.kernels().size()),
            ""};
    } catch (const Error &e) {
        return {"catalog", "fail", e.what(), "mend config.toml"};
    }
}

DiagnosisRow authorization_row(Outcome<net::Authorization> &outcome) {
    const std::string row = "network permission";
    const std::string remedy = "become a member of group banger: sudo usermod -aG banger $USER";
    if (!outcome) {
        return {row, "fail", outcome.error().what(), "is banger-network-helper installed?"};
    }
    switch (outcome.value()) {
    case net::Authorization::Yes:
        return {row, "pass", "this user may make networks for VMs", ""};
    case net::Authorization::Challenge:
        return {row, "warn", "an administrator must authenticate", remedy};
    case net::Authorization::No:
        break;
    }
    return {row, "fail", "this user may not make networks for VMs", remedy};
}

void add_network_rows(Rows &rows, Outcome<net::NetworkState> &outcome) {
    if (!outcome) {
        rows.push_back({"network helper", "fail", outcome.error().what(),
                        "is banger-network-helper installed?"});
        return;
    }
    const net::NetworkState &state = outcome.value();
    rows.push_back({"network helper", "pass", "answers", ""});
    if (!state.network) {
        rows.push_back({"bridge", "pass", "no network yet: the first start of a VM makes it", ""});
        return;
    }
    const net::Network &network = *state.network;
    if (network.bridge.empty()) {
        rows.push_back({"bridge", "pass",
                        fmt::format("down, as no VM runs; its address is {}/{}",
                                    network.gateway.str(), network.prefix_length),
                        ""});
        return;
    }
    rows.push_back({"bridge", "pass",
                    fmt::format("{} {}/{}, {} taps", network.bridge, network.gateway.str(),
                                network.prefix_length, state.taps.size()),
                    ""});
    if (state.resolved == "registered") {
        rows.push_back({"resolved", "pass", fmt::format("routes ~{} to us", network.domain), ""});
    } else if (state.resolved == "absent") {
        rows.push_back({"resolved", "warn", "systemd-resolved does not run",
                        "see docs/dns-routing.md for hosts without it"});
    } else {
        rows.push_back({"resolved", "warn", state.resolved, "see docs/dns-routing.md"});
    }
}

} // namespace

Diagnosis make_diagnosis(std::function<DiagnosisRow()> dns) {
    return [dns = std::move(dns)](Domain &domain, std::function<void(const Rows &)> done) {
        const auto rows = std::make_shared<Rows>();
        rows->push_back({"state", "pass", domain.vms.services().paths.database().string(), ""});
        rows->push_back(vmm_row(domain.vms.services()));
        rows->push_back(image_row(domain));
        rows->push_back(kernel_row(domain));
        rows->push_back(catalog_row(domain));
        rows->push_back(dns());
        net::NetworkHelper &helper = domain.vms.services().network;
        helper.check_authorization(
            [rows, done = std::move(done), &helper](Outcome<net::Authorization> authorization) {
                rows->push_back(authorization_row(authorization));
                helper.describe([rows, done](Outcome<net::NetworkState> state) {
                    add_network_rows(*rows, state);
                    done(*rows);
                });
            });
    };
}

} // namespace banger::bus
