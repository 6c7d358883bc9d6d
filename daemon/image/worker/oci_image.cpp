#include "daemon/image/worker/oci_image.hpp"

#include "base/disk_room.hpp"
#include "base/sha256.hpp"
#include "daemon/image/run_config_json.hpp"
#include "daemon/image/worker/layer_import.hpp"
#include "daemon/image/worker/output_file.hpp"
#include "daemon/oci/assemble.hpp"
#include "daemon/oci/auth.hpp"
#include "daemon/oci/image_source.hpp"

#include <nlohmann/json.hpp>

#include <array>
#include <mutex>

namespace banger::image {
namespace {

/// Half of the way is the download, half is the writing; both go on at once, on two threads.
class Progress {
public:
    explicit Progress(Report &report) : report_(report) {}

    void downloaded(std::uint64_t bytes) {
        const std::lock_guard lock(mutex_);
        downloaded_ = bytes;
        tell();
    }
    void written(std::uint64_t bytes) {
        const std::lock_guard lock(mutex_);
        written_ += bytes;
        tell();
    }
    void expect(std::uint64_t total) {
        const std::lock_guard lock(mutex_);
        total_ = total;
    }

private:
    void tell() { report_.bytes((downloaded_ + written_) / 2, total_); }

    Report &report_;
    std::mutex mutex_;
    std::uint64_t downloaded_ = 0;
    std::uint64_t written_ = 0;
    std::uint64_t total_ = 0;
};

RunConfig run_config(const oci::ImageConfig &config) {
    return {.environment = config.environment,
            .working_directory = config.working_directory,
            .user = config.user,
            .entrypoint = config.entrypoint,
            .command = config.command};
}

/// A layer that is larger than the file system may be holds entries that replace each other without
/// end.
ArchiveReader::Source at_most(std::uint64_t limit, const std::string &name,
                              ArchiveReader::Source source) {
    return [limit, name, source = std::move(source), sum = std::uint64_t{0}]() mutable {
        const auto bytes = source();
        sum += bytes.size();
        if (sum > limit) {
            fail(ErrorCode::LimitsExceeded, "{} unpacks to more than {} MiB", name, limit >> 20U);
        }
        return bytes;
    };
}

void apply_layer(oci::BlobReader blob, const std::string &name, std::uint64_t max_bytes,
                 Progress &progress, ext4::Writer &to) {
    ArchiveReader stream{[&] {
                             const auto bytes = blob.read();
                             progress.written(bytes.size());
                             return bytes;
                         },
                         ArchiveReader::Format::Raw, name};
    const bool has_content = stream.next() != nullptr;
    ArchiveReader tar{has_content
                          ? whole_tar_blocks(at_most(max_bytes, name, stream.entry_source()))
                          : memory_source({}),
                      ArchiveReader::Format::Tar, name};
    import_layer(tar, to);
    blob.finish();
}

} // namespace

void write_oci_image(const OciImage &wanted, Report &report) {
    Progress progress{report};
    oci::Settings settings = wanted.registries;
    settings.credential_files = oci::credential_files();
    settings.progress = [&](std::uint64_t done, std::uint64_t) { progress.downloaded(done); };
    const auto source = oci::open_source(oci::parse_reference(wanted.reference), settings);
    const oci::ResolvedImage &image = source->image();
    if (image.manifest_digest.str() == wanted.known) {
        report.result({{"unchanged", true}});
        return;
    }
    std::uint64_t total = 0;
    for (const auto &layer : image.layers) {
        total += layer.size;
    }
    progress.expect(total);
    // The image is hardly ever smaller than its packed layers, mostly two to three times as large.
    const std::array room{NeededRoom{settings.cache_directory, source->bytes_to_fetch()},
                          NeededRoom{wanted.output.parent_path(), total}};
    require_room("pulling " + wanted.reference, room);

    OutputFile file{wanted.output};
    ext4::WriterOptions options;
    options.label = "banger-image";
    options.max_bytes = wanted.max_bytes;
    ext4::Writer writer{file.fd(), options};
    for (std::size_t i = 0; i < image.layers.size(); ++i) {
        apply_layer(source->wait_for_layer(i), oci::layer_name(i, wanted.reference),
                    wanted.max_bytes, progress, writer);
    }
    const ext4::WriterResult written = writer.finish();
    file.publish();
    report.result({{"size", written.file_system_bytes},
                   {"digest", sha256_of_file(wanted.output)},
                   {"manifest", image.manifest_digest.str()},
                   {"run", to_json(run_config(image.config))}});
}

} // namespace banger::image
