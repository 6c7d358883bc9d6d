#pragma once

#include "daemon/vm/vm_manager.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace banger::vm {

/// The user's systemd, as far as VMs see it.
class FakeUnits final : public UnitManager {
public:
    explicit FakeUnits(EventLoop &loop) : loop_(loop) {}

    /// What the unit's main process does after a start; it ends the start by up() or down().
    std::function<void(const VmName &)> main_process = [this](const VmName &name) { up(name); };
    std::set<VmName> dropins; ///< units with settings of their own
    std::map<VmName, UnitLimits> limits;
    std::map<VmName, UnitStatus> units;

    void up(const VmName &name) { set(name, {"active", "running", "success", 42}); }
    void down(const VmName &name, const std::string &result = "success") {
        set(name, {result == "success" ? "inactive" : "failed", "dead", result, 0});
    }
    /// `systemctl --user start`, not through banger.
    void systemctl_start(const VmName &name) {
        set(name, {"activating", "start", "success", 42});
        main_process(name);
    }

    void observe(std::function<void(const VmName &, const UnitStatus &)> observer) override {
        observer_ = std::move(observer);
    }
    void watch(const VmName &name) override { watched.insert(name); }
    void unwatch(const VmName &name) override { watched.erase(name); }
    void start(const VmName &name, Callback<void> done) override {
        if (units[name].active == "active") {
            later([done] { done({}); });
            return;
        }
        starts_[name] = std::move(done);
        later([this, name] { systemctl_start(name); });
    }
    void stop(const VmName &name, Callback<void> done) override {
        later([this, name, done] {
            if (units[name].active != "failed") {
                down(name);
            }
            done({});
        });
    }
    void kill(const VmName &name, int, Callback<void> done) override {
        later([this, name, done] {
            if (units[name].active != "inactive") {
                down(name, "signal");
            }
            done({});
        });
    }
    void reset_failed(const VmName &name, Callback<void> done) override {
        later([this, name, done] {
            if (units[name].active == "failed") {
                down(name);
            }
            done({});
        });
    }
    void set_limits(const VmName &name, const UnitLimits &wanted, Callback<void> done) override {
        dropins.insert(name);
        limits[name] = wanted;
        later([done] { done({}); });
    }
    void forget(const VmName &name, Callback<void> done) override {
        dropins.erase(name);
        later([done] { done({}); });
    }
    void status(const VmName &name, Callback<UnitStatus> done) override {
        later([this, name, done] { done(units[name]); });
    }
    void list(Callback<std::map<VmName, UnitStatus>> done) override {
        later([this, done] { done(units); });
    }

    std::set<VmName> watched;

private:
    void set(const VmName &name, const UnitStatus &status) {
        units[name] = status;
        if (observer_ && watched.contains(name)) {
            observer_(name, status);
        }
        const auto waiting = starts_.find(name);
        if (waiting == starts_.end() || status.active == "activating") {
            return;
        }
        const auto done = std::move(waiting->second);
        starts_.erase(waiting);
        if (status.active == "active") {
            done({});
        } else {
            done(Error(ErrorCode::VmmFailed, "systemd's job ended with 'failed'"));
        }
    }
    void later(std::function<void()> work) {
        sources_.push_back(loop_.add_deferred(std::move(work)));
    }

    EventLoop &loop_;
    std::function<void(const VmName &, const UnitStatus &)> observer_;
    std::map<VmName, Callback<void>> starts_;
    std::vector<EventSource> sources_;
};

/// banger-network-helper.
class FakeNetwork final : public net::NetworkHelper {
public:
    explicit FakeNetwork(EventLoop &loop) : loop_(loop) {}

    net::Authorization authorization = net::Authorization::Yes;
    std::optional<Error> refusal;            ///< of whatever makes something
    std::map<std::string, std::string> taps; ///< name to address
    std::set<std::string> nat;

