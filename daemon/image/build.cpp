#include "daemon/image/build.hpp"

#include "base/log.hpp"
#include "daemon/image/build_host.hpp"
#include "daemon/image/disk_bytes.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <ctime>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr auto left_out = std::to_array<std::string_view>({
    // Made by a package's installation on the build host; each VM gets its own.
    "etc/ssh/ssh_host_*_key",
    "etc/ssh/ssh_host_*_key.pub",
    // Copied from the build host by mmdebstrap; the agent writes the VM's.
    "etc/hostname",
    "etc/resolv.conf",
    // A setting of the build alone.
    "etc/apt/apt.conf.d/99mmdebstrap",
});

/// Or nearly so: a step that has failed removes some of what it wrote.
bool is_full(const fs::path &directory) {
    constexpr std::uintmax_t nearly_none = 16U << 20U;
    std::error_code unknown;
    const auto space = fs::space(directory, unknown);
    return !unknown && space.available < nearly_none;
}

} // namespace

std::string Registry::Build::means_of(const catalog::ImageEntry &entry,
                                      const std::vector<std::string> &extra_packages) {
    return fmt::format("the recipe {}{}{}", entry.name, extra_packages.empty() ? "" : " with ",
                       fmt::join(extra_packages, ","));
}

std::array<NeededRoom, 2> Registry::Build::room_for(const catalog::Recipe &recipe,
                                                    const Settings &settings) {
    return {NeededRoom{settings.build_parent, recipe.build_bytes},
            NeededRoom{settings.directory, recipe.image_bytes}};
}

Registry::Build::Build(Registry &registry, std::string name, catalog::ImageEntry entry,
                       std::vector<std::string> extra_packages, std::shared_ptr<job::Job> job)
    : Making(registry, std::move(name), means_of(entry, extra_packages), std::move(job)),
      entry_(std::move(entry)), extra_packages_(std::move(extra_packages)) {}

Registry::Build::~Build() {
    job()->on_cancel({});
    preparation_.reset();
    child_.reset();
    worker_.reset();
}

template <typename Function>
void Registry::Build::attempt(Function function) {
    try {
        function();
    } catch (const Error &error) {
        note(error);
        clean_up();
    } catch (const std::exception &error) {
        note(Error{ErrorCode::Internal, fmt::format("build {}: {}", name(), error.what())});
        clean_up();
    }
}

void Registry::Build::note(const Error &error) {
    if (!error_) {
        error_ = job()->cancel_requested() ? Error{ErrorCode::Cancelled, "cancelled"} : error;
    }
}

void Registry::Build::start() {
    attempt([this] {
        temporary_.emplace(registry().settings_.directory);
        build_directory_ = make_build_directory(registry().settings_.build_parent);
        prepare();
    });
}

void Registry::Build::prepare() {
    preparation_ = std::make_unique<BuildPreparation>(registry().loop_, registry().settings_.worker,
                                                      build_directory_, *entry_.recipe(),
                                                      extra_packages_, "build " + name(), job());
    job()->on_cancel([this] { stop(); });
    preparation_->start([weak = weak_from_this()](Outcome<BuildPlan> plan) {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        const auto ended = std::move(self->preparation_);
        self->attempt([&] {
            self->plan_ = std::move(plan.value());
            self->run_pipeline();
        });
    });
}

void Registry::Build::run_pipeline() {
    if (job()->cancel_requested()) {
        throw Error{ErrorCode::Cancelled, "cancelled"};
    }
    FdPair pipe = make_pipe();

    task::WorkerTask::Handlers on_image;
    on_image.bytes = [this](std::uint64_t done, std::uint64_t total) {
        job()->bytes(done, total);
        const auto expected = static_cast<double>(entry_.recipe()->image_bytes);
        const double fraction = std::min(1.0, static_cast<double>(done) / expected);
        job()->progress(BuildProgress::at_image + fraction * (1 - BuildProgress::at_image) * 0.9);
    };
    on_image.ended = [weak = weak_from_this()](Outcome<nlohmann::json> result) {
        if (const auto self = weak.lock()) {
            self->image_ended(std::move(result));
        }
    };
    std::vector<std::string> arguments{"tar-to-ext4", "--label", "banger-image", "--output",
                                       (temporary_->path() / "rootfs.ext4").string()};
    for (const auto pattern : left_out) {
        arguments.emplace_back("--without");
        arguments.emplace_back(pattern);
    }

    Command bootstrap = guarded(debootstrap_command(plan_, build_directory_),
                                registry().settings_.build_guard, build_directory_);
    bootstrap.standard_output = pipe.second.get();
    task::ChildTask::Handlers on_bootstrap;
    on_bootstrap.complaint = [this](std::string_view line) {
        // Before mmdebstrap removes its tree; not all that fails by a full disk says so.
        disk_was_full_ = disk_was_full_ || (line.starts_with("E: ") && is_full(build_directory_));
        if (const auto error = archive_.take(fmt::format("build {}", name()), line)) {
            note(*error);
            stop();
        }
        const std::string before = progress_.stage();
        if (!progress_.take(line)) {
            return;
        }
        if (progress_.stage() != before) {
            job()->stage(progress_.stage(), progress_.whole());
        } else if (progress_.whole() < BuildProgress::at_image) {
            job()->progress(progress_.whole());
            if (progress_.bytes_total() > 0) {
                job()->bytes(progress_.bytes_done(), progress_.bytes_total());
            }
        }
    };
    on_bootstrap.ended = [weak = weak_from_this()](int status) {
        if (const auto self = weak.lock()) {
            self->bootstrap_ended(status);
        }
    };
    worker_ = std::make_unique<task::WorkerTask>(registry().loop_, registry().settings_.worker,
                                                 std::move(arguments), pipe.first.get(),
                                                 std::move(on_image));
    pipe.first.reset();
    child_ = std::make_unique<task::ChildTask>(registry().loop_, std::move(bootstrap),
                                               std::move(on_bootstrap));
}

