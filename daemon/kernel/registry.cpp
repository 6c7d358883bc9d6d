#include "daemon/kernel/registry.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/names.hpp"
#include "base/sha256.hpp"
#include "daemon/kernel/archive_update.hpp"
#include "daemon/kernel/assembly.hpp"
#include "daemon/kernel/bundle_pull.hpp"
#include "daemon/kernel/import.hpp"
#include "daemon/kernel/manifest.hpp"
#include "daemon/kernel/origin.hpp"
#include "daemon/kernel/pull.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <stdio.h>

#include <algorithm>

namespace banger::kernel {
namespace {

namespace fs = std::filesystem;

fs::path initramfs_directory(const Registry::Settings &settings) {
    return settings.directory / "initramfs";
}

} // namespace

bool Kernel::lacks(std::string_view module) const {
    return std::find(missing.begin(), missing.end(), module) != missing.end();
}

Registry::Registry(EventLoop &loop, Settings settings, JobFactory new_job, InUse in_use)
    : loop_(loop), settings_(std::move(settings)), new_job_(std::move(new_job)),
      in_use_(std::move(in_use)) {
    make_private_directories(initramfs_directory(settings_));
    load();
}

Registry::~Registry() = default;

void Registry::load() {
    for (const auto &entry : fs::directory_iterator{settings_.directory}) {
        const std::string name = entry.path().filename();
        if (name == "initramfs") {
            continue;
        }
        if (name.starts_with("tmp.")) {
            fs::remove_all(entry.path());
            continue;
        }
        try {
            Kernel kernel =
                kernel_from_json(read_file(entry.path() / "manifest.json"), entry.path());
            if (kernel.name != name) {
                fail(ErrorCode::ImageCorrupt, "the kernel in {} calls itself {}",
                     entry.path().string(), kernel.name);
            }
            kernels_.emplace(name, std::move(kernel));
        } catch (const Error &error) {
            // One damaged kernel does not keep the others from use; it stays where it is.
            log::warning(fmt::format("ignoring a kernel: {}", error.what()));
        }
    }
    for (const auto &entry : fs::directory_iterator{initramfs_directory(settings_)}) {
        if (entry.path().extension() != ".cpio") {
            fs::remove_all(entry.path());
        }
    }
}

void Registry::observe(Observer observer) {
    observers_.push_back(std::move(observer));
}

std::vector<Kernel> Registry::list() const {
    std::vector<Kernel> all;
    for (const auto &[name, kernel] : kernels_) {
        all.push_back(kernel);
    }
    return all;
}

std::optional<Kernel> Registry::find(std::string_view name) const {
    if (const auto found = kernels_.find(name); found != kernels_.end()) {
        return found->second;
    }
    const Origin *origin = find_origin(name);
    if (origin == nullptr) {
        return std::nullopt;
    }
    std::optional<Kernel> newest;
    for (const auto &[key, kernel] : kernels_) {
        if (kernel.newest_of_suite && kernel.suite == origin->suite &&
            (!newest || kernel.created >= newest->created)) {
            newest = kernel;
        }
    }
    return newest;
}

Kernel Registry::get(std::string_view name) const {
    auto found = find(name);
    if (!found) {
        fail(ErrorCode::NotFound,
             "there is no kernel '{}'; 'banger kernel list' shows what there is", name);
    }
    return std::move(*found);
}

std::vector<std::string> Registry::available() {
    std::vector<std::string> names{"debian"};
    for (const auto &origin : origins()) {
        names.emplace_back(origin.name);
    }
    return names;
}

bool Registry::is_debians(std::string_view name) {
    return find_origin(name) != nullptr || release_in_name(name);
}

bool Registry::can_pull(std::string_view name) const {
    return is_debians(name) || find_bundle(name);
}

std::shared_ptr<job::Job> Registry::begin(const std::shared_ptr<Work> &work) {
    works_.emplace(work->key(), work);
    work->start();
    return work->job();
}

std::optional<catalog::KernelEntry> Registry::find_bundle(std::string_view name) const {
    const catalog::Catalog catalog = settings_.catalog ? settings_.catalog() : catalog::Catalog{};
    const auto *entry = catalog.find_kernel(name);
    return entry == nullptr ? std::nullopt : std::optional{*entry};
}

std::shared_ptr<job::Job> Registry::pull_bundle(const catalog::KernelEntry &entry, bool anew) {
    if (const auto running = works_.find(BundlePull::key_of(entry)); running != works_.end()) {
        return running->second->job();
    }
    if (const auto there = kernels_.find(entry.name); there != kernels_.end()) {
        if (!anew && there->second.bundle == BundlePull::bundle_of(entry)) {
            auto job = new_job_("pull-kernel", entry.name);
            job->done();
            return job;
        }
        require_unused(entry.name);
    }
    return begin(std::make_shared<BundlePull>(*this, entry, new_job_("pull-kernel", entry.name)));
}

std::shared_ptr<job::Job> Registry::pull(std::string_view name, bool anew) {
    if (const auto entry = find_bundle(name)) {
        return pull_bundle(*entry, anew);
    }
    const Origin *origin = find_origin(name);
    const auto release = release_in_name(name);
    if (origin == nullptr && !release) {
        fail(ErrorCode::NotFound,
             "there is no kernel {:?} to pull; there are: {}, and those that `banger kernel list "
             "--available` shows",
             name, fmt::join(available(), ", "));
    }
    const auto key = fmt::format("pull {}", origin != nullptr ? origin->name : name);
    if (const auto running = works_.find(key); running != works_.end()) {
        return running->second->job();
    }
    auto job = new_job_("pull-kernel", std::string(name));
    if (origin != nullptr) {
        return begin(std::make_shared<Pull>(*this, *origin, anew, std::move(job)));
    }
    if (!anew && find(name)) {
        job->done();
        return job;
    }
    return begin(std::make_shared<Pull>(*this, *release, anew, std::move(job)));
}

std::shared_ptr<job::Job> Registry::import(ImportRequest request) {
    request.name = ArtifactName{"kernel", request.name}.str();
    if (is_debians(request.name)) {
        fail(ErrorCode::InvalidArgument,
             "the name '{}' means a kernel of Debian's: give yours another", request.name);
    }
    for (const auto &path : {request.from, request.modules, request.initrd}) {
        if (!path.empty() && !path.is_absolute()) {
            fail(ErrorCode::InvalidArgument, "the path {:?} is not absolute", path.string());
        }
    }
    if (request.from.empty()) {
        fail(ErrorCode::InvalidArgument, "an import needs the path of a kernel or its directory");
    }
    const auto running = works_.find(Import::key_of(request.name));
    if (running != works_.end()) {
        if (dynamic_cast<const Import &>(*running->second).request() == request) {
            return running->second->job();
        }
        fail(ErrorCode::Busy, "the kernel '{}' is being imported just now, from elsewhere",
             request.name);
    }
    if (kernels_.contains(request.name)) {
        if (!request.force) {
            fail(ErrorCode::AlreadyExists,
                 "there is a kernel '{0}' already: use another name, 'banger kernel rm {0}', or "
                 "--force",
                 request.name);
        }
        require_unused(request.name);
    }
    auto job = new_job_("import-kernel", request.name);
    return begin(std::make_shared<Import>(*this, std::move(request), std::move(job)));
}

std::shared_ptr<job::Job> Registry::update_archive() {
    const auto running = works_.find(std::string_view{ArchiveUpdate::only_key});
    if (running != works_.end()) {
        return running->second->job();
    }
    return begin(std::make_shared<ArchiveUpdate>(*this, new_job_("update-kernel-list", "debian")));
}

std::vector<std::string> Registry::users(const std::string &name) const {
    return in_use_ ? in_use_(name) : std::vector<std::string>{};
}

void Registry::require_unused(const std::string &name) const {
    if (const auto needed_by = users(name); !needed_by.empty()) {
        fail(ErrorCode::InvalidState, "the kernel '{}' is in use by {}: delete them first", name,
             fmt::join(needed_by, ", "));
    }
}

void Registry::write_manifest(Kernel kernel) {
    write_file_atomically(kernel.directory / "manifest.json", to_json(kernel));
    kernels_.insert_or_assign(kernel.name, std::move(kernel));
}

void Registry::publish(Kernel kernel, const fs::path &temporary) {
    const fs::path target = settings_.directory / kernel.name;
    kernel.directory = target;
    write_file_atomically(temporary / "manifest.json", to_json(kernel));
    if (fs::exists(target)) {
        // The two change places in one step, and the old one goes with the temporary directory.
        if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) !=
            0) {
            throw_errno("replace " + target.string());
        }
    } else if (::rename(temporary.c_str(), target.c_str()) != 0) {
        throw_errno("publish " + target.string());
    }
    kernels_.insert_or_assign(kernel.name, kernel);
    for (const auto &observer : observers_) {
        if (observer.added) {
            observer.added(kernel);
        }
    }
}