    void ensure_network(bool, Callback<net::Network> done) override {
        answer<net::Network>(std::move(done), {"bngr0", Ipv4::parse("172.16.0.1"), 24, "vm"});
    }
    void create_tap(const Ipv4 &address, bool, bool, Callback<net::Tap> done) override {
        const std::string name = "bngr0-" + std::to_string(address.octets[3]);
        if (!refusal) {
            taps[name] = address.str();
        }
        answer<net::Tap>(std::move(done), {name, "06:00:ac:10:00:02"});
    }
    void release_tap(const std::string &tap, Callback<void> done) override {
        taps.erase(tap);
        nat.erase(tap);
        later([done] { done({}); });
    }
    void set_nat(const std::string &tap, bool on, bool, Callback<void> done) override {
        on ? static_cast<void>(nat.insert(tap)) : static_cast<void>(nat.erase(tap));
        later([done] { done({}); });
    }
    void open_dns_sockets(bool, Callback<net::DnsSockets> done) override {
        later([done] { done(Error(ErrorCode::NetworkUnavailable, "none here")); });
    }
    void describe(Callback<net::NetworkState> done) override {
        net::NetworkState state;
        for (const auto &[name, address] : taps) {
            state.taps.push_back({name, Ipv4::parse(address), "", false});
        }
        later([done, state] { done(state); });
    }
    void check_authorization(Callback<net::Authorization> done) override {
        later([done, this] { done(authorization); });
    }
    void remove_all(Callback<void> done) override {
        taps.clear();
        later([done] { done({}); });
    }

private:
    template <typename T>
    void answer(Callback<T> done, T value) {
        later([this, done, value] {
            if (refusal) {
                done(*refusal);
            } else {
                done(value);
            }
        });
    }
    void later(std::function<void()> work) {
        sources_.push_back(loop_.add_deferred(std::move(work)));
    }

    EventLoop &loop_;
    std::vector<EventSource> sources_;
};

/// Images and kernels: "debian-bookworm" and "debian" can be made.
class FakeArtifacts final : public Artifacts {
public:
    FakeArtifacts(EventLoop &loop, job::JobTable &jobs) : loop_(loop), jobs_(jobs) {}

    bool image_there = true;
    bool kernel_there = true;
    std::shared_ptr<job::Job> build; ///< the last one that was asked for

    std::string kernel_of_image = "debian";

    image::Image the_image() const {
        image::Image image;
        image.name = "debian-bookworm";
        image.digest = "d1";
        image.kernel = kernel_of_image;
        image.directory = "/images/d1";
        return image;
    }
    kernel::Kernel kernel_shape; ///< what is particular of the kernel

    kernel::Kernel the_kernel() const {
        kernel::Kernel kernel = kernel_shape;
        kernel.name = "debian-6.1";
        kernel.directory = "/kernels/debian-6.1";
        return kernel;
    }

    std::optional<image::Image> find_image(std::string_view name) const override {
        return image_there && name == "debian-bookworm" ? std::optional(the_image()) : std::nullopt;
    }
    std::optional<image::Image> find_image_digest(std::string_view digest) const override {
        return image_there && digest == "d1" ? std::optional(the_image()) : std::nullopt;
    }
    std::string check_image(std::string_view wanted) const override {
        if (wanted != "debian-bookworm") {
            fail(ErrorCode::NotFound, "there is no image '{}'", wanted);
        }
        return "debian-bookworm";
    }
    std::shared_ptr<job::Job> make_image(std::string_view name) override {
        build = jobs_.add("build-image", std::string(name));
        build->on_cancel(
            [this] { build->failed(Error(ErrorCode::Cancelled, "the build was cancelled")); });
        build->stage("downloading packages", 0);
        return build;
    }
    std::optional<kernel::Kernel> find_kernel(std::string_view name) const override {
        return kernel_there && (name == "debian" || name == "debian-6.1")
                   ? std::optional(the_kernel())
                   : std::nullopt;
    }
    void check_kernel(std::string_view name) const override {
        if (name != "debian" && name != "debian-6.1") {
            fail(ErrorCode::NotFound, "there is no kernel '{}'", name);
        }
    }
    std::shared_ptr<job::Job> pull_kernel(std::string_view name) override {
        auto job = jobs_.add("pull-kernel", std::string(name));
        kernel_there = true;
        job->done();
        return job;
    }
    void initramfs(const kernel::Kernel &,
                   std::function<void(Outcome<std::filesystem::path>)> done) override {
        sources_.push_back(loop_.add_deferred(
            [done] { done(std::filesystem::path("/kernels/initramfs/1.cpio")); }));
    }
    void collect_garbage() override {}

private:
    EventLoop &loop_;
    job::JobTable &jobs_;
    std::vector<EventSource> sources_;
};

} // namespace banger::vm
