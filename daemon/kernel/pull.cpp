#include "daemon/kernel/pull.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "daemon/debian/apt_failure.hpp"
#include "daemon/kernel/manifest.hpp"

#include <nlohmann/json.hpp>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <ctime>

namespace banger::kernel {
namespace {

namespace fs = std::filesystem;

constexpr std::array<Origin, 2> origins{{
    {"debian-bookworm", "bookworm"},
    {"debian-trixie", "trixie"},
}};
constexpr std::string_view metapackage = "linux-image-cloud-amd64";
constexpr std::size_t max_show_output = 1U << 20U;

// Where each step begins within the whole job.
constexpr double at_lists = 0;
constexpr double at_download = 0.25;
constexpr double at_unpack = 0.6;

fs::path make_temporary_directory(const fs::path &parent) {
    std::string pattern = (parent / "tmp.XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
        throw_errno("make a directory in " + parent.string());
    }
    return pattern;
}

} // namespace

const Origin *find_origin(std::string_view name) noexcept {
    if (name == "debian") {
        return &origins.front();
    }
    const auto found = std::find_if(origins.begin(), origins.end(),
                                    [&](const Origin &o) { return o.name == name; });
    return found == origins.end() ? nullptr : &*found;
}

std::vector<std::string> Registry::available() {
    std::vector<std::string> names{"debian"};
    for (const auto &origin : origins) {
        names.emplace_back(origin.name);
    }
    return names;
}

Registry::Pull::Pull(Registry &registry, const Origin &origin, bool anew,
                     std::shared_ptr<job::Job> job)
    : registry_(registry), origin_(origin), anew_(anew), job_(std::move(job)) {}

Registry::Pull::~Pull() {
    job_->on_cancel({});
    child_.reset();
    worker_.reset();
    if (!temporary_.empty()) {
        std::error_code error;
        fs::remove_all(temporary_, error);
        if (error) {
            log::warning(
                fmt::format("could not remove {}: {}", temporary_.string(), error.message()));
        }
    }
}

template <typename Function>
void Registry::Pull::attempt(Function function) {
    try {
        function();
    } catch (const Error &error) {
        fail(error);
    } catch (const std::exception &error) {
        fail(Error{ErrorCode::Internal, fmt::format("pull the kernel: {}", error.what())});
    }
}

void Registry::Pull::start() {
    attempt([this] { read_lists(); });
}

void Registry::Pull::run(std::string_view doing, Command command,
                         task::ChildTask::Handlers handlers, std::function<void()> next) {
    if (job_->cancel_requested()) {
        throw Error{ErrorCode::Cancelled, "cancelled"};
    }
    if (!handlers.output) {
        handlers.output = [this, doing = std::string(doing)](std::string_view line) {
            if (auto error = archive_.take(doing, line); error && !unreachable_) {
                unreachable_ = std::move(error);
                child_->stop();
            }
        };
    }
    handlers.ended = [weak = weak_from_this(), doing = std::string(doing),
                      next = std::move(next)](int status) {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        const auto ended = std::move(self->child_);
        self->attempt([&] {
            if (self->job_->cancel_requested()) {
                throw Error{ErrorCode::Cancelled, "cancelled"};
            }
            if (self->unreachable_) {
                throw *self->unreachable_;
            }
            if (status != 0) {
                throw debian::explain_failure(doing, describe_exit(status), ended->complaints());
            }
            next();
        });
    };
    try {
        child_ = std::make_unique<task::ChildTask>(registry_.loop_, std::move(command),
                                                   std::move(handlers));
    } catch (const Error &error) {
        if (error.code() == ErrorCode::NotFound) {
            throw Error{ErrorCode::Unsupported,
                        fmt::format("cannot {}: {}; kernels come from Debian's archive by apt, "
                                    "which must be installed",
                                    doing, error.what())};
        }
        throw;
    }
    job_->on_cancel([this] {
        if (child_) {
            child_->stop();
        }
    });
}

void Registry::Pull::read_lists() {
    job_->stage("reading package lists", at_lists);
    temporary_ = make_temporary_directory(registry_.settings_.directory);
    apt_.emplace(temporary_ / "apt", debian::source_lines(debian::host_sources(), origin_.suite,
                                                          debian::archive_keyring()));
    task::ChildTask::Handlers handlers;
    handlers.status = [this](std::string_view line) {
        if (const auto fraction = debian::download_fraction(line)) {
            job_->progress(at_lists + *fraction * (at_download - at_lists));
        }
    };
    run("read the package lists of Debian's archive", apt_->update(), std::move(handlers),
        [this] { find_package(); });
}

void Registry::Pull::ask_package(const std::string &package,
                                 std::function<void(const Package &)> next) {
    output_.clear();
    task::ChildTask::Handlers handlers;
    handlers.output = [this](std::string_view line) {
        if (output_.size() < max_show_output) {
            output_.append(line).append("\n");
        }
    };
    run("look up " + package, apt_->show(package), std::move(handlers),
        [this, next = std::move(next)] { next(parse_package(output_)); });
}

void Registry::Pull::find_package() {
    ask_package(std::string(metapackage), [this](const Package &meta) {
        ask_package(kernel_package(meta), [this](const Package &package) {
            package_ = package;
            const auto newest = registry_.find(origin_.name);
            if (!anew_ && newest && newest->package_version == package.version &&
                newest->release == package.name.substr(sizeof "linux-image-" - 1)) {
                job_->done();
                finish();
                return;
            }
            download();
        });
    });
}

void Registry::Pull::download() {
    job_->stage("downloading " + package_.name, at_download);
    task::ChildTask::Handlers handlers;
    handlers.status = [this](std::string_view line) {
        if (const auto fraction = debian::download_fraction(line)) {
            job_->bytes(static_cast<std::uint64_t>(*fraction * static_cast<double>(package_.size)),
                        package_.size);
            job_->progress(at_download + *fraction * (at_unpack - at_download));
        }
    };
    run("download " + package_.name, apt_->download(package_.name), std::move(handlers), [this] {
        for (const auto &entry : fs::directory_iterator{apt_->packages()}) {
            if (entry.path().extension() == ".deb") {
                unpack(entry.path());
                return;
            }
        }
        throw Error{ErrorCode::Internal, "apt has downloaded no package " + package_.name};
    });
}

void Registry::Pull::unpack(const fs::path &deb) {
    job_->stage("unpacking the kernel", at_unpack);
    const fs::path output = temporary_ / "kernel";
    fs::create_directory(output);
    task::WorkerTask::Handlers handlers;
    handlers.bytes = [this](std::uint64_t done, std::uint64_t total) {
        job_->bytes(done, total);
        if (total > 0) {
            job_->progress(at_unpack + static_cast<double>(done) / static_cast<double>(total) *
                                           (0.9 - at_unpack));
        }
    };
    handlers.ended = [weak = weak_from_this()](Outcome<nlohmann::json> result) {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        const auto ended = std::move(self->worker_);
        self->attempt([&] {
            if (self->job_->cancel_requested()) {
                throw Error{ErrorCode::Cancelled, "cancelled"};
            }
            self->publish(result.value());
        });
    };
    worker_ = std::make_unique<task::WorkerTask>(
        registry_.loop_, registry_.settings_.worker,
        std::vector<std::string>{"kernel-deb", "--output", output.string(), deb.string()},
        std::nullopt, std::move(handlers));
    job_->on_cancel([this] {
        if (worker_) {
            worker_->stop();
        }
    });
}

void Registry::Pull::publish(const nlohmann::json &result) {
    Kernel kernel;
    kernel.release = result.at("release").get<std::string>();
    kernel.name = "debian-" + kernel.release;
    kernel.package_version = package_.version;
    kernel.distro = "debian";
    kernel.suite = origin_.suite;
    kernel.digest = result.at("digest").get<std::string>();
    kernel.size = result.at("size").get<std::uint64_t>();
    kernel.created = std::time(nullptr);
    registry_.publish(std::move(kernel), temporary_ / "kernel");
    job_->done();
    finish();
}

void Registry::Pull::fail(const Error &error) {
    job_->failed(debian::with_least_room(error, std::array{registry_.settings_.directory}));
    finish();
}

void Registry::Pull::finish() {
    // The table holds one reference, whoever called us another.
    registry_.pulls_.erase(std::string(origin_.name));
}

} // namespace banger::kernel