void Registry::remove(std::string_view name) {
    const Kernel kernel = get(name);
    require_unused(kernel.name);
    // Out of sight in one step; what a kill leaves of the rest is removed at the next start.
    const fs::path doomed = settings_.directory / ("tmp.removed-" + kernel.name);
    std::error_code ignored;
    fs::remove_all(doomed, ignored);
    if (::rename(kernel.directory.c_str(), doomed.c_str()) != 0) {
        throw_errno("remove " + kernel.directory.string());
    }
    kernels_.erase(kernel.name);
    for (const auto &observer : observers_) {
        if (observer.removed) {
            observer.removed(kernel.name);
        }
    }
    fs::remove_all(doomed, ignored);
}

void Registry::initramfs(const Kernel &kernel, InitramfsReady ready) {
    const std::string key =
        sha256_of("banger initramfs 1\n" + kernel.digest + sha256_of_file(settings_.init) +
                  sha256_of_file(settings_.agent));
    const fs::path target = initramfs_directory(settings_) / (key + ".cpio");
    if (const auto running = assemblies_.find(key); running != assemblies_.end()) {
        running->second->wait(std::move(ready));
        return;
    }
    auto assembly = std::make_shared<Assembly>(*this, kernel, target);
    assembly->wait(std::move(ready));
    assemblies_.emplace(key, std::move(assembly));
}

