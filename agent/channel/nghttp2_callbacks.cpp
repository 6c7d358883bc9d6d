#include "agent/channel/session_state.hpp"
#include "base/error.hpp"

#include <array>
#include <new>

namespace banger::channel {

/// The C functions that nghttp2 calls; no exception leaves them.
struct Nghttp2Callbacks {
    static Session &self(void *user_data) { return *static_cast<Session *>(user_data); }

    static int begin_headers(nghttp2_session *, const nghttp2_frame *frame, void *user_data) {
        Session &session = self(user_data);
        if (session.side_ == Session::Side::Server && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
            session.add(frame->hd.stream_id, {}, false);
        }
        return 0;
    }

    static int header(nghttp2_session *, const nghttp2_frame *frame, const std::uint8_t *name,
                      std::size_t name_length, const std::uint8_t *value, std::size_t value_length,
                      std::uint8_t, void *user_data) {
        constexpr std::size_t header_limit = 32U << 10U;
        Session &session = self(user_data);
        const auto state = session.find_http2(frame->hd.stream_id);
        if (!state) {
            return 0;
        }
        state->header_bytes += name_length + value_length;
        if (state->header_bytes > header_limit) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        session.on_header(*state, {reinterpret_cast<const char *>(name), name_length},
                          {reinterpret_cast<const char *>(value), value_length});
        return 0;
    }

    static int frame_received(nghttp2_session *, const nghttp2_frame *frame, void *user_data) {
        Session &session = self(user_data);
        if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0) {
            try {
                session.on_ping_answer();
            } catch (const std::exception &) {
                return NGHTTP2_ERR_CALLBACK_FAILURE;
            }
        }
        if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) {
            return 0;
        }
        const auto state = session.find_http2(frame->hd.stream_id);
        if (!state) {
            return 0;
        }
        if (frame->hd.type == NGHTTP2_HEADERS) {
            const bool first = frame->headers.cat == NGHTTP2_HCAT_REQUEST ||
                               frame->headers.cat == NGHTTP2_HCAT_RESPONSE;
            session.on_headers_complete(state, first && state->status / 100 != 1);
        }
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && !session.abandoned_) {
            session.on_remote_end(state);
        }
        return session.abandoned_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }

    static int data_received(nghttp2_session *, std::uint8_t, std::int32_t stream_id,
                             const std::uint8_t *data, std::size_t length, void *user_data) {
        Session &session = self(user_data);
        if (const auto state = session.find_http2(stream_id)) {
            session.on_data(state, {reinterpret_cast<const std::byte *>(data), length});
        } else {
            nghttp2_session_consume(session.http2_.get(), stream_id, length);
        }
        return session.abandoned_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }

    static int stream_closed(nghttp2_session *, std::int32_t stream_id, std::uint32_t error_code,
                             void *user_data) {
        Session &session = self(user_data);
        if (const auto state = session.find_http2(stream_id)) {
            session.on_closed(state, error_code);
        }
        return session.abandoned_ ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    }

    static ssize_t pull(nghttp2_session *, std::int32_t stream_id, std::uint8_t *buffer,
                        std::size_t length, std::uint32_t *flags, nghttp2_data_source *,
                        void *user_data) {
        Session &session = self(user_data);
        const auto state = session.find_http2(stream_id);
        if (!state) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
        try {
            return session.pull(state, {reinterpret_cast<std::byte *>(buffer), length}, *flags);
        } catch (const std::exception &) {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        }
    }
};

nghttp2_data_provider data_provider() noexcept {
    nghttp2_data_provider provider{};
    provider.read_callback = &Nghttp2Callbacks::pull;
    return provider;
}

nghttp2_session *make_http2(bool client, Session *session) {
    nghttp2_session_callbacks *callbacks = nullptr;
    nghttp2_option *option = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        throw std::bad_alloc();
    }
    const std::unique_ptr<nghttp2_session_callbacks, void (*)(nghttp2_session_callbacks *)>
        owned_callbacks{callbacks, &nghttp2_session_callbacks_del};
    if (nghttp2_option_new(&option) != 0) {
        throw std::bad_alloc();
    }
    const std::unique_ptr<nghttp2_option, void (*)(nghttp2_option *)> owned_option{
        option, &nghttp2_option_del};

    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks,
                                                            &Nghttp2Callbacks::begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, &Nghttp2Callbacks::header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks,
                                                         &Nghttp2Callbacks::frame_received);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks,
                                                              &Nghttp2Callbacks::data_received);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks,
                                                           &Nghttp2Callbacks::stream_closed);

    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    nghttp2_option_set_peer_max_concurrent_streams(option, max_streams);

    nghttp2_session *http2 = nullptr;
    const int made = client ? nghttp2_session_client_new2(&http2, callbacks, session, option)
                            : nghttp2_session_server_new2(&http2, callbacks, session, option);
    if (made != 0) {
        throw std::bad_alloc();
    }
    const std::array<nghttp2_settings_entry, 3> settings{{
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, max_streams},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, static_cast<std::uint32_t>(stream_window)},
        {NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
    }};
    // A server may not say ENABLE_PUSH.
    const std::size_t count = client ? settings.size() : settings.size() - 1;
    nghttp2_submit_settings(http2, NGHTTP2_FLAG_NONE, settings.data(), count);
    nghttp2_session_set_local_window_size(http2, NGHTTP2_FLAG_NONE, 0, connection_window);
    return http2;
}

} // namespace banger::channel
