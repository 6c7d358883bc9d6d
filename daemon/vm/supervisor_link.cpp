#include "daemon/vm/supervisor_link.hpp"

#include "base/log.hpp"
#include "base/packet_socket.hpp"
#include "base/unix_socket.hpp"

#include <nlohmann/json.hpp>
#include <sys/socket.h>

#include <map>

namespace banger::vm {
namespace {

using nlohmann::json;

constexpr int newest_version = 1;

GuestState state_from(const json &packet) {
    GuestState state;
    state.stage = packet.at("stage").get<std::string>();
    state.login_ready = packet.value("login_ready", false);
    state.boot_finished = packet.value("boot_finished", false);
    state.status = packet.value("status", std::string{});
    constexpr std::size_t limit = 64;
    for (const auto &timing : packet.value("timings", json::array())) {
        if (state.timings.size() < limit) {
            state.timings.emplace_back(timing.at(0).get<std::string>(),
                                       timing.at(1).get<std::uint64_t>());
        }
    }
    return state;
}

Error error_from(const json &error) {
    return {error_code_from(error.value("code", std::string{})),
            error.value("message", std::string{"the supervisor gave no reason"})};
}

} // namespace

struct SupervisorLink::Impl : std::enable_shared_from_this<SupervisorLink::Impl> {
    struct Reply {
        json packet;
        UniqueFd fd;
    };
    using Answer = std::function<void(Outcome<Reply>)>;

    Impl(std::string vm_name, Events to) : vm(std::move(vm_name)), events(std::move(to)) {}

    void start(EventLoop &loop, const std::filesystem::path &path) {
        // Weak: a callback of a link that has been dropped does nothing.
        const std::weak_ptr<Impl> self = weak_from_this();
        socket = std::make_unique<PacketSocket>(
            loop, connect_to(path, SOCK_SEQPACKET),
            PacketSocket::Callbacks{.on_packet =
                                        [self](Packet packet) {
                                            if (const auto alive = self.lock()) {
                                                alive->on_packet(packet.text,
                                                                 std::move(packet.descriptors));
                                            }
                                        },
                                    .on_closed =
                                        [self] {
                                            if (const auto alive = self.lock()) {
                                                alive->on_closed();
                                            }
                                        }});
        request({{"op", "subscribe"}}, {}, [](Outcome<Reply> outcome) {
            if (!outcome && outcome.error().code() != ErrorCode::InvalidState) {
                log::warning(fmt::format("a supervisor refused to tell its state: {}",
                                         outcome.error().what()));
            }
        });
    }

    void request(json packet, std::vector<UniqueFd> fds, Answer answer) {
        if (!socket) {
            answer(Error(ErrorCode::InvalidState, closed_message()));
            return;
        }
        const std::uint64_t id = ++last_id;
        packet["id"] = id;
        pending.emplace(id, std::move(answer));
        try {
            socket->send(packet.dump(), std::move(fds));
        } catch (const json::exception &) {
            take(id)(Error(ErrorCode::InvalidArgument, "the request has text that is not UTF-8"));
        } catch (const Error &e) {
            take(id)(e);
        }
    }

    Answer take(std::uint64_t id) {
        auto node = pending.extract(id);
        return node ? std::move(node.mapped()) : Answer([](const Outcome<Reply> &) {});
    }

    std::string closed_message() const {
        return fmt::format("the supervisor of the VM '{}' has gone", vm);
    }

    void on_packet(std::string_view text, std::vector<UniqueFd> fds) {
        try {
            dispatch(json::parse(text), std::move(fds));
        } catch (const json::exception &e) {
            log::warning(fmt::format("the supervisor of '{}' sent a packet that is not understood: "
                                     "{}, ignoring",
                                     vm, e.what()));
        }
    }

