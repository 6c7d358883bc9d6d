#include "daemon/supervisor/stream_session.hpp"

#include <sys/socket.h>

#include <utility>

namespace banger::supervisor {
namespace {

constexpr std::size_t max_refusal = 64U << 10U;

} // namespace

StreamSession::StreamSession(EventLoop &loop, GuestChannel &channel, const std::string &target,
                             Callbacks callbacks)
    : StreamSession(loop, channel, target, std::move(callbacks), make_socket_pair(SOCK_STREAM)) {}

StreamSession::StreamSession(EventLoop &loop, GuestChannel &channel, const std::string &target,
                             Callbacks callbacks, FdPair ends)
    : callbacks_(std::move(callbacks)), callers_end_(std::move(ends.first)),
      source_(loop, ends.second.duplicate()), sink_(loop, std::move(ends.second)) {
    channel::StreamCallbacks handlers;
    handlers.on_response = [this](int status, const channel::Headers &) { on_response(status); };
    handlers.on_data = [this](channel::Bytes data) {
        if (status_ >= 400) {
            refusal_ += channel::as_text(data).substr(0, max_refusal - refusal_.size());
            return data.size();
        }
        return sink_.write(data);
    };
    handlers.on_end = [this] { sink_.end(); };
    handlers.on_pull = [this](std::span<std::byte> buffer) { return source_.pull(buffer); };
    handlers.on_close = [this](channel::CloseReason) { on_close(); };
    stream_ = channel.start_request("POST", "/v1/streams", {{"banger-target", target}}, true,
                                    std::move(handlers));
    source_.feed(stream_);
    sink_.drain(stream_);
}

StreamSession::~StreamSession() {
    stream_.set_callbacks({});
    stream_.reset();
}

void StreamSession::on_response(int status) {
    status_ = status;
    if (status < 400) {
        callbacks_.on_connected(std::move(callers_end_));
    } else {
        // Ends our direction: the answer is the last of this stream.
        source_.close();
        stream_.resume_sending();
    }
}

void StreamSession::on_close() {
    if (callers_end_) {
        callbacks_.on_failed(
            status_ >= 400
                ? channel::parse_error(refusal_)
                : Error(ErrorCode::InvalidState, "the connection to the guest's agent was lost"));
        callers_end_.reset();
    }
    source_.close();
    sink_.end();
    finished_ = true;
    callbacks_.on_finished();
}

} // namespace banger::supervisor
