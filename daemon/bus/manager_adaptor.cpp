#include "daemon/bus/manager_adaptor.hpp"

#include "daemon/bus/object_paths.hpp"
#include "daemon/bus/vm_adaptor.hpp"
#include "daemon/kernel/origin.hpp"
#include "dbus/guard.hpp"

#include <algorithm>
#include <chrono>

namespace banger::bus {
namespace {

vm::CreateRequest create_request(const std::string &name, const Options &options) {
    OptionsReader reader(options);
    vm::CreateRequest request;
    request.name = name;
    request.image = reader.take<std::string>("image");
    request.kernel = reader.take<std::string>("kernel");
    request.vcpus = reader.take<std::uint32_t>("vcpus");
    request.memory_mib = reader.take<std::uint64_t>("memory_mib");
    request.disk_bytes = reader.take<std::uint64_t>("disk_bytes");
    request.overlay_bytes = reader.take<std::uint64_t>("overlay_bytes");
    request.nat = reader.take<bool>("nat");
    request.allow_host = reader.take<bool>("allow_host");
    request.workspace = reader.take<std::string>("workspace").value_or("");
    request.start = reader.take<bool>("start").value_or(false);
    reader.finish();
    return request;
}

kernel::ImportRequest import_request(const std::string &name, const Options &options) {
    OptionsReader reader(options);
    kernel::ImportRequest request;
    request.name = name;
    request.from = reader.take<std::string>("from").value_or("");
    request.modules = reader.take<std::string>("modules").value_or("");
    request.initrd = reader.take<std::string>("initrd").value_or("");
    request.distro = reader.take<std::string>("distro").value_or("");
    request.force = reader.take<bool>("force").value_or(false);
    reader.finish();
    return request;
}

distribution::ExportRequest export_request(const std::string &name, const Options &options) {
    OptionsReader reader(options);
    distribution::ExportRequest request;
    request.name = name;
    request.output = reader.take<std::string>("output").value_or("");
    request.replace = reader.take<bool>("force").value_or(false);
    reader.finish();
    return request;
}

sdbus::ObjectPath path_of(const std::shared_ptr<job::Job> &job) {
    return job_path(job->snapshot().id);
}

} // namespace

ManagerAdaptor::ManagerAdaptor(sdbus::IConnection &bus, DomainAccess domain, Diagnosis diagnosis)
    : AdaptorInterfaces(bus, sdbus::ObjectPath{manager_path}), domain_(std::move(domain)),
      diagnosis_(std::move(diagnosis)) {
    registerAdaptor();
}

ManagerAdaptor::~ManagerAdaptor() {
    unregisterAdaptor();
}

void ManagerAdaptor::tell_new_job(std::uint32_t id) {
    emitJobNew(id, job_path(id));
}

void ManagerAdaptor::tell_ended_job(const job::Snapshot &job) {
    emitJobRemoved(job.id, job_path(job.id), job.subject, std::string(job::to_string(job.state)));
}

sdbus::ObjectPath ManagerAdaptor::CreateVM(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        return path_of(domain.vms.create(create_request(name, options)));
    });
}

sdbus::ObjectPath ManagerAdaptor::StartVM(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader(options).finish();
        return path_of(domain.vms.start(VmName(name)));
    });
}

sdbus::ObjectPath ManagerAdaptor::StopVM(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        return path_of(domain.vms.stop(VmName(name), take_force(options)));
    });
}

sdbus::ObjectPath ManagerAdaptor::DeleteVM(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader(options).finish();
        return path_of(domain.vms.remove(VmName(name)));
    });
}

sdbus::ObjectPath ManagerAdaptor::GetVM(const std::string &name) {
    return guard([&] { return vm_path(domain_().vms.get(VmName(name)).name); });
}

std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> ManagerAdaptor::ListVMs() {
    return guard([&] {
        std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> rows;
        for (const auto &view : domain_().vms.list()) {
            rows.push_back(sdbus::make_struct(view.name, std::string(vm::to_string(view.state)),
                                              vm_path(view.name)));
        }
        return rows;
    });
}

