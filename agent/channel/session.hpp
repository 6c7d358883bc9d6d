#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace banger::channel {

using Bytes = std::span<const std::byte>;

inline Bytes as_bytes(std::string_view text) {
    return std::as_bytes(std::span{text.data(), text.size()});
}
inline std::string_view as_text(Bytes bytes) {
    return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

/// Names in lower case, as HTTP/2 wants them.
using Headers = std::vector<std::pair<std::string, std::string>>;

/// The value of the first header called `name`; empty if there is none.
std::string_view header(const Headers &headers, std::string_view name);

/// How a stream ended.
enum class CloseReason {
    Finished, ///< both sides ended their direction, and everything was delivered
    Reset,    ///< one side gave up
    Lost,     ///< the session ended: the transport went away, or a new session began
};

/// What a stream takes from its sender when the transport has room: `bytes` were put into the
/// buffer; `end`: nothing follows. Neither: ask again after Stream::resume_sending().
struct Pulled {
    std::size_t bytes = 0;
    bool end = false;
};

/// What a stream tells its user. All are called from inside Session's receive() and output(), never
/// from a call on the stream itself; each may be empty. A callback may call anything on any stream
/// of the session. An exception that leaves one resets the stream.
struct StreamCallbacks {
    /// Client side only: the response began.
    std::function<void(int status, const Headers &headers)> on_response;
    /// Returns how many bytes were taken, from the front. What was not taken stays with the session
    /// (at most one stream window) and is offered again after resume_reading(); the peer is given
    /// credit for what was taken only. Empty: all data are dropped.
    std::function<std::size_t(Bytes data)> on_data;
    /// The peer ended its direction and all data were delivered.
    std::function<void()> on_end;
    /// If set, data to send are pulled from it, straight into the frame; write() must not be used
    /// then.
    std::function<Pulled(std::span<std::byte> buffer)> on_pull;
    /// write() has room again after it had taken less than it was given.
    std::function<void()> on_writable;
    /// The last callback of the stream.
    std::function<void(CloseReason reason)> on_close;
};

class Session;

/// A handle to one stream: a value. Once the stream or its session has ended, every call on it does
/// nothing.
class Stream {
public:
    Stream() = default;

    /// Queues data to send and returns how much was taken; at most `write_buffer` bytes wait per
    /// stream.
    std::size_t write(Bytes data) const;
    std::size_t write(std::string_view text) const { return write(as_bytes(text)); }
    /// Nothing follows what was written (with write(); a source says so in Pulled::end).
    void end() const;
    /// on_pull has something to give again.
    void resume_sending() const;
    /// on_data can take something again. It is called from inside the next output().
    void resume_reading() const;
    /// Ends both directions at once; on_close(Reset) follows.
    void reset() const;
    /// Server side: the response. With `end` it has no body.
    void respond(int status, const Headers &headers = {}, bool end = false) const;
    /// Replaces the callbacks.
    void set_callbacks(StreamCallbacks callbacks) const;
    /// The stream has not been closed yet.
    explicit operator bool() const noexcept;

private:
    friend class Session;
    Stream(std::weak_ptr<Session> session, std::uint64_t id)
        : session_(std::move(session)), id_(id) {}

    std::weak_ptr<Session> session_;
    std::uint64_t id_ = 0;
};

/// Bytes that write() keeps per stream.
constexpr std::size_t write_buffer = 64U << 10U;
/// Receive window of one stream: what a stalled reader can hold back, and what is under way at
/// full speed.
constexpr std::int32_t stream_window = 1 << 20;
/// Receive window of all streams together; credited on receipt, so it never stops a stream.
constexpr std::int32_t connection_window = 16 << 20;
/// Streams at once, each way.
constexpr std::uint32_t max_streams = 1024;

} // namespace banger::channel
