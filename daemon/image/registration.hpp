#pragma once

#include "daemon/image/making.hpp"
#include "daemon/task/worker_task.hpp"

#include <nlohmann/json_fwd.hpp>

#include <memory>

namespace banger::image {

/// A root file system that somebody else made becomes an image: used where it is, or copied in.
class Registry::Registration final : public Making,
                                     public std::enable_shared_from_this<Registration> {
public:
    enum class Keep { InPlace, Copy };

    Registration(Registry &registry, RegisterRequest request, Keep keep,
                 std::shared_ptr<job::Job> job);
    ~Registration() override;

    void start() override;

    /// As Making has it.
    static std::string means_of(const RegisterRequest &request, Keep keep);

private:
    void run_worker();
    void worker_ended(Outcome<nlohmann::json> result);
    void publish(const nlohmann::json &result);
    void conclude(std::optional<Error> error);

    RegisterRequest request_;
    Keep keep_;
    std::filesystem::path temporary_; ///< in the registry: what will be published
    std::unique_ptr<task::WorkerTask> worker_;
};

} // namespace banger::image
