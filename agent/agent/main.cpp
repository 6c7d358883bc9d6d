// banger-vsock-agent: answers the host from inside the guest.
//
//   banger-vsock-agent --init systemd|other|agent --boot-generation N --notify-fd FD
//   banger-vsock-agent --notify login-ready      run by a unit of ours
//   banger-shutdown poweroff|reboot|halt|kexec   run by systemd-shutdown(8)

#include "agent/agent/api.hpp"
#include "agent/agent/log.hpp"
#include "agent/agent/loop.hpp"
#include "agent/agent/notify.hpp"
#include "agent/agent/readiness.hpp"
#include "agent/agent/transport.hpp"
#include "base/error.hpp"

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <memory>
#include <string>
#include <vector>

namespace banger::agent {
namespace {

struct Options {
    Init init = Init::Other;
    std::uint64_t boot_generation = 0;
    UniqueFd notify_socket;
};

Options parse(const std::vector<std::string> &arguments) {
    Options options;
    for (std::size_t i = 0; i + 1 < arguments.size(); i += 2) {
        const std::string &name = arguments[i];
        const std::string &value = arguments[i + 1];
        if (name == "--init") {
            options.init = init_from(value);
        } else if (name == "--boot-generation") {
            options.boot_generation = std::strtoull(value.c_str(), nullptr, 10);
        } else if (name == "--notify-fd") {
            options.notify_socket.reset(std::atoi(value.c_str()));
        } else {
            fail(ErrorCode::InvalidArgument, "there is no option {}", name);
        }
    }
    return options;
}

void protect_from_oom() noexcept {
    const UniqueFd fd{::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC)};
    if (fd) {
        [[maybe_unused]] const ssize_t ignored = ::write(fd.get(), "-1000", 5);
    }
}

UniqueFd take_signals() {
    ::signal(SIGPIPE, SIG_IGN);
    sigset_t set;
    ::sigemptyset(&set);
    // SIGTERM and SIGHUP are for the guest's init to send to everybody; the agent stays.
    for (const int number : {SIGCHLD, SIGTERM, SIGHUP, SIGINT}) {
        ::sigaddset(&set, number);
    }
    ::sigprocmask(SIG_BLOCK, &set, nullptr);
    UniqueFd fd{::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)};
    if (!fd) {
        throw_errno("make a signal descriptor");
    }
    return fd;
}

void on_notification(const NotifyListener::Message &message, Api &api,
                     channel::ChannelServer &server) {
    using Kind = channel::Event::Kind;
    if (message.name == "READY" && message.value == "1") {
        api.events().tell({Kind::BootFinished, {}});
    } else if (message.name == "STATUS") {
        api.events().tell({Kind::Status, message.value});
    } else if (message.name == "STOPPING") {
        // The guest ends by its own decision: what the host started in it ends with it.
        api.execs().close();
        api.execs().ask_all_to_end();
    } else if (message.name == "BANGER" && message.value == "login-ready") {
        api.events().tell({Kind::LoginReady, {}});
        message.acknowledge();
    } else if (message.name == "SHUTDOWN") {
        api.events().tell({Kind::Shutdown, message.value == "kexec" ? "reboot" : message.value});
        server.ping(message.acknowledge);
    }
}

[[noreturn]] void serve(Options options) {
    const UniqueFd signals = take_signals();
    protect_from_oom();
    Loop loop;
    Api api(loop, options.init, options.boot_generation);
    channel::ChannelServer server(
        {[&](const channel::Request &request, const channel::Stream &stream) {
             api.request(request, stream);
         },
         nullptr, [](const std::string &why) { log("the channel's session ended: " + why); },
         nullptr});
    Transport transport(loop, server);
    loop.before_wait([&] { transport.flush(); });
    [[maybe_unused]] const Loop::Watch signal_watch =
        loop.watch(signals.get(), EPOLLIN, [&](std::uint32_t) {
            signalfd_siginfo info{};
            while (::read(signals.get(), &info, sizeof(info)) > 0) {
            }
            loop.reap();
        });
    std::unique_ptr<NotifyListener> notifications;
    if (options.notify_socket) {
        notifications = std::make_unique<NotifyListener>(
            loop, std::move(options.notify_socket),
            [&](const NotifyListener::Message &message) { on_notification(message, api, server); });
    }
    std::unique_ptr<LoginWatch> login_watch;
    if (options.init != Init::Systemd) {
        login_watch = std::make_unique<LoginWatch>(loop, api.events(), options.init == Init::Other);
    }
    loop.run();
}

int run(int argc, char **argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    if (arguments.size() == 1) {
        return run_shutdown_hook(arguments.front());
    }
    if (arguments == std::vector<std::string>{"--notify", "login-ready"}) {
        return tell_login_ready();
    }
    serve(parse(arguments));
}

} // namespace
} // namespace banger::agent

int main(int argc, char **argv) {
    try {
        return banger::agent::run(argc, argv);
    } catch (const std::exception &error) {
        banger::agent::log(error.what());
        return 1;
    }
}
