#include "cli/artifacts.hpp"

#include <algorithm>
#include <filesystem>

namespace banger::cli {
namespace {

/// Also by what means the newest of a suite.
bool has_kernel(Client &client, const std::string &name) {
    try {
        client.call<sdbus::ObjectPath>(sdbus::ObjectPath{names::manager_path}, names::manager,
                                       "GetKernel", name);
        return true;
    } catch (const Error &error) {
        if (error.code() == ErrorCode::NotFound) {
            return false;
        }
        throw;
    }
}

} // namespace

std::vector<Artifact> list_artifacts(const ManagedObjects &objects, const char *interface) {
    std::vector<Artifact> artifacts;
    for (const auto &[path, interfaces] : objects) {
        const auto found = interfaces.find(interface);
        if (found == interfaces.end()) {
            continue;
        }
        const Properties &p = found->second;
        artifacts.push_back({property<std::string>(p, "Name"), property<std::string>(p, "Digest"),
                             property<std::string>(p, "Source"),
                             property<std::uint64_t>(p, "SizeBytes"),
                             property<std::uint64_t>(p, "CreatedAt")});
    }
    std::sort(artifacts.begin(), artifacts.end(),
              [](const Artifact &a, const Artifact &b) { return a.name < b.name; });
    return artifacts;
}

bool is_there(const ManagedObjects &objects, const char *interface, const std::string &name) {
    const auto artifacts = list_artifacts(objects, interface);
    return std::any_of(artifacts.begin(), artifacts.end(),
                       [&](const Artifact &artifact) { return artifact.name == name; });
}

bool is_container_image(const ManagedObjects &objects, const std::string &name) {
    return std::any_of(objects.begin(), objects.end(), [&](const auto &object) {
        const auto image = object.second.find(names::image);
        if (image == object.second.end() || property<std::string>(image->second, "Name") != name) {
            return false;
        }
        using Words = std::vector<std::string>;
        return !property<Words>(image->second, "Entrypoint").empty() ||
               !property<Words>(image->second, "Command").empty();
    });
}

std::string with_absolute_path(const std::string &reference) {
    for (const std::string_view kind : {"oci:", "docker-archive:"}) {
        if (reference.starts_with(kind)) {
            return std::string(kind) +
                   std::filesystem::absolute(reference.substr(kind.size())).string();
        }
    }
    return reference;
}

std::string pull_missing(Client &client, Jobs &jobs, const ManagedObjects &objects,
                         const std::string &image, const std::string &kernel) {
    const sdbus::ObjectPath manager{names::manager_path};
    std::string name = image;
    if (!is_there(objects, names::image, image)) {
        const Properties options{{"missing", sdbus::Variant{true}}};
        const auto job =
            client.call<sdbus::ObjectPath>(manager, names::manager, "PullImage", image, options);
        name = jobs.finish(job, "image " + image, OnInterrupt::Cancel);
    }
    if (kernel.empty() ? list_artifacts(objects, names::kernel).empty()
                       : !has_kernel(client, kernel)) {
        const auto job = client.call<sdbus::ObjectPath>(manager, names::manager, "PullKernel",
                                                        kernel, Properties{});
        jobs.finish(job, kernel.empty() ? "kernel" : "kernel " + kernel, OnInterrupt::Cancel);
    }
    return name;
}

} // namespace banger::cli
