#include "agent/agent/events.hpp"

namespace banger::agent {
namespace {

void send(const channel::Stream &stream, const channel::Event &event) {
    const std::string line = to_json(event) + "\n";
    if (stream && stream.write(line) < line.size()) {
        stream.reset(); // Nobody reads there.
    }
}

} // namespace

void Events::tell(const channel::Event &event) {
    using Kind = channel::Event::Kind;
    switch (event.kind) {
    case Kind::LoginReady:
        login_ready_ = true;
        break;
    case Kind::BootFinished:
        boot_finished_ = true;
        break;
    case Kind::Status:
        status_ = event;
        break;
    case Kind::Shutdown:
        shutdown_ = event;
        break;
    }
    for (const auto &[id, stream] : subscribers_) {
        send(stream, event);
    }
}

void Events::subscribe(const channel::Stream &stream) {
    stream.respond(200);
    using Kind = channel::Event::Kind;
    if (status_) {
        send(stream, *status_);
    }
    if (login_ready_) {
        send(stream, {Kind::LoginReady, {}});
    }
    if (boot_finished_) {
        send(stream, {Kind::BootFinished, {}});
    }
    if (shutdown_) {
        send(stream, *shutdown_);
    }
    const std::uint64_t id = next_++;
    subscribers_.emplace(id, stream);
    channel::StreamCallbacks callbacks;
    callbacks.on_close = [this, id](channel::CloseReason) { subscribers_.erase(id); };
    stream.set_callbacks(std::move(callbacks));
}

} // namespace banger::agent
