#pragma once

#include "daemon/image/worker_making.hpp"

namespace banger::image {

/// A root file system that somebody else made becomes an image: used where it is, or copied in.
class Registry::Registration final : public WorkerMaking {
public:
    enum class Keep { InPlace, Copy };

    Registration(Registry &registry, RegisterRequest request, Keep keep,
                 std::shared_ptr<job::Job> job);

    /// As Making has it.
    static std::string means_of(const RegisterRequest &request, Keep keep);

private:
    std::string stage() const override;
    std::vector<std::string> arguments() const override;
    void take(const nlohmann::json &result) override;

    RegisterRequest request_;
    Keep keep_;
};

} // namespace banger::image
