#include "daemon/kernel/pull.hpp"

#include "daemon/kernel/manifest.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>

namespace banger::kernel {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view metapackage = "linux-image-cloud-amd64";

// Where each step begins within the whole job.
constexpr double at_lists = 0;
constexpr double at_download = 0.25;
constexpr double at_unpack = 0.6;
constexpr double at_publication = 0.95;

} // namespace

Registry::Pull::Pull(Registry &registry, const Origin &origin, bool anew,
                     std::shared_ptr<job::Job> job)
    : AptWork(registry, fmt::format("pull {}", origin.name), std::move(job)), suite_(origin.suite),
      newest_(true), anew_(anew) {}

Registry::Pull::Pull(Registry &registry, const std::string &release, bool anew,
                     std::shared_ptr<job::Job> job)
    : AptWork(registry, fmt::format("pull debian-{}", release), std::move(job)), release_(release),
      anew_(anew) {}

void Registry::Pull::first_step() {
    if (newest_) {
        read_lists(suite_, at_lists, at_download, [this] { find_newest(); });
    } else {
        search(0);
    }
}

void Registry::Pull::find_newest() {
    ask_package(std::string(metapackage), [this](const Package &meta) {
        ask_package(kernel_package(meta), [this](const Package &package) {
            const auto release = release_of_package(package.name);
            if (!release) {
                throw Error{ErrorCode::NotFound,
                            "the newest kernel of the archive is no cloud kernel: " + package.name};
            }
            release_ = *release;
            const auto there = registry().find("debian-" + release_);
            if (!anew_ && there && there->package_version == package.version) {
                Kernel newest = *there;
                newest.newest_of_suite = true;
                registry().write_manifest(std::move(newest));
                conclude(std::nullopt);
                return;
            }
            take(package);
        });
    });
}

void Registry::Pull::search(std::size_t suite) {
    if (suite == origins().size()) {
        std::string names;
        for (const auto &kernel : seen_) {
            names += fmt::format("{}{}", names.empty() ? "" : ", ", kernel.name);
        }
        throw Error{ErrorCode::NotFound,
                    fmt::format("Debian's archive has no kernel 'debian-{}', or has it no more; "
                                "there are: {}",
                                release_, names)};
    }
    const auto count = static_cast<double>(origins().size());
    const auto step = (at_download - at_lists) / count;
    const double from = at_lists + step * static_cast<double>(suite);
    suite_ = origins()[suite].suite;
    read_lists(suite_, from, from + step, [this, suite] {
        ask_kernels(suite_, [this, suite](const std::vector<ArchiveKernel> &kernels) {
            const bool here =
                std::any_of(kernels.begin(), kernels.end(), [&](const ArchiveKernel &kernel) {
                    return kernel.name == "debian-" + release_;
                });
            seen_.insert(seen_.end(), kernels.begin(), kernels.end());
            if (!here) {
                search(suite + 1);
                return;
            }
            ask_package(package_of_release(release_),
                        [this](const Package &package) { take(package); });
        });
    });
}

void Registry::Pull::take(const Package &package) {
    package_ = package;
    job()->stage("downloading " + package_.name, at_download);
    task::ChildTask::Handlers handlers;
    handlers.status = [this](std::string_view line) {
        if (const auto fraction = debian::download_fraction(line)) {
            job()->bytes(static_cast<std::uint64_t>(*fraction * static_cast<double>(package_.size)),
                         package_.size);
            job()->progress(at_download + *fraction * (at_unpack - at_download));
        }
    };
    run_apt("download " + package_.name, apt().download(package_.name), std::move(handlers),
            [this] { unpack(); });
}

void Registry::Pull::unpack() {
    fs::path deb;
    for (const auto &entry : fs::directory_iterator{apt().packages()}) {
        if (entry.path().extension() == ".deb") {
            deb = entry.path();
        }
    }
    if (deb.empty()) {
        throw Error{ErrorCode::Internal, "apt has downloaded no package " + package_.name};
    }
    job()->stage("unpacking the kernel", at_unpack);
    const fs::path output = temporary() / "kernel";
    fs::create_directory(output);
    run_worker({"kernel-deb", "--output", output.string(), deb.string()}, at_unpack, at_publication,
               [this](const nlohmann::json &findings) { publish(findings); });
}

void Registry::Pull::publish(const nlohmann::json &findings) {
    Kernel kernel;
    take_findings(kernel, findings);
    kernel.name = "debian-" + kernel.release;
    kernel.package_version = package_.version;
    kernel.distro = "debian";
    kernel.suite = suite_;
    kernel.source = fmt::format("Debian {}, {}", suite_, package_.name);
    kernel.created = std::time(nullptr);
    const auto there = registry().find(kernel.name);
    kernel.newest_of_suite = newest_ || (there && there->newest_of_suite);
    registry().publish(std::move(kernel), temporary() / "kernel");
    conclude(std::nullopt);
}

} // namespace banger::kernel
