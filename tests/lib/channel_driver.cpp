#include "tests/lib/channel_driver.hpp"

#include "base/error.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace banger::test {

using channel::Bytes;
using channel::StreamCallbacks;
using Clock = std::chrono::steady_clock;

ChannelDriver::ChannelDriver(UniqueFd socket)
    : socket_(std::move(socket)),
      client_({nullptr, [this](const std::string &why) { lost_ = why; }, nullptr}) {
    set_nonblocking(socket_.get());
}

void ChannelDriver::pump(std::chrono::milliseconds wait) {
    Bytes out = client_.output();
    while (!out.empty()) {
        const ssize_t n = ::send(socket_.get(), out.data(), out.size(), MSG_NOSIGNAL);
        if (n < 0) {
            ended_ = ended_ || errno != EAGAIN;
            break;
        }
        client_.sent(static_cast<std::size_t>(n));
        out = client_.output();
    }
    pollfd waiting{socket_.get(), static_cast<short>(POLLIN | (out.empty() ? 0 : POLLOUT)), 0};
    ::poll(&waiting, 1, static_cast<int>(wait.count()));
    std::array<std::byte, 65536> buffer{};
    const ssize_t n = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (n > 0) {
        client_.receive(std::span{buffer.data(), static_cast<std::size_t>(n)});
    } else if (n == 0 || errno != EAGAIN) {
        ended_ = true;
    }
}

bool ChannelDriver::run_until(const std::function<bool()> &condition,
                              std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    while (!condition()) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
        if (ended_ || left <= 0ms) {
            return condition();
        }
        pump(std::min<std::chrono::milliseconds>(left, 100ms));
    }
    return true;
}

bool ChannelDriver::connect(std::chrono::milliseconds timeout) {
    const auto deadline = Clock::now() + timeout;
    while (Clock::now() < deadline && !ended_) {
        client_.restart();
        if (run_until([this] { return client_.connected(); }, 5000ms)) {
            return true;
        }
    }
    return false;
}

Answer ChannelDriver::ask(std::string_view method, std::string_view path, std::string_view body,
                          const channel::Headers &headers, std::chrono::milliseconds timeout) {
    Answer answer;
    StreamCallbacks callbacks;
    callbacks.on_response = [&](int status, const channel::Headers &) { answer.status = status; };
    callbacks.on_data = [&](Bytes data) {
        answer.body += channel::as_text(data);
        return data.size();
    };
    callbacks.on_close = [&](channel::CloseReason reason) {
        answer.closed = true;
        answer.reason = reason;
    };
    std::size_t sent = 0;
    callbacks.on_pull = [&](std::span<std::byte> buffer) {
        const std::size_t n = std::min(buffer.size(), body.size() - sent);
        std::copy_n(reinterpret_cast<const std::byte *>(body.data()) + sent, n, buffer.begin());
        sent += n;
        return channel::Pulled{n, sent == body.size()};
    };
    const channel::Stream stream =
        client_.start_request(method, path, headers, !body.empty(), std::move(callbacks));
    if (!run_until([&] { return answer.closed; }, timeout)) {
        stream.set_callbacks({});
        stream.reset();
    }
    return answer;
}

StreamCallbacks RunningExec::output(std::string &text, bool &ended, bool counted) {
    ended = false;
    StreamCallbacks callbacks;
    callbacks.on_data = [this, &text, counted](Bytes data) -> std::size_t {
        if (counted && stalled) {
            return 0;
        }
        out_bytes += counted ? data.size() : 0;
        if (keep_output) {
            text += channel::as_text(data);
        }
        return data.size();
    };
    callbacks.on_close = [&ended](channel::CloseReason) { ended = true; };
    return callbacks;
}

RunningExec::RunningExec(ChannelDriver &driver, const channel::ExecSpec &spec)
    : detached_(spec.detach) {
    const std::string path = "/v1/execs/" + channel::new_exec_id();
    auto &client = driver.client();
    StreamCallbacks callbacks;
    callbacks.on_data = [this](Bytes data) {
        lines_.feed(channel::as_text(data), [this](std::string_view line) {
            auto report = channel::parse_exec_report(line);
            if (const auto *started = std::get_if<channel::ExecStarted>(&report)) {
                pid_ = started->pid;
            } else {
                end_ = std::move(report);
            }
        });
        return data.size();
    };
    callbacks.on_end = [this] { control_.end(); };
    callbacks.on_close = [this](channel::CloseReason) { control_closed_ = true; };
    control_ = client.start_request("POST", path, {}, true, std::move(callbacks));
    control_.write(to_json(spec) + "\n");
    if (spec.attach_stdin) {
        StreamCallbacks source;
        stdin_ = client.start_request("PUT", path + "/stdin", {}, true, std::move(source));
    }
    if (spec.attach_stdout) {
        stdout_ = client.start_request("GET", path + "/stdout", {}, false,
                                       output(out, stdout_ended_, true));
    }
    if (spec.attach_stderr) {
        stderr_ = client.start_request("GET", path + "/stderr", {}, false,
                                       output(err, stderr_ended_, false));
    }
}

RunningExec::~RunningExec() {
    for (const auto &stream : {control_, stdin_, stdout_, stderr_}) {
        stream.set_callbacks({});
        if (&stream != &control_ || !detached_) {
            stream.reset();
        }
    }
}

void RunningExec::control(const channel::ExecControl &line) const {
    control_.write(to_json(line) + "\n");
}

int RunningExec::code() const {
    const auto *exited = end_ ? std::get_if<channel::ExecExited>(&*end_) : nullptr;
    return exited != nullptr ? exited->code : -1;
}

} // namespace banger::test
