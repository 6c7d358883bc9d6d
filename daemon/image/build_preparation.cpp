#include "daemon/image/build_preparation.hpp"

#include "base/files.hpp"
#include "base/process.hpp"
#include "daemon/debian/sources.hpp"

#include <nlohmann/json.hpp>

#include <algorithm>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_settings = 65536;
constexpr double at_parts = 0.02;
constexpr double at_part_lists = 0.03;

std::vector<std::string> names_of_parts(const catalog::Recipe &recipe) {
    std::vector<std::string> names;
    for (const auto &source : recipe.sources) {
        names.emplace_back(source.name);
    }
    for (const auto &file : recipe.files) {
        names.emplace_back(file.name);
    }
    return names;
}

} // namespace

BuildPreparation::BuildPreparation(EventLoop &loop, fs::path worker, fs::path directory,
                                   catalog::Recipe recipe, std::vector<std::string> extra_packages,
                                   std::string doing, std::shared_ptr<job::Job> job)
    : loop_(loop), worker_program_(std::move(worker)), directory_(std::move(directory)),
      recipe_(std::move(recipe)), extra_packages_(std::move(extra_packages)),
      doing_(std::move(doing)), job_(std::move(job)) {}

template <typename Function>
void BuildPreparation::attempt(Function function) {
    try {
        function();
    } catch (const Error &error) {
        finish(error);
    } catch (const std::exception &error) {
        finish(Error{ErrorCode::Internal, fmt::format("cannot {}: {}", doing_, error.what())});
    }
}

void BuildPreparation::finish(Outcome<BuildPlan> result) {
    const Done done = std::move(done_);
    done(std::move(result));
}

void BuildPreparation::start(Done done) {
    done_ = std::move(done);
    attempt([this] {
        plan_.suite = recipe_.suite;
        plan_.variant = recipe_.variant;
        for (const auto &name : names_of_parts(recipe_)) {
            plan_.parts.push_back({name, false, ""});
        }
        plan_.source_lines =
            debian::source_lines(debian::host_sources(), recipe_.suite, debian::archive_keyring());
        read_settings();
    });
}

void BuildPreparation::stop() {
    if (child_) {
        child_->stop();
    }
    if (worker_) {
        worker_->stop();
    }
}

void BuildPreparation::run(
    Command command, task::ChildTask::Handlers handlers,
    std::function<void(int status, const std::deque<std::string> &complaints)> next) {
    handlers.ended = [this, next = std::move(next)](int status) {
        const auto ended = std::move(child_);
        attempt([&] {
            if (job_->cancel_requested()) {
                throw Error{ErrorCode::Cancelled, "cancelled"};
            }
            next(status, ended->complaints());
        });
    };
    child_ = std::make_unique<task::ChildTask>(loop_, std::move(command), std::move(handlers));
}

void BuildPreparation::read_settings() {
    job_->stage("reading apt's settings", 0);
    Command command;
    command.argv = {"apt-config", "dump"};
    task::ChildTask::Handlers handlers;
    handlers.output = [this](std::string_view line) {
        if (settings_.size() < max_settings) {
            settings_.append(line).append("\n");
        }
    };
    run(std::move(command), std::move(handlers), [this](int status, const auto &complaints) {
        if (status != 0) {
            throw debian::explain_failure("read the settings of apt", describe_exit(status),
                                          complaints);
        }
        plan_.apt_settings = directory_ / "apt.conf";
        // Fewer tries than apt's own three, unless the host says how many: where the resolver does
        // not answer, each takes half a minute for each of the lists.
        write_file_atomically(plan_.apt_settings,
                              "Acquire::Retries \"1\";\n" + debian::transport_settings(settings_) +
                                  "Acquire::Retries::Delay \"false\";\n", // as PrivateApt has it
                              0644);
        read_lists();
    });
}

void BuildPreparation::read_lists() {
    job_->stage("reading package lists", 0);
    apt_.emplace(directory_ / "apt", plan_.source_lines);
    task::ChildTask::Handlers handlers;
    handlers.output = [this](std::string_view line) {
        if (auto error = archive_.take(doing_, line); error && !unreachable_) {
            unreachable_ = std::move(error);
            child_->stop();
        }
    };
    handlers.status = [this](std::string_view line) {
        if (const auto fraction = debian::download_fraction(line)) {
            job_->progress(*fraction * at_parts);
        }
    };
    run(apt_->update(), std::move(handlers), [this](int status, const auto &complaints) {
        if (unreachable_) {
            throw *unreachable_;
        }
        if (status != 0) {
            throw debian::explain_failure(doing_, describe_exit(status), complaints);
        }
        fetch_parts();
    });
}

