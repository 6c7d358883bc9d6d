#include "daemon/bus/vm_adaptor.hpp"

#include "daemon/bus/descriptors.hpp"
#include "daemon/bus/object_paths.hpp"
#include "dbus/guard.hpp"

#include <array>
#include <utility>

namespace banger::bus {
namespace {

constexpr const char *interface = "org.banger.VM";

vm::ExecRequest exec_request(std::vector<std::string> argv, const Options &options) {
    OptionsReader reader(options);
    vm::ExecRequest request;
    request.argv = std::move(argv);
    request.env = reader.take<std::vector<std::string>>("env").value_or(std::vector<std::string>{});
    request.entrypoint = reader.take<bool>("entrypoint").value_or(false);
    request.cwd = reader.take<std::string>("cwd").value_or("");
    request.user = reader.take<std::string>("user").value_or("");
    const bool tty = reader.take<bool>("tty").value_or(false);
    vm::Terminal terminal;
    terminal.term = reader.take<std::string>("term").value_or("");
    terminal.rows = reader.take<std::uint16_t>("rows").value_or(terminal.rows);
    terminal.cols = reader.take<std::uint16_t>("cols").value_or(terminal.cols);
    if (tty) {
        request.tty = terminal;
    }
    request.detach = reader.take<bool>("detach").value_or(false);
    const auto take_fd = [&](const char *key, UniqueFd &target) {
        if (const auto fd = reader.take<sdbus::UnixFd>(key)) {
            target = own(*fd);
        }
    };
    take_fd("stdin", request.standard_input);
    take_fd("stdout", request.standard_output);
    take_fd("stderr", request.standard_error);
    reader.finish();
    for (const auto &entry : request.env) {
        if (entry.find('=') == std::string::npos || entry.front() == '=') {
            fail(ErrorCode::InvalidArgument, "the option 'env' has '{}': write NAME=VALUE", entry);
        }
    }
    return request;
}

std::string stream_target(const Options &options) {
    OptionsReader reader(options);
    const auto tcp = reader.take<std::uint16_t>("tcp");
    const auto unix_path = reader.take<std::string>("unix");
    reader.finish();
    if (tcp.has_value() == unix_path.has_value()) {
        fail(ErrorCode::InvalidArgument, "exactly one of the options 'tcp' and 'unix' is needed");
    }
    if (tcp) {
        if (*tcp == 0) {
            fail(ErrorCode::InvalidArgument, "the option 'tcp' cannot be 0: use a port");
        }
        return fmt::format("tcp:{}", *tcp);
    }
    if (!unix_path->starts_with('/')) {
        fail(ErrorCode::InvalidArgument, "the option 'unix' must be an absolute path, not '{}'",
             *unix_path);
    }
    return fmt::format("unix:{}", *unix_path);
}

auto answer_with_fd(const Reply<sdbus::UnixFd> &reply) {
    return [reply](Outcome<UniqueFd> outcome) {
        if (outcome) {
            reply(give(std::move(outcome.value())));
        } else {
            reply.fail(outcome.error());
        }
    };
}

} // namespace

bool take_force(const Options &options) {
    OptionsReader reader(options);
    const bool force = reader.take<bool>("force").value_or(false);
    reader.finish();
    return force;
}

VmAdaptor::VmAdaptor(sdbus::IConnection &bus, DomainAccess domain, vm::View view)
    : AdaptorInterfaces(bus, vm_path(view.name)), domain_(std::move(domain)),
      view_(std::move(view)) {
    registerAdaptor();
    emitInterfacesAddedSignal();
}

VmAdaptor::~VmAdaptor() {
    emitInterfacesRemovedSignal();
    unregisterAdaptor();
}

void VmAdaptor::update(vm::View view) {
    const vm::View old = std::exchange(view_, std::move(view));
    std::vector<PropertyName> changed;
    const auto compare = [&](const char *name, bool differs) {
        if (differs) {
            changed.emplace_back(name);
        }
    };
    compare("State", old.state != view_.state);
    compare("LoginReady", old.login_ready != view_.login_ready);
    compare("BootFinished", old.boot_finished != view_.boot_finished);
    compare("BootStatus", old.boot_status != view_.boot_status);
    compare("Image", old.image != view_.image);
    compare("ImageDigest", old.image_digest != view_.image_digest);
    compare("Kernel", old.kernel != view_.kernel);
    compare("IPAddress", old.ip_address != view_.ip_address);
    compare("HostName", old.host_name != view_.host_name);
    compare("VCPUs", old.vcpus != view_.vcpus);
    compare("MemoryMiB", old.memory_mib != view_.memory_mib);
    compare("DiskBytes", old.disk_bytes != view_.disk_bytes);
    compare("OverlayBytes", old.overlay_bytes != view_.overlay_bytes);
    compare("NAT", old.nat != view_.nat);
    compare("AllowHost", old.allow_host != view_.allow_host);
    compare("VMM", old.vmm != view_.vmm);
    compare("VMMReason", old.vmm_reason != view_.vmm_reason);
    compare("Workspace", old.workspace != view_.workspace);
    compare("StartedAt", old.started_usec != view_.started_usec);
    compare("LastError",
            old.error_kind != view_.error_kind || old.error_message != view_.error_message);
    compare("BootTimings", old.boot_timings != view_.boot_timings);
    if (!changed.empty()) {
        emitPropertiesChangedSignal(InterfaceName{interface}, changed);
    }
}

sdbus::ObjectPath VmAdaptor::Start(const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader(options).finish();
        return job_path(domain.vms.start(VmName(view_.name))->snapshot().id);
    });
}

