#include "daemon/image/registry.hpp"

#include "base/files.hpp"
#include "base/log.hpp"
#include "base/names.hpp"
#include "daemon/image/build.hpp"
#include "daemon/image/build_host.hpp"
#include "daemon/image/bundle_pull.hpp"
#include "daemon/image/catalog_pull.hpp"
#include "daemon/image/manifest.hpp"
#include "daemon/image/pull.hpp"
#include "daemon/image/registration.hpp"
#include "daemon/oci/reference.hpp"

#include <nlohmann/json.hpp>
#include <stdio.h>

#include <algorithm>

namespace banger::image {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_name_entry = 65536;

fs::path digests(const Registry::Settings &settings) {
    return settings.directory / "by-digest";
}
fs::path names(const Registry::Settings &settings) {
    return settings.directory / "names";
}

[[noreturn]] void fail_without(std::string_view name) {
    fail(ErrorCode::NotFound, "there is no image {:?}; `banger image list` shows what there is",
         name);
}

/// Out of sight in one step; what a kill leaves of the rest is removed at the next start.
void remove_directory(const Registry::Settings &settings, const Image &image) {
    const fs::path doomed = settings.directory / ("tmp.removed-" + image.digest);
    std::error_code ignored;
    fs::remove_all(doomed, ignored);
    if (::rename(image.directory.c_str(), doomed.c_str()) != 0) {
        throw_errno("remove " + image.directory.string());
    }
    fs::remove_all(doomed, ignored);
}

} // namespace

void Image::require_unchanged() const {
    if (!registered) {
        return;
    }
    const std::string file = registered->file.string();
    try {
        if (identity_of(registered->file) == registered->identity) {
            return;
        }
    } catch (const Error &error) {
        fail(ErrorCode::ImageCorrupt,
             "the image {} is the file {}, which cannot be used any more: {}", name, file,
             error.what());
    }
    fail(ErrorCode::ImageCorrupt,
         "the file {1} of the image {0} was changed after it was registered: where its content is "
         "the same, `banger image register --force --name {0} --rootfs {1}` makes it good; VMs of "
         "another content are lost, and `banger image promote` would have kept a copy",
         name, file);
}

bool is_oci_reference(std::string_view text) noexcept {
    return text.find_first_of(":/@") != std::string_view::npos;
}

/// Removes, one after the other, the trees that killed builds have left.
class Registry::Leftovers {
public:
    Leftovers(EventLoop &loop, std::vector<fs::path> trees)
        : loop_(loop), trees_(std::move(trees)) {
        next();
    }

private:
    void next() {
        child_.reset();
        while (!trees_.empty() && !child_) {
            const fs::path tree = trees_.back();
            trees_.pop_back();
            task::ChildTask::Handlers handlers;
            handlers.ended = [this, tree](int) {
                remove(tree);
                next();
            };
            try {
                if (auto command = emptying_command(tree)) {
                    child_ = std::make_unique<task::ChildTask>(loop_, std::move(*command),
                                                               std::move(handlers));
                } else {
                    remove(tree);
                }
            } catch (const Error &error) {
                log::warning(fmt::format("could not empty {}: {}", tree.string(), error.what()));
            }
        }
    }

    static void remove(const fs::path &tree) {
        std::error_code error;
        fs::remove_all(tree, error);
        if (error) {
            log::warning(fmt::format("could not remove {}: {}", tree.string(), error.message()));
        }
    }

    EventLoop &loop_;
    std::vector<fs::path> trees_;
    std::unique_ptr<task::ChildTask> child_;
};

Registry::Registry(EventLoop &loop, Settings settings, JobFactory new_job, InUse in_use)
    : loop_(loop), settings_(std::move(settings)), new_job_(std::move(new_job)),
      in_use_(std::move(in_use)) {
    make_private_directories(digests(settings_));
    make_private_directories(names(settings_));
    load();
    leftovers_ = std::make_unique<Leftovers>(loop_, build_directories(settings_.build_parent));
}

Registry::~Registry() = default;