void BuildPreparation::fetch_parts() {
    if (plan_.parts.empty()) {
        check_packages();
        return;
    }
    job_->stage(fmt::format("fetching {}", fmt::join(names_of_parts(recipe_), ", ")), at_parts);
    parts_directory_ = directory_ / "parts";
    make_private_directories(parts_directory_);
    std::vector<std::string> arguments{"fetch-parts", "--directory", parts_directory_.string()};
    for (const auto &[option, https] :
         {std::pair{"--http-proxy", false}, {"--https-proxy", true}}) {
        if (const std::string proxy = debian::proxy(settings_, https); !proxy.empty()) {
            arguments.insert(arguments.end(), {option, proxy});
        }
    }
    for (const auto &source : recipe_.sources) {
        arguments.insert(arguments.end(), {"--key", source.name, source.key.url, source.key.sha256,
                                           std::to_string(source.key.size), source_stanza(source)});
    }
    for (const auto &file : recipe_.files) {
        arguments.insert(arguments.end(), {"--file", file.name, file.file.url, file.file.sha256,
                                           std::to_string(file.file.size), file.path.string(),
                                           std::to_string(file.mode)});
    }
    task::WorkerTask::Handlers handlers;
    handlers.bytes = [this](std::uint64_t done, std::uint64_t total) { job_->bytes(done, total); };
    handlers.ended = [this](Outcome<nlohmann::json> result) {
        const auto ended = std::move(worker_);
        attempt([&] {
            if (job_->cancel_requested()) {
                throw Error{ErrorCode::Cancelled, "cancelled"};
            }
            take_fetched(result.value().at("parts"));
        });
    };
    worker_ = std::make_unique<task::WorkerTask>(loop_, worker_program_, std::move(arguments),
                                                 std::nullopt, std::move(handlers));
}

void BuildPreparation::take_fetched(const nlohmann::json &results) {
    // The worker keeps the order: sources, then files.
    std::size_t i = 0;
    const auto error_of = [](const nlohmann::json &result) -> std::optional<Error> {
        const auto error = result.find("error");
        if (error == result.end()) {
            return std::nullopt;
        }
        return Error{error_code_from(error->at("code").get<std::string>()),
                     error->at("message").get<std::string>()};
    };
    for (const auto &source : recipe_.sources) {
        const auto &result = results.at(i++);
        if (const auto error = error_of(result)) {
            leave_out(source.name, source.optional, *error);
        } else {
            waiting_.push_back({source, result.at("key").get<std::string>()});
        }
    }
    std::reverse(waiting_.begin(), waiting_.end());
    for (const auto &file : recipe_.files) {
        if (const auto error = error_of(results.at(i++))) {
            leave_out(file.name, file.optional, *error);
        } else {
            plan_.after.push_back(parts_directory_ / (file.name + ".tar"));
            part(file.name).included = true;
        }
    }
    add_next_source();
}

void BuildPreparation::add_next_source() {
    if (waiting_.empty()) {
        check_packages();
        return;
    }
    const FetchedSource next = std::move(waiting_.back());
    waiting_.pop_back();
    job_->stage("reading package lists of " + next.source.name, at_part_lists);
    apt_->use({source_line(next.source, next.key)});
    task::ChildTask::Handlers handlers;
    handlers.output = [](std::string_view) {}; // not bangerd's own
    handlers.status = [](std::string_view) {};
    run(apt_->update_briefly(), std::move(handlers),
        [this, next](int status, const auto &complaints) {
            if (status != 0) {
                const auto failure = debian::find_failure(describe_exit(status), complaints);
                leave_out(next.source.name, next.source.optional,
                          Error{failure.code, failure.reason});
            } else {
                plan_.before.push_back(parts_directory_ / (next.source.name + ".tar"));
                part(next.source.name).included = true;
                reached_.push_back(next);
            }
            add_next_source();
        });
}

void BuildPreparation::leave_out(const std::string &name, bool optional, const Error &error) {
    // A full disk has nothing to do with the part.
    if (!optional || error.code() == ErrorCode::DiskFull) {
        throw error.with_context(fmt::format("cannot {}: the part {} of the recipe", doing_, name));
    }
    part(name).reason = error.what();
}

Part &BuildPreparation::part(const std::string &name) {
    return *std::find_if(plan_.parts.begin(), plan_.parts.end(),
                         [&](const Part &part) { return part.name == name; });
}

void BuildPreparation::check_packages() {
    // A stage that lasts a while: a shorter one would pass unseen.
    std::vector<std::string> missing;
    for (const auto &part : plan_.parts) {
        if (!part.included) {
            missing.push_back(fmt::format("without {}: {}", part.name, part.reason));
        }
    }
    job_->stage(missing.empty() ? "checking the packages"
                                : fmt::format("{}", fmt::join(missing, "; ")),
                at_part_lists);
    std::vector<catalog::AptSource> sources;
    std::vector<std::string> lines = plan_.source_lines;
    for (const auto &[source, key] : reached_) {
        sources.push_back(source);
        lines.push_back(source_line(source, key));
    }
    plan_.packages = packages_of(recipe_, sources, extra_packages_);
    apt_->use(lines);
    task::ChildTask::Handlers handlers;
    handlers.output = [](std::string_view) {};
    run(apt_->try_install(plan_.packages), std::move(handlers),
        [this](int status, const auto &complaints) {
            if (status != 0) {
                throw debian::explain_failure(doing_, describe_exit(status), complaints);
            }
            plan_.lists = apt_->lists();
            plan_.date = debian::newest_release(plan_.lists);
            finish(std::move(plan_));
        });
}

} // namespace banger::image
