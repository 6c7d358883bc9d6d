#pragma once

#include "agent/channel/http2_session.hpp"

#include <memory>
#include <string>

namespace banger::channel {

/// What a session knows about one stream.
struct Session::State {
    std::uint64_t id = 0;
    std::int32_t http2_id = 0;
    StreamCallbacks callbacks;
    bool callbacks_set = false;

    Request request; ///< client side: its headers are the response's
    std::size_t header_bytes = 0;
    int status = 0;
    bool responded = false;

    std::string queue; ///< written, not sent, from `queue_taken` on
    std::size_t queue_taken = 0;
    std::size_t queued() const noexcept { return queue.size() - queue_taken; }
    bool write_refused = false;
    bool deferred = false; ///< nghttp2 waits for nghttp2_session_resume_data()
    bool ended_locally = false;

    std::string backlog; ///< received, not taken: at most one stream window
    bool paused = false;
    bool ended_remotely = false;
    bool end_delivered = false;
    bool http2_closed = false;
    bool was_reset = false;
};

/// A configured nghttp2 session whose callbacks call `session`, with its settings queued.
nghttp2_session *make_http2(bool client, Session *session);
/// Calls Session::pull().
nghttp2_data_provider data_provider() noexcept;

} // namespace banger::channel
