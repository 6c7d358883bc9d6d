// A VMM without a machine: takes QEMU's arguments, makes QEMU's sockets in its directory, and plays
// the guest's agent on the channel. An exec's argv[0] is one of a few verbs, see run().

#include "agent/channel/messages.hpp"
#include "agent/channel/server.hpp"
#include "base/error.hpp"
#include "base/event_loop.hpp"
#include "base/files.hpp"
#include "base/unique_fd.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace {

using namespace banger;
using channel::Bytes;
using channel::Pulled;
using channel::Stream;
using channel::StreamCallbacks;

UniqueFd listen_here(const char *name) {
    UniqueFd fd{::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, name, sizeof address.sun_path - 1);
    if (::bind(fd.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) != 0 ||
        ::listen(fd.get(), 1) != 0) {
        throw_errno("listen");
    }
    return fd;
}

/// One program of the guest, as the verbs have it.
struct Exec {
    bool has_spec = false;
    channel::ExecSpec spec;
    Stream control;
    Stream input;
    Stream output;
    Stream error;
    channel::LineSplitter lines;
    std::string kept; ///< of "cat": read and not written yet
    bool input_ended = false;
    std::uint64_t left = 0; ///< of "bytes"

    bool complete() const {
        return has_spec && (!spec.attach_stdin || input) && (!spec.attach_stdout || output) &&
               (!spec.attach_stderr || error);
    }
};

class Guest {
public:
    explicit Guest(EventLoop &loop)
        : loop_(loop), listener_(listen_here("channel.sock")), sign_(listen_here("qmp.sock")),
          server_({.on_request = [this](const channel::Request &request,
                                        const Stream &stream) { on_request(request, stream); },
                   .on_connected = {},
                   .on_lost = {},
                   .on_output =
                       [this] {
                           if (connection_) {
                               io_.set_events(EPOLLIN | EPOLLOUT);
                           }
                       }}) {
        accept_ = loop_.add_io(listener_.get(), EPOLLIN, [this](std::uint32_t) {
            connection_ = UniqueFd{
                ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)};
            server_.restart();
            io_ = loop_.add_io(connection_.get(), EPOLLIN, [this](std::uint32_t) { pump(); });
        });
    }