sdbus::ObjectPath ManagerAdaptor::BuildImage(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader reader(options);
        image::BuildRequest request;
        request.name = name;
        request.recipe = reader.take<std::string>("from").value_or("");
        request.packages =
            reader.take<std::vector<std::string>>("include").value_or(std::vector<std::string>{});
        request.anew = reader.take<bool>("force").value_or(false);
        reader.finish();
        return path_of(domain.images.build(request));
    });
}

sdbus::ObjectPath ManagerAdaptor::PullImage(const std::string &reference, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader reader(options);
        image::PullRequest request;
        request.reference = reference;
        request.name = reader.take<std::string>("name").value_or("");
        request.kernel = reader.take<std::string>("kernel").value_or("");
        request.only_missing = reader.take<bool>("missing").value_or(false);
        reader.finish();
        if (!request.kernel.empty()) {
            domain.artifacts.check_kernel(request.kernel);
        }
        request.registries = domain.config().registries;
        return path_of(domain.images.pull(std::move(request)));
    });
}

sdbus::ObjectPath ManagerAdaptor::RegisterImage(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader reader(options);
        image::RegisterRequest request;
        request.name = name;
        request.file = reader.take<std::string>("file").value_or("");
        request.kernel = reader.take<std::string>("kernel").value_or(std::string(default_kernel));
        const bool force = reader.take<bool>("force").value_or(false);
        reader.finish();
        domain.artifacts.check_kernel(request.kernel);
        return path_of(domain.images.register_file(std::move(request), force));
    });
}

sdbus::ObjectPath ManagerAdaptor::PromoteImage(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader(options).finish();
        return path_of(domain.images.promote(name));
    });
}

void ManagerAdaptor::ListImageCache(
    sdbus::Result<std::vector<sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>>>
        &&result) {
    using Row = sdbus::Struct<std::string, std::uint64_t, std::uint64_t, bool>;
    const Reply<std::vector<Row>> reply(std::move(result));
    try {
        domain_().layer_cache.list([reply](Outcome<std::vector<image::LayerCache::Blob>> blobs) {
            if (!blobs) {
                reply.fail(blobs.error());
                return;
            }
            std::vector<Row> rows;
            for (const auto &blob : blobs.value()) {
                constexpr std::uint64_t usec_per_sec = 1'000'000;
                rows.push_back(sdbus::make_struct(
                    blob.digest, blob.size,
                    static_cast<std::uint64_t>(blob.last_used) * usec_per_sec, blob.partial));
            }
            reply(rows);
        });
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

sdbus::ObjectPath ManagerAdaptor::PruneImageCache(const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader reader(options);
        const auto unused_for = reader.take<std::uint64_t>("unused_for");
        reader.finish();
        if (domain.images.busy()) {
            fail(ErrorCode::Busy, "an image is being made just now, which may need its layers");
        }
        std::optional<std::chrono::seconds> seconds;
        if (unused_for) {
            constexpr std::uint64_t most = 100ULL * 365 * 24 * 3600;
            seconds = std::chrono::seconds{std::min(*unused_for, most)};
        }
        return path_of(domain.layer_cache.prune(seconds));
    });
}

void ManagerAdaptor::DeleteImage(const std::string &name) {
    guard([&] { domain_().images.remove(name); });
}

std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>>
ManagerAdaptor::ListImages() {
    return guard([&] {
        std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> rows;
        for (const auto &image : domain_().images.list()) {
            rows.push_back(sdbus::make_struct(image.name, std::string("sha256:" + image.digest),
                                              image_path(image.name)));
        }
        return rows;
    });
}

std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>>
ManagerAdaptor::ListAvailableImages() {
    return guard([&] {
        std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>> rows;
        const catalog::Catalog catalog = domain_().catalogs.catalog();
        for (const auto &entry : catalog.images()) {
            rows.push_back(
                sdbus::make_struct(entry.name, entry.description, entry.kernel, entry.origin));
        }
        return rows;
    });
}

sdbus::ObjectPath ManagerAdaptor::RefreshCatalog(const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader(options).finish();
        return path_of(domain.catalogs.refresh());
    });
}

sdbus::ObjectPath ManagerAdaptor::ExportImage(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        return path_of(domain.exports.export_image(export_request(name, options)));
    });
}

sdbus::ObjectPath ManagerAdaptor::ExportKernel(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        return path_of(domain.exports.export_kernel(export_request(name, options)));
    });
}