    void dispatch(const json &packet, std::vector<UniqueFd> fds) {
        if (packet.contains("hello")) {
            const json &hello = packet.at("hello");
            if (hello.at("version").get<int>() > newest_version) {
                log::info(fmt::format("the supervisor of '{}' is newer than this daemon", vm));
            }
        } else if (packet.contains("event")) {
            if (packet.at("event") == "state") {
                // A copy: the link may be dropped in it, and its events with it.
                const auto notify = events.state;
                notify(state_from(packet));
            }
        } else if (packet.contains("id")) {
            Answer answer = take(packet.at("id").get<std::uint64_t>());
            if (packet.contains("error")) {
                answer(error_from(packet.at("error")));
            } else {
                answer(Reply{packet, fds.empty() ? UniqueFd{} : std::move(fds.front())});
            }
        }
    }

    void on_closed() {
        // Kept alive until the end: `closed` may drop the link.
        const auto self = shared_from_this();
        socket.reset();
        auto unanswered = std::exchange(pending, {});
        for (auto &[id, answer] : unanswered) {
            answer(Error(ErrorCode::InvalidState, closed_message()));
        }
        if (const auto closed = events.closed) {
            closed();
        }
    }

    std::string vm;
    Events events;
    std::unique_ptr<PacketSocket> socket;
    std::uint64_t last_id = 0;
    std::map<std::uint64_t, Answer> pending;
};

SupervisorLink::SupervisorLink(EventLoop &loop, const std::filesystem::path &socket, std::string vm,
                               Events events)
    : impl_(std::make_shared<Impl>(std::move(vm), std::move(events))) {
    impl_->start(loop, socket);
}

SupervisorLink::~SupervisorLink() {
    impl_->events = {[](const GuestState &) {}, {}};
    if (impl_->socket) {
        impl_->on_closed();
    }
}

namespace {

/// Answers with the descriptor that came with the reply.
template <typename Reply>
auto wanting_fd(SupervisorLink::Callback<UniqueFd> done) {
    return [done = std::move(done)](Outcome<Reply> outcome) {
        if (!outcome) {
            done(outcome.error());
        } else if (!outcome.value().fd) {
            done(Error(ErrorCode::Internal, "the supervisor sent no descriptor"));
        } else {
            done(std::move(outcome.value().fd));
        }
    };
}

} // namespace

void SupervisorLink::exec(ExecRequest request, Callback<UniqueFd> done) {
    json streams = json::array();
    std::vector<UniqueFd> fds;
    const auto add = [&](const char *name, UniqueFd &fd) {
        if (fd) {
            streams.push_back(name);
            fds.push_back(std::move(fd));
        }
    };
    add("stdin", request.standard_input);
    add("stdout", request.standard_output);
    add("stderr", request.standard_error);
    json tty;
    if (request.tty) {
        tty = {
            {"rows", request.tty->rows}, {"cols", request.tty->cols}, {"term", request.tty->term}};
    }
    impl_->request({{"op", "exec"},
                    {"argv", request.argv},
                    {"env", request.env},
                    {"cwd", request.cwd},
                    {"user", request.user},
                    {"tty", tty},
                    {"detach", request.detach},
                    {"streams", streams}},
                   std::move(fds), wanting_fd<Impl::Reply>(std::move(done)));
}

void SupervisorLink::open(const std::string &target, Callback<UniqueFd> done) {
    impl_->request({{"op", "open"}, {"target", target}}, {},
                   wanting_fd<Impl::Reply>(std::move(done)));
}

void SupervisorLink::put_files(const std::string &directory, UniqueFd archive,
                               Callback<PutFilesResult> done) {
    std::vector<UniqueFd> fds;
    fds.push_back(std::move(archive));
    impl_->request({{"op", "put-files"}, {"directory", directory}}, std::move(fds),
                   [done = std::move(done)](Outcome<Impl::Reply> outcome) {
                       if (!outcome) {
                           done(outcome.error());
                           return;
                       }
                       const json &reply = outcome.value().packet;
                       done(PutFilesResult{reply.value("entries", std::uint64_t{0}),
                                           reply.value("bytes", std::uint64_t{0})});
                   });
}

void SupervisorLink::set_identity(const std::string &identity_json, Callback<void> done) {
    impl_->request({{"op", "identity"}, {"identity", json::parse(identity_json)}}, {},
                   [done = std::move(done)](const Outcome<Impl::Reply> &outcome) {
                       done(outcome ? Outcome<void>() : Outcome<void>(outcome.error()));
                   });
}

} // namespace banger::vm