sdbus::ObjectPath VmAdaptor::Stop(const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        return job_path(domain.vms.stop(VmName(view_.name), take_force(options))->snapshot().id);
    });
}

sdbus::ObjectPath VmAdaptor::Delete(const Options &options) {
    return guard([&] {
        Domain &domain = domain_();
        OptionsReader(options).finish();
        return job_path(domain.vms.remove(VmName(view_.name))->snapshot().id);
    });
}

void VmAdaptor::Exec(sdbus::Result<sdbus::UnixFd> &&result, std::vector<std::string> argv,
                     Options options) {
    const Reply<sdbus::UnixFd> reply(std::move(result));
    try {
        Domain &domain = domain_();
        domain.vms.exec(VmName(view_.name), exec_request(std::move(argv), options),
                        answer_with_fd(reply));
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void VmAdaptor::OpenStream(sdbus::Result<sdbus::UnixFd> &&result, Options options) {
    const Reply<sdbus::UnixFd> reply(std::move(result));
    try {
        Domain &domain = domain_();
        domain.vms.open_stream(VmName(view_.name), stream_target(options), answer_with_fd(reply));
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

void VmAdaptor::PutFiles(sdbus::Result<std::uint64_t, std::uint64_t> &&result,
                         std::string directory, sdbus::UnixFd archive, Options options) {
    const Reply<std::uint64_t, std::uint64_t> reply(std::move(result));
    try {
        Domain &domain = domain_();
        OptionsReader(options).finish();
        if (!directory.starts_with('/')) {
            fail(ErrorCode::InvalidArgument, "'{}' is not an absolute path", directory);
        }
        domain.vms.put_files(VmName(view_.name), directory, own(archive),
                             [reply](Outcome<vm::PutFilesResult> outcome) {
                                 if (outcome) {
                                     reply(outcome.value().entries, outcome.value().bytes);
                                 } else {
                                     reply.fail(outcome.error());
                                 }
                             });
    } catch (...) {
        reply.fail_with_current_exception();
    }
}

sdbus::Struct<std::string, std::string> VmAdaptor::LastError() {
    return sdbus::make_struct(view_.error_kind, view_.error_message);
}

std::vector<sdbus::Struct<std::string, std::uint64_t>> VmAdaptor::BootTimings() {
    std::vector<sdbus::Struct<std::string, std::uint64_t>> timings;
    for (const auto &[stage, usec] : view_.boot_timings) {
        timings.push_back(sdbus::make_struct(stage, usec));
    }
    return timings;
}

} // namespace banger::bus
