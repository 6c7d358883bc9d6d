#include "agent/channel/http2_session.hpp"
#include "agent/channel/session_state.hpp"
#include "base/error.hpp"

#include <algorithm>
#include <array>

namespace banger::channel {
namespace {

/// output() gathers about this much before the owner writes it.
constexpr std::size_t output_chunk = 64U << 10U;

nghttp2_nv field(std::string_view name, std::string_view value) {
    // nghttp2 copies both and takes mutable pointers for historical reasons.
    return {reinterpret_cast<std::uint8_t *>(const_cast<char *>(name.data())),
            reinterpret_cast<std::uint8_t *>(const_cast<char *>(value.data())), name.size(),
            value.size(), NGHTTP2_NV_FLAG_NONE};
}

void add_fields(std::vector<nghttp2_nv> &fields, const Headers &headers) {
    for (const auto &[name, value] : headers) {
        fields.push_back(field(name, value));
    }
}

} // namespace

std::string_view header(const Headers &headers, std::string_view name) {
    const auto found = std::find_if(headers.begin(), headers.end(),
                                    [name](const auto &entry) { return entry.first == name; });
    return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

Session::Session(Side side, RequestHandler on_request, std::function<void()> on_output)
    : side_(side), on_request_(std::move(on_request)), on_output_(std::move(on_output)),
      http2_(make_http2(side == Side::Client, this)) {}

void Session::receive(Bytes data) {
    const auto self = shared_from_this();
    if (failure_ || abandoned_) {
        return;
    }
    const ssize_t n = nghttp2_session_mem_recv(
        http2_.get(), reinterpret_cast<const std::uint8_t *>(data.data()), data.size());
    if (abandoned_) {
        return;
    }
    if (n < 0) {
        failure_ = nghttp2_strerror(static_cast<int>(n));
        return;
    }
    // A connection error shows when nghttp2 wants to say GOAWAY, so let it speak now.
    redeliver();
    fill();
    if (out_taken_ < out_.size()) {
        announce_output();
    }
}

Bytes Session::output() {
    const auto self = shared_from_this();
    // Also while the transport is stuck: readers on this side wait for what has arrived.
    redeliver();
    if (out_taken_ == out_.size() && !failure_ && !abandoned_) {
        fill();
    }
    if (out_taken_ == out_.size()) {
        output_announced_ = false;
    }
    return as_bytes(std::string_view{out_}.substr(out_taken_));
}

void Session::sent(std::size_t count) {
    out_taken_ += std::min(count, out_.size() - out_taken_);
}

void Session::fill() {
    if (out_taken_ == out_.size()) {
        out_.clear();
        out_taken_ = 0;
    }
    while (out_.size() < output_chunk && !failure_ && !abandoned_) {
        const std::uint8_t *data = nullptr;
        const ssize_t n = nghttp2_session_mem_send(http2_.get(), &data);
        if (n < 0) {
            failure_ = nghttp2_strerror(static_cast<int>(n));
        }
        if (n <= 0) {
            break;
        }
        out_.append(reinterpret_cast<const char *>(data), static_cast<std::size_t>(n));
    }
    if (!failure_ && !abandoned_ && nghttp2_session_want_read(http2_.get()) == 0) {
        failure_ = "the session was ended";
    }
}

void Session::announce_output() {
    if (!output_announced_ && !abandoned_) {
        output_announced_ = true;
        if (on_output_) {
            on_output_();
        }
    }
}

void Session::abandon() {
    const auto self = shared_from_this();
    abandoned_ = true;
    while (!streams_.empty()) {
        const StatePtr state = streams_.begin()->second;
        finish(state, CloseReason::Lost);
    }
}

Session::StatePtr Session::find(std::uint64_t id) const {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : found->second;
}

Session::StatePtr Session::find_http2(std::int32_t http2_id) const {
    const auto found = by_http2_id_.find(http2_id);
    return found == by_http2_id_.end() ? nullptr : found->second;
}

Session::StatePtr Session::add(std::int32_t http2_id, StreamCallbacks callbacks,
                               bool callbacks_set) {
    auto state = std::make_shared<State>();
    state->id = next_id_++;
    state->http2_id = http2_id;
    state->callbacks = std::move(callbacks);
    state->callbacks_set = callbacks_set;
    streams_.emplace(state->id, state);
    by_http2_id_.emplace(http2_id, state);
    return state;
}

Stream Session::start_request(std::string_view method, std::string_view path,
                              const Headers &headers, bool has_body, StreamCallbacks callbacks) {
    if (streams_.size() >= max_streams) {
        fail(ErrorCode::LimitsExceeded, "the guest's channel carries {} streams already",
             max_streams);
    }
    std::vector<nghttp2_nv> fields{field(":method", method), field(":scheme", "http"),
                                   field(":authority", "banger"), field(":path", path)};
    add_fields(fields, headers);
    nghttp2_data_provider body = data_provider();
    const std::int32_t http2_id = nghttp2_submit_request(
        http2_.get(), nullptr, fields.data(), fields.size(), has_body ? &body : nullptr, nullptr);
    if (http2_id < 0) {
        fail(ErrorCode::Internal, "begin {} {} on the guest's channel: {}", method, path,
             nghttp2_strerror(http2_id));
    }
    const auto state = add(http2_id, std::move(callbacks), true);
    state->ended_locally = !has_body;
    announce_output();
    return {weak_from_this(), state->id};
}

void Session::respond(State &state, int status, const Headers &headers, bool end) {
    if (side_ != Side::Server || state.responded || state.http2_closed) {
        return;
    }
    state.responded = true;
    const std::string status_text = std::to_string(status);
    std::vector<nghttp2_nv> fields{field(":status", status_text)};
    add_fields(fields, headers);
    nghttp2_data_provider body = data_provider();
    if (nghttp2_submit_response(http2_.get(), state.http2_id, fields.data(), fields.size(),
                                end ? nullptr : &body) != 0) {
        reset(state);
        return;
    }
    state.ended_locally = end;
    announce_output();
}

std::size_t Session::write(State &state, Bytes data) {
    if (state.ended_locally || state.http2_closed || state.callbacks.on_pull) {
        return 0;
    }
    const std::size_t room = write_buffer - std::min(write_buffer, state.queued());
    const std::size_t taken = std::min(room, data.size());
    state.queue.append(as_text(data.first(taken)));
    state.write_refused = taken < data.size();
    resume_sending(state);
    return taken;
}

void Session::end(State &state) {
    state.ended_locally = true;
    resume_sending(state);
}

void Session::resume_sending(State &state) {
    if (std::exchange(state.deferred, false)) {
        nghttp2_session_resume_data(http2_.get(), state.http2_id);
        announce_output();
    }
}

void Session::resume_reading(State &state) {
    to_redeliver_.push_back(state.id);
    announce_output();
}

void Session::reset(State &state) {
    if (!state.was_reset) {
        state.was_reset = true;
        nghttp2_submit_rst_stream(http2_.get(), NGHTTP2_FLAG_NONE, state.http2_id, NGHTTP2_CANCEL);
        // A stream that HTTP/2 has closed already waits for its reader alone.
        to_redeliver_.push_back(state.id);
        announce_output();
    }
}

void Session::set_callbacks(State &state, StreamCallbacks callbacks) {
    state.callbacks = std::move(callbacks);
    state.callbacks_set = true;
    resume_reading(state);
    resume_sending(state);
}

template <typename F>
void Session::guarded(State &state, F &&callback) {
    try {
        callback();
    } catch (const std::exception &) {
        reset(state);
    }
}

void Session::ping(std::function<void()> on_answer) {
    if (nghttp2_submit_ping(http2_.get(), NGHTTP2_FLAG_NONE, nullptr) == 0) {
        pings_.push_back(std::move(on_answer));
        announce_output();
    }
}

void Session::on_ping_answer() {
    // Answers come in the order of the questions.
    if (!pings_.empty()) {
        const auto on_answer = std::move(pings_.front());
        pings_.pop_front();
        on_answer();
    }
}

void Session::on_header(State &state, std::string_view name, std::string_view value) {
    if (name == ":status") {
        state.status = std::atoi(std::string(value).c_str());
    } else if (name == ":method") {
        state.request.method = value;
    } else if (name == ":path") {
        const std::size_t mark = value.find('?');
        state.request.path = value.substr(0, mark);
        state.request.query = mark == std::string_view::npos ? "" : value.substr(mark + 1);
    } else if (!name.starts_with(':')) {
        state.request.headers.emplace_back(name, value);
    }
}

void Session::on_headers_complete(const StatePtr &state, bool final) {
    if (!final || abandoned_) {
        return;
    }
    if (side_ == Side::Client) {
        if (state->callbacks.on_response) {
            guarded(*state, [&] {
                // A copy: the callback may replace the callbacks.
                const auto callback = state->callbacks.on_response;
                callback(state->status, state->request.headers);
            });
        }
        return;
    }
    const Stream stream{weak_from_this(), state->id};
    try {
        on_request_(state->request, stream);
    } catch (const Error &error) {
        respond_error(stream, error);
    } catch (const std::exception &error) {
        respond_error(stream, Error(ErrorCode::Internal, error.what()));
    }
}

void Session::on_data(const StatePtr &state, Bytes data) {
    nghttp2_session_consume_connection(http2_.get(), data.size());
    if (state->was_reset || (state->callbacks_set && !state->callbacks.on_data)) {
        credit(*state, data.size());
        return;
    }
    std::size_t taken = 0;
    if (state->callbacks_set && state->backlog.empty() && !state->paused) {
        guarded(*state, [&] {
            const auto callback = state->callbacks.on_data;
            taken = std::min(callback(data), data.size());
        });
        state->paused = taken < data.size();
        credit(*state, taken);
    }
    state->backlog.append(as_text(data.subspan(taken)));
}

void Session::on_remote_end(const StatePtr &state) {
    state->ended_remotely = true;
    deliver(state);
}

void Session::on_closed(const StatePtr &state, std::uint32_t error_code) {
    state->http2_closed = true;
    by_http2_id_.erase(state->http2_id);
    if (error_code == NGHTTP2_REFUSED_STREAM) {
        // nghttp2's word for streams that a dying session takes with it.
        finish(state, CloseReason::Lost);
    } else if (error_code != NGHTTP2_NO_ERROR || !state->ended_remotely || state->was_reset) {
        finish(state, CloseReason::Reset);
    } else {
        deliver(state);
    }
}

void Session::redeliver() {
    for (const std::uint64_t id : std::exchange(to_redeliver_, {})) {
        if (const auto state = find(id); state && !abandoned_) {
            state->paused = false;
            deliver(state);
        }
    }
}

/// Offers the backlog, then the end, then the close: each once what precedes it was taken.
void Session::deliver(const StatePtr &state) {
    if (state->was_reset) {
        credit(*state, state->backlog.size());
        state->backlog.clear();
        if (state->http2_closed) {
            finish(state, CloseReason::Reset);
        }
        return;
    }
    if (!state->callbacks_set) {
        return;
    }
    if (!state->backlog.empty() && !state->paused) {
        std::size_t taken = state->backlog.size();
        if (state->callbacks.on_data) {
            const std::string offered = std::exchange(state->backlog, {});
            guarded(*state, [&] {
                taken = 0;
                const auto callback = state->callbacks.on_data;
                taken = std::min(callback(as_bytes(offered)), offered.size());
            });
            state->backlog = offered.substr(taken);
        } else {
            state->backlog.clear();
        }
        state->paused = !state->backlog.empty();
        credit(*state, taken);
    }
    if (state->backlog.empty() && state->ended_remotely && !state->end_delivered) {
        state->end_delivered = true;
        if (state->callbacks.on_end) {
            guarded(*state, [&] {
                const auto callback = state->callbacks.on_end;
                callback();
            });
        }
    }
    if (state->http2_closed && state->end_delivered) {
        finish(state, CloseReason::Finished);
    }
}

void Session::credit(const State &state, std::size_t bytes) {
    if (bytes > 0 && !state.http2_closed && !abandoned_) {
        nghttp2_session_consume_stream(http2_.get(), state.http2_id, bytes);
    }
}

void Session::finish(const StatePtr &state, CloseReason reason) {
    by_http2_id_.erase(state->http2_id);
    if (streams_.erase(state->id) == 0) {
        return;
    }
    const auto callbacks = std::exchange(state->callbacks, {});
    if (callbacks.on_close) {
        guarded(*state, [&] { callbacks.on_close(reason); });
    }
}

ssize_t Session::pull(const StatePtr &state, std::span<std::byte> buffer, std::uint32_t &flags) {
    if (state->callbacks.on_pull) {
        const auto callback = state->callbacks.on_pull;
        const Pulled pulled = callback(buffer);
        if (pulled.end) {
            state->ended_locally = true;
            flags |= NGHTTP2_DATA_FLAG_EOF;
        } else if (pulled.bytes == 0) {
            state->deferred = true;
            return NGHTTP2_ERR_DEFERRED;
        }
        return static_cast<ssize_t>(std::min(pulled.bytes, buffer.size()));
    }
    const std::size_t count = std::min(buffer.size(), state->queued());
    std::copy_n(reinterpret_cast<const std::byte *>(state->queue.data() + state->queue_taken),
                count, buffer.data());
    state->queue_taken += count;
    if (state->queued() == 0) {
        state->queue.clear();
        state->queue_taken = 0;
    }
    if (std::exchange(state->write_refused, false) && state->callbacks.on_writable) {
        const auto callback = state->callbacks.on_writable;
        callback();
    }
    if (state->ended_locally && state->queued() == 0) {
        flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (count == 0) {
        state->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    return static_cast<ssize_t>(count);
}

std::size_t Stream::write(Bytes data) const {
    const auto session = session_.lock();
    const auto state = session ? session->find(id_) : nullptr;
    return state ? session->write(*state, data) : 0;
}

void Stream::end() const {
    if (const auto session = session_.lock()) {
        if (const auto state = session->find(id_)) {
            session->end(*state);
        }
    }
}

void Stream::resume_sending() const {
    if (const auto session = session_.lock()) {
        if (const auto state = session->find(id_)) {
            session->resume_sending(*state);
        }
    }
}

void Stream::resume_reading() const {
    if (const auto session = session_.lock()) {
        if (const auto state = session->find(id_)) {
            session->resume_reading(*state);
        }
    }
}

void Stream::reset() const {
    if (const auto session = session_.lock()) {
        if (const auto state = session->find(id_)) {
            session->reset(*state);
        }
    }
}

void Stream::respond(int status, const Headers &headers, bool end) const {
    if (const auto session = session_.lock()) {
        if (const auto state = session->find(id_)) {
            session->respond(*state, status, headers, end);
        }
    }
}

void Stream::set_callbacks(StreamCallbacks callbacks) const {
    if (const auto session = session_.lock()) {
        if (const auto state = session->find(id_)) {
            session->set_callbacks(*state, std::move(callbacks));
        }
    }
}

Stream::operator bool() const noexcept {
    const auto session = session_.lock();
    return session && session->find(id_);
}

} // namespace banger::channel
