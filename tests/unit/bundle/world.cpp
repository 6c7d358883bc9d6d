#include "tests/unit/bundle/world.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/sha256.hpp"
#include "daemon/ext4/writer.hpp"
#include "daemon/image/manifest.hpp"
#include "daemon/kernel/manifest.hpp"
#include "tests/unit/image/kernel_builder.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <systemd/sd-event.h>

#include <csignal>
#include <random>

namespace banger::test {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t random_bytes = 3U << 20U;

std::string random_content() {
    std::mt19937 random{1};
    std::string content(random_bytes, '\0');
    for (char &byte : content) {
        byte = static_cast<char>(random());
    }
    return content;
}

void write_ext4(const fs::path &file, const std::string &label) {
    const UniqueFd fd = open_file(file, O_RDWR | O_CREAT | O_EXCL, 0600);
    ext4::WriterOptions options;
    options.label = label;
    ext4::Writer writer{fd.get(), options};
    ext4::Metadata metadata;
    writer.add_directory("etc", metadata);
    metadata.permissions = 0644;
    writer.add_file("etc/motd", metadata, "hello");
    writer.add_file("random", metadata, random_content());
    writer.begin_file("zeros", metadata, 64U << 20U);
    writer.finish();
}

} // namespace

World::World() : workers_(loop_, BANGER_IMAGE_WORKER) {
    block_signals({SIGCHLD});
    fs::create_directory(directory_ / "published");
    fs::create_directory(directory_ / "build");
    publishers_images_ = open_images("publishers-images");
    publishers_kernels_ = open_kernels("publishers-kernels");
    images_ = open_images("images");
    kernels_ = open_kernels("kernels");
}

distribution::JobFactory World::factory() {
    return [this](std::string kind, std::string subject) {
        return jobs_.add(std::move(kind), std::move(subject));
    };
}

std::unique_ptr<image::Registry> World::open_images(const std::string &directory) {
    image::Registry::Settings settings;
    settings.directory = directory_ / directory;
    settings.worker = BANGER_IMAGE_WORKER;
    settings.blobs = directory_ / "blobs";
    settings.build_parent = directory_ / "build";
    settings.catalog = [this] {
        catalog::Catalog catalog;
        catalog.add(part_);
        return catalog;
    };
    return std::make_unique<image::Registry>(loop_, settings, factory(), nullptr);
}

std::unique_ptr<kernel::Registry> World::open_kernels(const std::string &directory) {
    kernel::Registry::Settings settings{directory_ / directory,
                                        BANGER_IMAGE_WORKER,
                                        "/bin/true",
                                        "/bin/true",
                                        directory_ / "blobs",
                                        [this] {
                                            catalog::Catalog catalog;
                                            catalog.add(part_);
                                            return catalog;
                                        }};
    return std::make_unique<kernel::Registry>(loop_, settings, factory(), nullptr);
}

image::Image World::put_image(const std::string &name) {
    const fs::path images = directory_ / "publishers-images";
    const fs::path made = images / "new";
    fs::create_directory(made);
    write_ext4(made / "rootfs.ext4", "banger-image");
    image::Image image;
    image.name = name;
    image.digest = sha256_of_file(made / "rootfs.ext4");
    image.source = "a test";
    image.kernel = "debian";
    image.size = fs::file_size(made / "rootfs.ext4");
    image.packages = {"systemd"};
    write_file_atomically(made / "manifest.json", to_json(image));
    fs::rename(made, images / "by-digest" / image.digest);
    write_file_atomically(
        images / "names" / name,
        to_json(image::NameEntry{image.digest, image.source, image.kernel, "", {}}));
    publishers_images_ = open_images("publishers-images");
    return *publishers_images_->find(name);
}

kernel::Kernel World::put_kernel(const std::string &name) {
    const fs::path made = directory_ / "publishers-kernels" / name;
    fs::create_directories(made / "boot-modules");
    write_file_atomically(made / "vmlinux", vmlinux());
    write_ext4(made / "modules.ext4", "banger-modules");
    write_file_atomically(made / "boot-modules/ext4.ko", "a module");
    write_file_atomically(made / "boot-modules/order", "ext4.ko\n");
    kernel::Kernel kernel;
    kernel.name = name;
    kernel.release = "6.1.0-test";
    kernel.package_version = "6.1.1-1";
    kernel.distro = "debian";
    kernel.suite = "bookworm";
    kernel.digest = std::string(64, 'd');
    write_file_atomically(made / "manifest.json", to_json(kernel));
    publishers_kernels_ = open_kernels("publishers-kernels");
    return *publishers_kernels_->find(name);
}

job::Snapshot World::export_image(const std::string &name, const std::string &file, bool replace) {
    distribution::BundleExport exports{*publishers_images_, *publishers_kernels_, workers_,
                                       factory()};
    return end_of(exports.export_image({name, published(file), replace}));
}

job::Snapshot World::export_kernel(const std::string &name, const std::string &file) {
    distribution::BundleExport exports{*publishers_images_, *publishers_kernels_, workers_,
                                       factory()};
    return end_of(exports.export_kernel({name, published(file), false}));
}

nlohmann::json World::entry(const std::string &name, const std::string &file,
                            const nlohmann::json &change) const {
    nlohmann::json bundle{{"url", file}, {"sha256", sha256_of_file(published(file))}};
    bundle.merge_patch(change);
    return {{"name", name}, {"bundle", bundle}};
}

void World::serve(std::vector<std::string> options) {
    server_.emplace(directory_ / "published", directory_ / "server.log", std::move(options));
}

void World::set_catalog(std::vector<nlohmann::json> images, std::vector<nlohmann::json> kernels) {
    for (auto &image : images) {
        image["kernel"] = "debian";
    }
    const nlohmann::json document{
        {"format", 1}, {"images", std::move(images)}, {"kernels", std::move(kernels)}};
    part_ = catalog::parse(document.dump(), server_ ? server_->url("catalog.json")
                                                    : published("catalog.json").string());
}

job::Snapshot World::end_of(const std::shared_ptr<job::Job> &job) {
    EXPECT_TRUE(eventually([&] { return !job->running(); })) << "the job does not end";
    return job->snapshot();
}

bool World::eventually(const std::function<bool()> &holds) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{120};
    while (!holds() && std::chrono::steady_clock::now() < deadline) {
        constexpr std::uint64_t step_usec = 100'000;
        sd_event_run(loop_.get(), step_usec);
    }
    return holds();
}

std::vector<std::string> World::leftovers() const {
    std::vector<std::string> found;
    for (const char *directory : {"images", "kernels"}) {
        for (const auto &entry : fs::directory_iterator(directory_ / directory)) {
            if (entry.path().filename().string().starts_with("tmp.")) {
                found.push_back(entry.path());
            }
        }
    }
    return found;
}

} // namespace banger::test
