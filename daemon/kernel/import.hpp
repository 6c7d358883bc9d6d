#pragma once

#include "daemon/kernel/work.hpp"

namespace banger::kernel {

/// One import: banger-image-worker reads and writes, then the kernel is published.
class Registry::Import final : public Registry::Work {
public:
    static std::string key_of(const std::string &name) { return "import " + name; }

    Import(Registry &registry, ImportRequest request, std::shared_ptr<job::Job> job);

    const ImportRequest &request() const noexcept { return request_; }

private:
    void first_step() override;
    void publish(const nlohmann::json &findings);

    ImportRequest request_;
};

} // namespace banger::kernel
