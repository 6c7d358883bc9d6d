#include "daemon/kernel/apt_work.hpp"

#include "daemon/debian/sources.hpp"
#include "daemon/kernel/origin.hpp"

#include <string.h>

#include <algorithm>
#include <sstream>

namespace banger::kernel {
namespace {

constexpr std::size_t max_output = 4U << 20U;

} // namespace

Registry::AptWork::~AptWork() = default;

void Registry::AptWork::run_apt(std::string_view doing, Command command,
                                task::ChildTask::Handlers handlers, std::function<void()> next) {
    go_on();
    if (!handlers.output) {
        handlers.output = [this, doing = std::string(doing)](std::string_view line) {
            if (auto error = archive_.take(doing, line); error && !unreachable_) {
                unreachable_ = std::move(error);
                child_->stop();
            }
        };
    }
    handlers.ended = [this, weak = weak_from_this(), doing = std::string(doing),
                      next = std::move(next)](int status) {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        const auto ended = std::move(child_);
        attempt([&] {
            go_on();
            if (unreachable_) {
                throw *unreachable_;
            }
            if (status != 0) {
                throw debian::explain_failure(doing, describe_exit(status), ended->complaints());
            }
            next();
        });
    };
    try {
        child_ = std::make_unique<task::ChildTask>(registry().loop_, std::move(command),
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
    job()->on_cancel([this] {
        if (child_) {
            child_->stop();
        }
    });
}

void Registry::AptWork::read_lists(std::string_view suite, double from, double to,
                                   std::function<void()> next) {
    job()->stage(fmt::format("reading package lists of {}", suite), from);
    apt_.emplace(temporary() / suite,
                 debian::source_lines(debian::host_sources(), suite, debian::archive_keyring()));
    task::ChildTask::Handlers handlers;
    handlers.status = [this, from, to](std::string_view line) {
        if (const auto fraction = debian::download_fraction(line)) {
            job()->progress(from + *fraction * (to - from));
        }
    };
    run_apt("read the package lists of Debian's archive", apt_->update(), std::move(handlers),
            std::move(next));
}

void Registry::AptWork::ask(std::string_view doing, Command command, std::function<void()> next) {
    output_.clear();
    task::ChildTask::Handlers handlers;
    handlers.output = [this](std::string_view line) {
        if (output_.size() < max_output) {
            output_.append(line).append("\n");
        }
    };
    run_apt(doing, std::move(command), std::move(handlers), std::move(next));
}

void Registry::AptWork::ask_package(const std::string &package,
                                    std::function<void(const Package &)> next) {
    ask("look up " + package, apt_->show({package}),
        [this, next = std::move(next)] { next(parse_package(output_)); });
}

void Registry::AptWork::ask_kernels(std::string_view suite,
                                    std::function<void(std::vector<ArchiveKernel>)> next) {
    ask("look up kernels", apt_->names(package_of_release("")),
        [this, suite = std::string(suite), next = std::move(next)] {
            std::vector<std::string> packages;
            std::istringstream names{output_};
            for (std::string name; std::getline(names, name);) {
                if (release_of_package(name)) {
                    packages.push_back(std::move(name));
                }
            }
            if (packages.empty()) {
                next({});
                return;
            }
            ask("look up kernels", apt_->show(packages), [this, suite, next] {
                std::vector<ArchiveKernel> kernels;
                for (const auto &package : parse_packages(output_)) {
                    if (const auto release = release_of_package(package.name)) {
                        kernels.push_back({"debian-" + *release, package.version, suite});
                    }
                }
                std::sort(kernels.begin(), kernels.end(),
                          [](const ArchiveKernel &a, const ArchiveKernel &b) {
                              return ::strverscmp(a.name.c_str(), b.name.c_str()) < 0;
                          });
                next(std::move(kernels));
            });
        });
}

} // namespace banger::kernel
