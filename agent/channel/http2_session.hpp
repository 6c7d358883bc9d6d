#pragma once

#include "agent/channel/server.hpp"
#include "agent/channel/session.hpp"

#include <nghttp2/nghttp2.h>

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace banger::channel {

/// One HTTP/2 session over nghttp2, either side: from its first byte to its failure. Internal to
/// ChannelClient and ChannelServer.
class Session : public std::enable_shared_from_this<Session> {
public:
    enum class Side { Client, Server };
    using RequestHandler = std::function<void(const Request &, Stream)>;

    Session(Side side, RequestHandler on_request, std::function<void()> on_output);
    ~Session() = default;
    Session(const Session &) = delete;
    Session &operator=(const Session &) = delete;

    void receive(Bytes data);
    Bytes output();
    void sent(std::size_t count);
    /// Set once the session cannot go on: why.
    const std::optional<std::string> &failure() const noexcept { return failure_; }
    /// Ends all streams with Lost; nothing is called afterwards.
    void abandon();

    /// Asks the peer for a sign of life; `on_answer` means that it has read all that was said
    /// before.
    void ping(std::function<void()> on_answer);

    Stream start_request(std::string_view method, std::string_view path, const Headers &headers,
                         bool has_body, StreamCallbacks callbacks);

private:
    friend class Stream;
    friend struct Nghttp2Callbacks;
    struct State;
    using StatePtr = std::shared_ptr<State>;

    StatePtr find(std::uint64_t id) const;
    StatePtr find_http2(std::int32_t http2_id) const;
    StatePtr add(std::int32_t http2_id, StreamCallbacks callbacks, bool callbacks_set);

    // What a handle asks for.
    std::size_t write(State &state, Bytes data);
    void end(State &state);
    void resume_sending(State &state);
    void resume_reading(State &state);
    void reset(State &state);
    void respond(State &state, int status, const Headers &headers, bool end);
    void set_callbacks(State &state, StreamCallbacks callbacks);

    // What nghttp2 tells.
    void on_header(State &state, std::string_view name, std::string_view value);
    void on_headers_complete(const StatePtr &state, bool final);
    void on_data(const StatePtr &state, Bytes data);
    void on_remote_end(const StatePtr &state);
    void on_closed(const StatePtr &state, std::uint32_t error_code);
    ssize_t pull(const StatePtr &state, std::span<std::byte> buffer, std::uint32_t &flags);

    void on_ping_answer();

    void deliver(const StatePtr &state);
    void finish(const StatePtr &state, CloseReason reason);
    void credit(const State &state, std::size_t bytes);
    void redeliver();
    void fill();
    void announce_output();
    /// Runs a user's callback; one that throws costs the stream.
    template <typename F>
    void guarded(State &state, F &&callback);

    struct SessionDeleter {
        void operator()(nghttp2_session *session) const noexcept { nghttp2_session_del(session); }
    };

    Side side_;
    RequestHandler on_request_;
    std::function<void()> on_output_;
    std::unique_ptr<nghttp2_session, SessionDeleter> http2_;
    std::map<std::uint64_t, StatePtr> streams_;
    std::map<std::int32_t, StatePtr> by_http2_id_;
    std::vector<std::uint64_t> to_redeliver_;
    std::deque<std::function<void()>> pings_;
    std::uint64_t next_id_ = 1;
    std::string out_;
    std::size_t out_taken_ = 0;
    bool output_announced_ = false;
    bool abandoned_ = false;
    std::optional<std::string> failure_;
};

} // namespace banger::channel