sdbus::ObjectPath ManagerAdaptor::PullKernel(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader reader(options);
        const bool force = reader.take<bool>("force").value_or(false);
        reader.finish();
        const std::string wanted = name.empty() ? std::string(default_kernel) : name;
        domain.artifacts.check_kernel(wanted);
        return path_of(domain.kernels.pull(wanted, force));
    });
}

sdbus::ObjectPath ManagerAdaptor::ImportKernel(const std::string &name, const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        return path_of(domain.kernels.import(import_request(name, options)));
    });
}

sdbus::ObjectPath ManagerAdaptor::UpdateKernelList(const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader(options).finish();
        return path_of(domain.kernels.update_archive());
    });
}

std::vector<sdbus::Struct<std::string, std::string, std::string, bool>>
ManagerAdaptor::ListAvailableKernels() {
    return guard([&] {
        std::vector<sdbus::Struct<std::string, std::string, std::string, bool>> rows;
        Domain &domain = domain_();
        kernel::Registry &kernels = domain.kernels;
        const auto add = [&](const kernel::ArchiveKernel &kernel) {
            rows.push_back(sdbus::make_struct(kernel.name, kernel.version, kernel.suite,
                                              kernels.find(kernel.name).has_value()));
        };
        for (const auto &name : kernel::Registry::available()) {
            add({name, "", std::string(kernel::find_origin(name)->suite)});
        }
        const catalog::Catalog catalog = domain.catalogs.catalog();
        for (const auto &entry : catalog.kernels()) {
            add({entry.name, "", entry.origin});
        }
        for (const auto &kernel : kernels.archive()) {
            add(kernel);
        }
        return rows;
    });
}

sdbus::ObjectPath ManagerAdaptor::GetKernel(const std::string &name) {
    return guard([&] { return kernel_path(domain_().kernels.get(name).name); });
}

void ManagerAdaptor::DeleteKernel(const std::string &name) {
    guard([&] { domain_().kernels.remove(name); });
}

std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>>
ManagerAdaptor::ListKernels() {
    return guard([&] {
        std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>> rows;
        for (const auto &kernel : domain_().kernels.list()) {
            rows.push_back(
                sdbus::make_struct(kernel.name, kernel.release, kernel_path(kernel.name)));
        }
        return rows;
    });
}

std::vector<sdbus::Struct<std::uint32_t, sdbus::ObjectPath, std::string, std::string, std::string>>
ManagerAdaptor::ListJobs() {
    return guard([&] {
        std::vector<
            sdbus::Struct<std::uint32_t, sdbus::ObjectPath, std::string, std::string, std::string>>
            rows;
        for (const auto &job : domain_().jobs.list()) {
            rows.push_back(sdbus::make_struct(job.id, job_path(job.id), job.kind, job.subject,
                                              std::string(job::to_string(job.state))));
        }
        return rows;
    });
}

void ManagerAdaptor::Diagnose(
    sdbus::Result<std::vector<sdbus::Struct<std::string, std::string, std::string, std::string>>>
        &&result) {
    using Row = sdbus::Struct<std::string, std::string, std::string, std::string>;
    const Reply<std::vector<Row>> reply(std::move(result));
    try {
        diagnosis_(domain_(), [reply](const std::vector<DiagnosisRow> &rows) {
            std::vector<Row> answer;
            answer.reserve(rows.size());
            for (const auto &row : rows) {
                answer.push_back(sdbus::make_struct(row.row, row.verdict, row.detail, row.remedy));
            }
            reply(answer);
        });
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

std::string ManagerAdaptor::VMM() {
    // Empty where none can run: an error would take the other properties from GetAll's answer.
    try {
        auto &services = domain_().vms.services();
        return std::string(vmm::to_string(services.choose_vmm(services.config()).kind));
    } catch (const std::exception &) {
        return {};
    }
}

std::string ManagerAdaptor::VMMReason() {
    try {
        auto &services = domain_().vms.services();
        return services.choose_vmm(services.config()).reason;
    } catch (const std::exception &e) {
        return e.what();
    }
}

std::vector<std::string> ManagerAdaptor::CatalogProblems() {
    // As in VMM(): one that cannot be told takes no other with it.
    try {
        return domain_().catalogs.catalog().problems();
    } catch (const std::exception &e) {
        return {e.what()};
    }
}

} // namespace banger::bus