void Registry::load() {
    for (const auto &entry : fs::directory_iterator{settings_.directory}) {
        if (entry.path().filename().string().starts_with("tmp.")) {
            fs::remove_all(entry.path());
        }
    }
    for (const auto &entry : fs::directory_iterator{digests(settings_)}) {
        try {
            Image image = image_from_json(read_file(entry.path() / "manifest.json"), entry.path());
            if (image.digest != entry.path().filename()) {
                fail(ErrorCode::ImageCorrupt, "the image in {} has another digest",
                     entry.path().string());
            }
            by_digest_.emplace(image.digest, std::move(image));
        } catch (const Error &error) {
            // One damaged image does not keep the others from use; it stays where it is.
            log::warning(fmt::format("ignoring an image: {}", error.what()));
        }
    }
    for (const auto &entry : fs::directory_iterator{names(settings_)}) {
        try {
            const ArtifactName name{"image", entry.path().filename().string()};
            NameEntry meaning = name_entry_from(read_file(entry.path(), max_name_entry));
            if (const auto image = by_digest_.find(meaning.digest); image != by_digest_.end()) {
                if (meaning.kernel.empty()) {
                    meaning.source = image->second.source;
                    meaning.kernel = image->second.kernel;
                    meaning.build = image->second.build;
                }
                names_.emplace(name.str(), std::move(meaning));
            } else {
                log::warning(fmt::format("the image {} is not there any more", name.str()));
            }
        } catch (const Error &error) {
            log::warning(fmt::format("ignoring the name of an image: {}", error.what()));
        }
    }
}

void Registry::observe(Observer observer) {
    observers_.push_back(std::move(observer));
}

std::vector<Image> Registry::list() const {
    std::vector<Image> all;
    for (const auto &[name, meaning] : names_) {
        all.push_back(*find(name));
    }
    return all;
}

std::optional<Image> Registry::find(std::string_view name) const {
    const auto found = names_.find(name);
    if (found == names_.end()) {
        return std::nullopt;
    }
    const NameEntry &meaning = found->second;
    Image image = by_digest_.find(meaning.digest)->second;
    image.name = name;
    image.source = meaning.source;
    image.kernel = meaning.kernel;
    image.manifest = meaning.manifest;
    image.build = meaning.build;
    return image;
}

std::optional<Image> Registry::find_digest(std::string_view digest) const {
    const auto found = by_digest_.find(digest);
    return found == by_digest_.end() ? std::nullopt : std::optional{found->second};
}

std::optional<Image> Registry::find_wanted(std::string_view name_or_reference) const {
    if (!is_oci_reference(name_or_reference)) {
        return find(name_or_reference);
    }
    const auto reference = oci::parse_reference(name_or_reference);
    const std::string source = oci::to_string(reference);
    // Its own name first: there may be several.
    if (auto image = find(oci::default_image_name(reference)); image && image->source == source) {
        return image;
    }
    const auto found = std::find_if(names_.begin(), names_.end(),
                                    [&](const auto &name) { return name.second.source == source; });
    return found == names_.end() ? std::nullopt : find(found->first);
}

catalog::ImageEntry Registry::entry_of(std::string_view name) const {
    const catalog::Catalog catalog = settings_.catalog();
    if (const auto *entry = catalog.find_image(name)) {
        return *entry;
    }
    std::vector<std::string_view> known;
    for (const auto &entry : catalog.images()) {
        known.push_back(entry.name);
    }
    fail(ErrorCode::NotFound, "there is no image {:?}, and the catalog has only: {}", name,
         fmt::join(known, ", "));
}

bool Registry::can_be_fetched(const std::string &reference) const {
    return is_oci_reference(reference) || settings_.catalog().find_image(reference) != nullptr;
}

std::string Registry::name_of(const PullRequest &request) const {
    std::string name = request.name;
    if (is_oci_reference(request.reference)) {
        const auto reference = oci::parse_reference(request.reference);
        if (name.empty()) {
            name = oci::default_image_name(reference);
        }
    } else {
        const auto entry = entry_of(request.reference);
        if (name.empty()) {
            name = entry.name;
        }
    }
    return ArtifactName{"image", name}.str();
}

