#include "agent/channel/client.hpp"

#include "agent/channel/handshake.hpp"
#include "agent/channel/http2_session.hpp"
#include "base/error.hpp"

#include <algorithm>

namespace banger::channel {

struct ChannelClient::State {
    Callbacks callbacks;
    std::string nonce; ///< empty: no handshake under way
    std::string hello; ///< what of it is unsent
    HelloScanner scanner;
    std::shared_ptr<Session> session;

    void end_session() {
        if (const auto old = std::exchange(session, nullptr)) {
            old->abandon();
        }
    }

    void announce() const {
        if (callbacks.on_output) {
            callbacks.on_output();
        }
    }

    void lose(const std::string &why) {
        end_session();
        nonce.clear();
        if (callbacks.on_lost) {
            callbacks.on_lost(why);
        }
    }
};

ChannelClient::ChannelClient(Callbacks callbacks) : state_(std::make_unique<State>()) {
    state_->callbacks = std::move(callbacks);
}

ChannelClient::~ChannelClient() {
    disconnect();
}

void ChannelClient::restart() {
    disconnect();
    state_->nonce = new_nonce();
    state_->hello = std::string(filler_length, '\n') + hello_line(state_->nonce);
    state_->announce();
}

void ChannelClient::disconnect() {
    state_->nonce.clear();
    state_->hello.clear();
    state_->scanner = {};
    state_->end_session();
}

bool ChannelClient::connected() const noexcept {
    return state_->session != nullptr;
}

void ChannelClient::receive(Bytes data) {
    std::string after_hello;
    if (!state_->session) {
        if (state_->nonce.empty()) {
            return;
        }
        state_->scanner.feed(as_text(data));
        auto nonce = state_->scanner.next();
        while (nonce && *nonce != state_->nonce) {
            nonce = state_->scanner.next();
        }
        if (!nonce) {
            return;
        }
        after_hello = state_->scanner.take_rest();
        data = as_bytes(after_hello);
        state_->nonce.clear();
        state_->session = std::make_shared<Session>(Session::Side::Client, nullptr,
                                                    [this] { state_->announce(); });
        state_->announce();
        if (state_->callbacks.on_connected) {
            state_->callbacks.on_connected();
        }
    }
    const auto session = state_->session;
    if (session) {
        session->receive(data);
        if (session == state_->session && session->failure()) {
            state_->lose(*session->failure());
        }
    }
}

Bytes ChannelClient::output() {
    if (!state_->hello.empty()) {
        return as_bytes(state_->hello);
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

void ChannelClient::sent(std::size_t count) {
    if (!state_->hello.empty()) {
        state_->hello.erase(0, count);
    } else if (state_->session) {
        state_->session->sent(count);
    }
}

Stream ChannelClient::start_request(std::string_view method, std::string_view path,
                                    const Headers &headers, bool has_body,
                                    StreamCallbacks callbacks) {
    if (!state_->session) {
        fail(ErrorCode::InvalidState, "the guest's agent is not connected; wait until the VM is "
                                      "running");
    }
    return state_->session->start_request(method, path, headers, has_body, std::move(callbacks));
}

} // namespace banger::channel