void Registry::Build::stop() {
    if (preparation_) {
        preparation_->stop();
    }
    if (child_) {
        child_->stop();
    }
    if (worker_) {
        worker_->stop();
    }
}

void Registry::Build::bootstrap_ended(int status) {
    const auto ended = std::move(child_);
    if (status != 0) {
        const Error why = debian::explain_failure(fmt::format("build {}", name()),
                                                  describe_exit(status), ended->complaints());
        if (why.code() == ErrorCode::Internal && disk_was_full_) {
            note(Error{ErrorCode::DiskFull,
                       fmt::format("cannot build {}: No space left in {}; free some room and try "
                                   "again",
                                   name(), registry().settings_.build_parent.string())});
        } else {
            note(why);
        }
        if (worker_) {
            worker_->stop();
        }
    }
    if (!worker_) {
        clean_up();
    }
}

void Registry::Build::image_ended(Outcome<nlohmann::json> result) {
    const auto ended = std::move(worker_);
    if (result) {
        result_ = std::make_unique<nlohmann::json>(std::move(result.value()));
    } else if (result.error().code() == ErrorCode::ImageCorrupt && child_) {
        // A tar that breaks off: mmdebstrap, which is about to end, says why.
        result_.reset();
    } else {
        note(result.error());
        if (child_) {
            child_->stop();
        }
    }
    if (!child_) {
        clean_up();
    }
}

void Registry::Build::clean_up() {
    if (child_ || worker_) {
        stop();
        return; // and again when they have ended
    }
    // mmdebstrap removes its tree itself, unless it was killed.
    std::error_code error;
    if (build_directory_.empty() || (fs::remove_all(build_directory_, error), !error)) {
        conclude();
        return;
    }
    task::ChildTask::Handlers handlers;
    handlers.ended = [weak = weak_from_this()](int) {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        const auto ended = std::move(self->child_);
        std::error_code failure;
        fs::remove_all(self->build_directory_, failure);
        if (failure) {
            log::warning(fmt::format("could not remove {}: {}", self->build_directory_.string(),
                                     failure.message()));
        }
        self->conclude();
    };
    try {
        if (auto command = emptying_command(build_directory_)) {
            child_ = std::make_unique<task::ChildTask>(registry().loop_, std::move(*command),
                                                       std::move(handlers));
            return;
        }
    } catch (const Error &failure) {
        log::warning(failure.what());
    }
    log::warning(fmt::format("could not remove {}", build_directory_.string()));
    conclude();
}

void Registry::Build::conclude() {
    const auto self = shared_from_this();
    if (!error_ && job()->cancel_requested()) {
        error_ = Error{ErrorCode::Cancelled, "cancelled"};
    }
    if (!error_ && !result_) {
        error_ = Error{ErrorCode::Internal, "the build ended without an image"};
    }
    if (!error_) {
        try {
            Image image;
            image.digest = result_->at("digest").get<std::string>();
            image.name = name();
            image.source = fmt::format("Debian {}, {}", plan_.suite, plan_.source_lines.front());
            image.kernel = entry_.kernel;
            image.size = result_->at("size").get<std::uint64_t>();
            image.created = std::time(nullptr);
            image.packages = plan_.packages;
            image.build = {entry_.name, extra_packages_, plan_.parts};
            image.disk_bytes = disk_bytes_of(temporary_->path() / "rootfs.ext4");
            registry().publish(std::move(image), temporary_->path());
        } catch (const Error &error) {
            error_ = error;
        } catch (const std::exception &error) {
            error_ = Error{ErrorCode::Internal, error.what()};
        }
    }
    temporary_.reset();
    forget();
    if (!error_) {
        job()->done();
        return;
    }
    const auto &settings = registry().settings_;
    const auto missing = error_->code() == ErrorCode::DiskFull
                             ? missing_room(room_for(*entry_.recipe(), settings))
                             : std::nullopt;
    if (missing) {
        job()->failed(
            Error{ErrorCode::DiskFull, fmt::format("{} (it {})", error_->what(), *missing)});
    } else {
        job()->failed(debian::with_least_room(
            *error_, std::array{settings.build_parent, settings.directory}));
    }
}

} // namespace banger::image