private:
    void pump() {
        std::array<std::byte, 65536> buffer{};
        const ssize_t n = ::read(connection_.get(), buffer.data(), buffer.size());
        if (n > 0) {
            server_.receive(Bytes(buffer).first(static_cast<std::size_t>(n)));
        } else if (n == 0) {
            loop_.exit(3);
            return;
        }
        for (;;) {
            const Bytes data = server_.output();
            if (data.empty()) {
                io_.set_events(EPOLLIN);
                break;
            }
            const ssize_t written =
                ::send(connection_.get(), data.data(), data.size(), MSG_NOSIGNAL);
            if (written < 0) {
                io_.set_events(EPOLLIN | EPOLLOUT);
                break;
            }
            server_.sent(static_cast<std::size_t>(written));
        }
        if (ending_ && server_.output().empty()) {
            end_by(*ending_);
        }
    }

    [[noreturn]] static void end_by(const std::string &how) {
        std::fflush(stdout);
        if (how == "crash") {
            std::abort();
        }
        ::_exit(0);
    }

    void tell(const channel::Event &event) {
        told_.push_back(channel::to_json(event) + "\n");
        if (events_) {
            events_.write(told_.back());
        }
    }

    void on_request(const channel::Request &request, const Stream &stream) {
        if (request.path == "/v1/hello") {
            stream.respond(200);
            channel::Hello hello;
            hello.agent_version = "test";
            hello.init = "agent";
            stream.write(channel::to_json(hello));
            stream.end();
        } else if (request.path == "/v1/events") {
            events_ = stream;
            stream.respond(200);
            tell({.kind = channel::Event::Kind::LoginReady, .text = {}});
            tell({.kind = channel::Event::Kind::BootFinished, .text = {}});
        } else if (request.path == "/v1/shutdown") {
            answer(stream, "{}");
            if (!deaf_) {
                ending_ = "stop";
            }
        } else if (request.path == "/v1/identity") {
            collect(stream, [stream](const std::string &) { answer(stream, "{}"); });
        } else if (request.path == "/v1/files") {
            collect(stream, [stream](const std::string &body) {
                answer(stream, nlohmann::json{{"entries", 1}, {"bytes", body.size()}}.dump());
            });
        } else if (request.path == "/v1/streams") {
            if (channel::header(request.headers, "banger-target") != "tcp:7") {
                fail(ErrorCode::NotFound, "nothing listens there");
            }
            stream.respond(200);
            auto exec = std::make_shared<Exec>();
            echo(stream, stream, exec, [] {});
        } else if (request.path.rfind("/v1/execs/", 0) == 0) {
            on_exec(request, stream);
        } else {
            fail(ErrorCode::NotFound, "no such resource");
        }
    }

    static void answer(const Stream &stream, const std::string &body) {
        stream.respond(200);
        stream.write(body);
        stream.end();
    }

    static void collect(const Stream &stream, std::function<void(const std::string &)> done) {
        auto body = std::make_shared<std::string>();
        StreamCallbacks callbacks;
        callbacks.on_data = [body](Bytes data) {
            *body += channel::as_text(data);
            return data.size();
        };
        callbacks.on_end = [body, done = std::move(done)] { done(*body); };
        stream.set_callbacks(std::move(callbacks));
    }

    /// What comes in on `from` goes out on `to`; 64 KiB are kept in between.
    static void echo(const Stream &from, const Stream &to, const std::shared_ptr<Exec> &exec,
                     std::function<void()> done) {
        StreamCallbacks in;
        in.on_data = [exec, to](Bytes data) {
            const std::size_t room = 65536 - std::min<std::size_t>(65536, exec->kept.size());
            const std::size_t n = std::min(room, data.size());
            exec->kept += channel::as_text(data.first(n));
            to.resume_sending();
            return n;
        };
        in.on_end = [exec, to] {
            exec->input_ended = true;
            to.resume_sending();
        };
        const auto pull = [exec, from, done = std::move(done)](std::span<std::byte> buffer) {
            const std::size_t n = std::min(buffer.size(), exec->kept.size());
            std::memcpy(buffer.data(), exec->kept.data(), n);
            exec->kept.erase(0, n);
            from.resume_reading();
            const bool end = exec->kept.empty() && exec->input_ended;
            if (end) {
                done();
            }
            return Pulled{.bytes = n, .end = end};
        };
        if (&from == &to) {
            in.on_pull = pull;
            from.set_callbacks(std::move(in));
            return;
        }
        StreamCallbacks out;
        out.on_pull = pull;
        to.set_callbacks(std::move(out));
        from.set_callbacks(std::move(in));
    }

    void on_exec(const channel::Request &request, const Stream &stream) {
        const std::string rest = request.path.substr(std::strlen("/v1/execs/"));
        const auto slash = rest.find('/');
        auto &exec = execs_[rest.substr(0, slash)];
        if (!exec) {
            exec = std::make_shared<Exec>();
        }
        stream.respond(200);
        if (slash == std::string::npos) {
            exec->control = stream;
            StreamCallbacks callbacks;
            callbacks.on_data = [this, e = exec.get()](Bytes data) {
                e->lines.feed(channel::as_text(data),
                              [&](std::string_view line) { on_line(*e, line); });
                return data.size();
            };
            callbacks.on_close = [](channel::CloseReason reason) {
                if (reason == channel::CloseReason::Reset) {
                    std::puts("guest: hang-up");
                    std::fflush(stdout);
                }
            };
            stream.set_callbacks(std::move(callbacks));
            return;
        }
        const std::string which = rest.substr(slash + 1);
        (which == "stdin" ? exec->input : (which == "stdout" ? exec->output : exec->error)) =
            stream;
        run_when_complete(exec);
    }

    void on_line(Exec &exec, std::string_view line) {
        if (!exec.has_spec) {
            exec.has_spec = true;
            exec.spec = channel::parse_exec_spec(line);
            for (const auto &[id, candidate] : execs_) {
                if (candidate.get() == &exec) {
                    run_when_complete(candidate);
                }
            }
            return;
        }
        const channel::ExecControl control = channel::parse_exec_control(line);
        if (const auto *signal = std::get_if<channel::SignalRequest>(&control)) {
            report(exec, channel::ExecSignalled{.name = signal->name, .core = false});
            finish(exec);
        }
    }

    static void report(const Exec &exec, const channel::ExecReport &what) {
        exec.control.write(channel::to_json(what) + "\n");
    }
    static void finish(const Exec &exec) {
        exec.output.end();
        exec.error.end();
        exec.control.end();
    }

    void run_when_complete(const std::shared_ptr<Exec> &exec) {
        if (exec->complete()) {
            report(*exec, channel::ExecStarted{.pid = 42});
            run(exec);
        }
    }

    void run(const std::shared_ptr<Exec> &exec) {
        const auto &argv = exec->spec.argv;
        const std::string &verb = argv.at(0);
        if (verb == "exit") {
            report(*exec, channel::ExecExited{.code = std::stoi(argv.at(1))});
            finish(*exec);
        } else if (verb == "say") { // argv[1] to standard output, argv[2] to standard error
            exec->output.write(argv.at(1));
            exec->error.write(argv.at(2));
            report(*exec, channel::ExecExited{.code = 0});
            finish(*exec);
        } else if (verb == "bytes") {
            exec->left = std::stoull(argv.at(1));
            StreamCallbacks callbacks;
            callbacks.on_pull = [exec](std::span<std::byte> buffer) {
                const auto n = std::min<std::uint64_t>(buffer.size(), exec->left);
                std::memset(buffer.data(), 'x', n);
                exec->left -= n;
                if (exec->left == 0) {
                    report(*exec, channel::ExecExited{.code = 0});
                    exec->control.end();
                }
                return Pulled{.bytes = n, .end = exec->left == 0};
            };
            exec->output.set_callbacks(std::move(callbacks));
            exec->output.resume_sending();
            exec->error.end();
        } else if (verb == "cat") {
            echo(exec->input, exec->output, exec, [exec] {
                report(*exec, channel::ExecExited{.code = 0});
                exec->control.end();
            });
            exec->error.end();
        } else if (verb == "end") { // poweroff, halt, reboot: announced; panic, crash: not
            const std::string &how = argv.at(1);
            if (how == "poweroff" || how == "halt" || how == "reboot") {
                tell({.kind = channel::Event::Kind::Shutdown, .text = how});
            }
            ending_ = how;
        } else if (verb == "deaf") { // to the wish to shut down
            deaf_ = true;
            report(*exec, channel::ExecExited{.code = 0});
            finish(*exec);
        } else if (verb != "wait") {
            report(*exec, Error(ErrorCode::NotFound, "no program " + verb));
            finish(*exec);
        }
    }

    EventLoop &loop_;
    UniqueFd listener_;
    UniqueFd sign_;
    UniqueFd connection_;
    EventSource accept_;
    EventSource io_;
    channel::ChannelServer server_;
    Stream events_;
    std::vector<std::string> told_;
    std::map<std::string, std::shared_ptr<Exec>> execs_;
    std::optional<std::string> ending_;
    bool deaf_ = false;
};

} // namespace

int main() {
    try {
        EventLoop loop;
        const Guest guest(loop);
        std::puts("guest: booted");
        std::fflush(stdout);
        return loop.run();
    } catch (const std::exception &e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
}
