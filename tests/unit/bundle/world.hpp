#pragma once

#include "base/event_loop.hpp"
#include "daemon/catalog/parse.hpp"
#include "daemon/distribution/bundle_export.hpp"
#include "daemon/job/job_table.hpp"
#include "tests/unit/bundle/test_server.hpp"
#include "tests/unit/ext4/read_back.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace banger::test {

/// Somebody who publishes, a web server, and somebody who pulls; by the real worker.
class World {
public:
    World();

    /// An image of the publisher's, with a file of random bytes and one of zeros.
    image::Image put_image(const std::string &name);
    /// A kernel of the publisher's.
    kernel::Kernel put_kernel(const std::string &name);
    /// Writes the bundle into published().
    job::Snapshot export_image(const std::string &name, const std::string &file,
                               bool replace = false);
    job::Snapshot export_kernel(const std::string &name, const std::string &file);
    std::filesystem::path published(const std::string &file) const {
        return directory_ / "published" / file;
    }
    /// The bundle as an entry of images or kernels; `change` is merged into its "bundle".
    nlohmann::json entry(const std::string &name, const std::string &file,
                         const nlohmann::json &change = nlohmann::json::object()) const;
    void serve(std::vector<std::string> options = {});
    /// What the puller's catalog is, as if it came from the server.
    void set_catalog(std::vector<nlohmann::json> images, std::vector<nlohmann::json> kernels = {});

    job::Snapshot end_of(const std::shared_ptr<job::Job> &job);
    /// Runs the loop until it holds, for some seconds at most.
    bool eventually(const std::function<bool()> &holds);
    /// Files that lie in the puller's registries and belong to nothing.
    std::vector<std::string> leftovers() const;

    TemporaryDirectory directory_;
    EventLoop loop_;
    job::JobTable jobs_{loop_};
    std::optional<TestServer> server_;
    catalog::Part part_;
    distribution::JobWorkers workers_;
    std::unique_ptr<image::Registry> publishers_images_;
    std::unique_ptr<kernel::Registry> publishers_kernels_;
    std::unique_ptr<image::Registry> images_;
    std::unique_ptr<kernel::Registry> kernels_;

private:
    distribution::JobFactory factory();
    std::unique_ptr<image::Registry> open_images(const std::string &directory);
    std::unique_ptr<kernel::Registry> open_kernels(const std::string &directory);
};

} // namespace banger::test