std::shared_ptr<job::Job> Registry::done_already(std::string kind, std::string name) {
    auto job = new_job_(std::move(kind), std::move(name));
    job->done();
    return job;
}

template <typename Make>
std::shared_ptr<job::Job> Registry::begin(const std::string &name, const std::string &means,
                                          Make make) {
    if (const auto running = makings_.find(name); running != makings_.end()) {
        if (running->second->means() == means) {
            return running->second->job();
        }
        fail(ErrorCode::Busy, "the image {} is being made of {} just now; choose another name",
             name, running->second->means());
    }
    const std::shared_ptr<Making> making = make();
    makings_.emplace(name, making);
    making->start();
    return making->job();
}

std::shared_ptr<job::Job> Registry::build(const BuildRequest &request) {
    const std::string name = ArtifactName{"image", request.name}.str();
    if (!request.anew && find(name)) {
        return done_already("build-image", name);
    }
    catalog::ImageEntry entry = entry_of(request.recipe.empty() ? name : request.recipe);
    const catalog::Recipe *recipe = entry.recipe();
    if (recipe == nullptr) {
        fail(
            ErrorCode::InvalidArgument,
            "{0} is no recipe but a bundle, which is pulled and not built: `banger image pull {0}`",
            entry.name);
    }
    std::for_each(request.packages.begin(), request.packages.end(), catalog::check_package);
    const std::string means = Build::means_of(entry, request.packages);
    return begin(name, means, [&] {
        require_build_tools();
        require_room("building " + name, Build::room_for(*recipe, settings_));
        return std::make_shared<Build>(*this, name, std::move(entry), request.packages,
                                       new_job_("build-image", name));
    });
}

std::shared_ptr<job::Job> Registry::pull(PullRequest request) {
    const bool known = can_be_fetched(request.reference) || find(request.reference);
    const auto fetch = !known && settings_.refresh ? settings_.refresh() : nullptr;
    if (!fetch) {
        return pull_known(std::move(request));
    }
    request.name =
        ArtifactName{"image", request.name.empty() ? request.reference : request.name}.str();
    return begin(request.name, "the catalog's " + request.reference, [&] {
        return std::make_shared<CatalogPull>(*this, request, fetch,
                                             new_job_("pull-image", request.name));
    });
}

std::shared_ptr<job::Job> Registry::pull_known(PullRequest request) {
    if (const auto there = find_wanted(request.reference);
        there && (request.only_missing || !can_be_fetched(request.reference))) {
        return done_already("pull-image", there->name);
    }
    request.name = name_of(request);
    if (is_oci_reference(request.reference)) {
        request.reference = oci::to_string(oci::parse_reference(request.reference));
        return begin(request.name, request.reference, [&] {
            return std::make_shared<Pull>(*this, request, new_job_("pull-image", request.name));
        });
    }
    const auto entry = entry_of(request.reference);
    if (!request.kernel.empty()) {
        fail(ErrorCode::InvalidArgument,
             "{} is an image of the catalog, which says with which kernel it boots",
             request.reference);
    }
    const auto there = find(request.name);
    if (const auto *bundle = entry.bundle()) {
        if (there && there->manifest == BundlePull::manifest_of(*bundle)) {
            return done_already("pull-image", request.name);
        }
        return begin(request.name, BundlePull::means_of(*bundle), [&] {
            return std::make_shared<BundlePull>(*this, request.name, entry,
                                                new_job_("pull-image", request.name));
        });
    }
    if (there) {
        return done_already("pull-image", request.name);
    }
    return build({request.name, request.reference, {}, false});
}

