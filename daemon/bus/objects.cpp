#include "daemon/bus/objects.hpp"

namespace banger::bus {

Objects::Objects(sdbus::IConnection &bus, Domain &domain, DomainAccess access)
    : bus_(bus), domain_(domain), access_(std::move(access)) {
    observe_vms();
    observe_artifacts();
}

void Objects::observe_vms() {
    const auto add = [this](const vm::View &view) {
        vms_[view.name] = std::make_shared<VmAdaptor>(bus_, access_, view);
    };
    for (const auto &view : domain_.vms.list()) {
        add(view);
    }
    domain_.vms.observe({add,
                         [this](const vm::View &view) {
                             if (const auto found = vms_.find(view.name); found != vms_.end()) {
                                 found->second->update(view);
                             }
                         },
                         [this](const std::string &name) { remove(vms_, name); },
                         [](const net::Network &) {}});
}

void Objects::observe_artifacts() {
    const auto add_image = [this](const image::Image &image) {
        if (const auto found = images_.find(image.name); found != images_.end()) {
            found->second->update(image);
        } else {
            images_[image.name] = std::make_shared<ImageAdaptor>(bus_, access_, image);
        }
    };
    for (const auto &image : domain_.images.list()) {
        add_image(image);
    }
    domain_.images.observe({add_image, [this](const std::string &name) { remove(images_, name); }});

    const auto add_kernel = [this](const kernel::Kernel &kernel) {
        if (const auto found = kernels_.find(kernel.name); found != kernels_.end()) {
            found->second->update(kernel);
        } else {
            kernels_[kernel.name] = std::make_shared<KernelAdaptor>(bus_, access_, kernel);
        }
    };
    for (const auto &kernel : domain_.kernels.list()) {
        add_kernel(kernel);
    }
    domain_.kernels.observe(
        {add_kernel, [this](const std::string &name) { remove(kernels_, name); }});
}

void Objects::add_job(const std::shared_ptr<job::Job> &job) {
    jobs_[job->snapshot().id] = std::make_shared<JobAdaptor>(domain_.loop, bus_, job);
}

void Objects::change_job(std::uint32_t id) {
    if (const auto found = jobs_.find(id); found != jobs_.end()) {
        found->second->on_change();
    }
}

void Objects::remove_job(std::uint32_t id) {
    remove(jobs_, id);
}

void Objects::bury(std::shared_ptr<void> adaptor) {
    graveyard_.push_back(std::move(adaptor));
    burial_ = domain_.loop.add_deferred([this] { graveyard_.clear(); });
}

} // namespace banger::bus