Registry::Assembly::Assembly(Registry &registry, const Kernel &kernel, fs::path target)
    : registry_(registry), target_(std::move(target)) {
    if (fs::exists(target_)) {
        later_ = registry_.loop_.add_deferred([this] { finish(nlohmann::json::object()); });
        return;
    }
    const fs::path temporary = fs::path{target_}.replace_extension(".new");
    std::error_code ignored;
    fs::remove(temporary, ignored);
    worker_ = std::make_unique<task::WorkerTask>(
        registry_.loop_, registry_.settings_.worker,
        std::vector<std::string>{"initramfs", "--kernel-dir", kernel.directory.string(), "--init",
                                 registry_.settings_.init.string(), "--agent",
                                 registry_.settings_.agent.string(), "--output",
                                 temporary.string()},
        std::nullopt,
        task::WorkerTask::Handlers{
            {}, [this, temporary](Outcome<nlohmann::json> result) {
                if (result && ::rename(temporary.c_str(), target_.c_str()) != 0) {
                    result = Error{ErrorCode::Internal, "cannot publish " + target_.string()};
                }
                finish(result);
            }});
}

void Registry::Assembly::finish(const Outcome<nlohmann::json> &result) {
    // Out of the table first: a callback may ask again.
    const auto node = registry_.assemblies_.extract(target_.stem().string());
    for (const auto &ready : waiting_) {
        ready(result ? std::nullopt : std::optional{result.error()}, target_);
    }
}

} // namespace banger::kernel