std::shared_ptr<job::Job> Registry::register_file(RegisterRequest request, bool anew) {
    request.name = ArtifactName{"image", request.name}.str();
    if (!request.file.is_absolute()) {
        fail(ErrorCode::InvalidArgument, "{:?} is no absolute path", request.file.string());
    }
    if (const auto there = find(request.name);
        !anew && there && (!there->registered || there->registered->file != request.file)) {
        fail(ErrorCode::AlreadyExists,
             "there is an image {} already, of {}: choose another name, or replace it with --force",
             request.name, there->source);
    }
    constexpr auto keep = Registration::Keep::InPlace;
    return begin(request.name, Registration::means_of(request, keep), [&] {
        return std::make_shared<Registration>(*this, request, keep,
                                              new_job_("register-image", request.name));
    });
}

std::shared_ptr<job::Job> Registry::promote(std::string_view name) {
    const auto image = find(name);
    if (!image) {
        fail_without(name);
    }
    if (!image->registered) {
        return done_already("promote-image", image->name);
    }
    image->require_unchanged();
    constexpr auto keep = Registration::Keep::Copy;
    const RegisterRequest request{image->name, image->registered->file, image->kernel};
    return begin(request.name, Registration::means_of(request, keep), [&] {
        return std::make_shared<Registration>(*this, request, keep,
                                              new_job_("promote-image", request.name));
    });
}

Usage Registry::usage_of(std::string_view name) const {
    const auto image = find(name);
    if (!image) {
        fail_without(name);
    }
    Usage usage;
    if (in_use_) {
        usage.vms = in_use_(image->digest);
    }
    const auto names = std::count_if(names_.begin(), names_.end(), [&](const auto &other) {
        return other.second.digest == image->digest;
    });
    if (!image->registered) {
        (names > 1 || !usage.vms.empty() ? usage.shared : usage.own) = image->disk_bytes;
    }
    return usage;
}

void Registry::publish(Image image, const fs::path &temporary) {
    const fs::path target = digests(settings_) / image.digest;
    image.directory = target;
    if (!by_digest_.contains(image.digest)) {
        write_file_atomically(temporary / "manifest.json", to_json(image));
        // Something of that name that load() passed over is damaged, and what was just made is not.
        std::error_code ignored;
        fs::remove_all(target, ignored);
        if (::rename(temporary.c_str(), target.c_str()) != 0) {
            throw_errno("publish " + target.string());
        }
        by_digest_.emplace(image.digest, image);
    } else if (image.registered) {
        // The same content, touched: it is good again, for VMs that there are, too.
        write_file_atomically(target / "manifest.json", to_json(image));
        by_digest_.insert_or_assign(image.digest, image);
    }
    NameEntry meaning{image.digest, image.source, image.kernel, image.manifest, image.build};
    write_file_atomically(names(settings_) / image.name, to_json(meaning));
    names_.insert_or_assign(image.name, std::move(meaning));
    const Image published = *find(image.name);
    for (const auto &observer : observers_) {
        if (observer.added) {
            observer.added(published);
        }
    }
    collect_garbage();
}

void Registry::remove(std::string_view name) {
    const auto image = find(name);
    if (!image) {
        fail_without(name);
    }
    if (const auto users = in_use_ ? in_use_(image->digest) : std::vector<std::string>{};
        !users.empty()) {
        fail(ErrorCode::InvalidState, "the image {} is in use by {}; delete them first", name,
             fmt::join(users, ", "));
    }
    const std::string removed(name);
    fs::remove(names(settings_) / removed);
    names_.erase(removed);
    for (const auto &observer : observers_) {
        if (observer.removed) {
            observer.removed(removed);
        }
    }
    collect_garbage();
}

void Registry::collect_garbage() {
    for (auto i = by_digest_.begin(); i != by_digest_.end();) {
        const bool named = std::any_of(names_.begin(), names_.end(), [&](const auto &name) {
            return name.second.digest == i->first;
        });
        if (named || (in_use_ && !in_use_(i->first).empty())) {
            ++i;
            continue;
        }
        try {
            remove_directory(settings_, i->second);
            i = by_digest_.erase(i);
        } catch (const Error &error) {
            log::warning(fmt::format("could not remove an image: {}", error.what()));
            ++i;
        }
    }
}

} // namespace banger::image
