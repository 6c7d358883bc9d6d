#include "daemon/image/registration.hpp"

#include "base/sha256.hpp"

#include <nlohmann/json.hpp>

namespace banger::image {

std::string Registry::Registration::means_of(const RegisterRequest &request, Keep keep) {
    return (keep == Keep::Copy ? "a copy of " : "") + request.file.string();
}

Registry::Registration::Registration(Registry &registry, RegisterRequest request, Keep keep,
                                     std::shared_ptr<job::Job> job)
    : WorkerMaking(registry, request.name, means_of(request, keep), std::move(job)),
      request_(std::move(request)), keep_(keep) {}

std::string Registry::Registration::stage() const {
    return (keep_ == Keep::Copy ? "copying " : "reading ") + request_.file.string();
}

std::vector<std::string> Registry::Registration::arguments() const {
    std::vector<std::string> arguments{"rootfs-file", "--file", request_.file.string()};
    if (keep_ == Keep::Copy) {
        arguments.insert(arguments.end(), {"--copy", (temporary() / "rootfs.ext4").string()});
    }
    return arguments;
}

void Registry::Registration::take(const nlohmann::json &result) {
    Image image;
    image.source = request_.file.string();
    image.kernel = request_.kernel;
    image.size = result.at("size").get<std::uint64_t>();
    image.digest = result.at("digest").get<std::string>();
    if (keep_ == Keep::InPlace) {
        // Not the same image as one of banger's own with that content: this one can be taken away.
        image.digest = sha256_of(image.digest + "\n" + request_.file.string());
        image.registered = {request_.file, file_identity_from(result.at("identity"))};
    }
    publish(std::move(image));
}

} // namespace banger::image
