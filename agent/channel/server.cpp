#include "agent/channel/server.hpp"

#include "agent/channel/handshake.hpp"
#include "agent/channel/http2_session.hpp"
#include "agent/channel/messages.hpp"

#include <algorithm>

namespace banger::channel {

struct ChannelServer::State {
    Callbacks callbacks;
    HandshakeServer handshake;
    std::string answer; ///< handshake answers that are unsent
    std::shared_ptr<Session> session;

    void announce() const {
        if (callbacks.on_output) {
            callbacks.on_output();
        }
    }

    void end_session() {
        handshake = {};
        answer.clear();
        if (const auto old = std::exchange(session, nullptr)) {
            old->abandon();
        }
    }

    void lose(const std::string &why) {
        end_session();
        if (callbacks.on_lost) {
            callbacks.on_lost(why);
        }
    }

    void shake_hands(std::string_view bytes) {
        const auto step = handshake.feed(bytes);
        if (!step.answer.empty()) {
            answer += step.answer;
            announce();
        }
        if (step.http2_data.empty()) {
            return;
        }
        session = std::make_shared<Session>(Session::Side::Server, callbacks.on_request,
                                            [this] { announce(); });
        if (callbacks.on_connected) {
            callbacks.on_connected();
        }
        feed_session(as_bytes(step.http2_data));
    }

    void feed_session(Bytes data) {
        const auto current = session;
        current->receive(data);
        if (current == session && current->failure()) {
            lose(*current->failure());
            // The first bytes of a new session may be what this one choked on.
            const auto step = handshake.feed(as_text(data));
            if (!step.answer.empty()) {
                answer += step.answer;
                announce();
            }
        }
    }
};

ChannelServer::ChannelServer(Callbacks callbacks) : state_(std::make_unique<State>()) {
    state_->callbacks = std::move(callbacks);
}

ChannelServer::~ChannelServer() {
    state_->end_session();
}

void ChannelServer::restart() {
    state_->end_session();
}

bool ChannelServer::connected() const noexcept {
    return state_->session != nullptr;
}

void ChannelServer::ping(std::function<void()> on_answer) {
    if (state_->session) {
        state_->session->ping(std::move(on_answer));
    }
}

void ChannelServer::receive(Bytes data) {
    if (state_->session) {
        state_->feed_session(data);
    } else {
        state_->shake_hands(as_text(data));
    }
}

Bytes ChannelServer::output() {
    if (!state_->answer.empty()) {
        return as_bytes(state_->answer);
    }
    const auto session = state_->session;
    if (!session) {
        return {};
    }
    const Bytes bytes = session->output();
    if (session != state_->session) {
        return {};
    }
    if (bytes.empty() && session->failure()) {
        state_->lose(*session->failure());
        return {};
    }
    return bytes;
}

void ChannelServer::sent(std::size_t count) {
    if (!state_->answer.empty()) {
        state_->answer.erase(0, count);
    } else if (state_->session) {
        state_->session->sent(count);
    }
}

void respond_error(const Stream &stream, const Error &error) {
    stream.respond(http_status(error.code()), {{"content-type", "application/json"}});
    stream.write(to_json(error));
    stream.end();
}

} // namespace banger::channel
