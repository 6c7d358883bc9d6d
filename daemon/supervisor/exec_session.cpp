#include "daemon/supervisor/exec_session.hpp"

#include "base/error.hpp"
#include "daemon/supervisor/control_protocol.hpp"

#include <fmt/format.h>

#include <utility>

namespace banger::supervisor {
namespace {

constexpr std::size_t max_pending = 256U << 10U;
constexpr std::size_t max_refusal = 64U << 10U;

} // namespace

ExecSession::ExecSession(EventLoop &loop, GuestChannel &channel, channel::ExecSpec spec,
                         Descriptors descriptors, UniqueFd control,
                         std::function<void()> on_finished)
    : on_finished_(std::move(on_finished)), detach_(spec.detach),
      control_(loop, std::move(control),
               {.on_packet = [this](const Packet &packet) { on_packet(packet); },
                .on_closed = [this] { on_caller_gone(); }}) {
    spec.attach_stdin = static_cast<bool>(descriptors.input);
    spec.attach_stdout = static_cast<bool>(descriptors.output);
    spec.attach_stderr = static_cast<bool>(descriptors.error);
    const std::string path = "/v1/execs/" + channel::new_exec_id();
    if (descriptors.input) {
        input_.emplace(loop, std::move(descriptors.input));
    }
    if (descriptors.output) {
        output_.sink.emplace(loop, std::move(descriptors.output));
    }
    if (descriptors.error) {
        error_.sink.emplace(loop, std::move(descriptors.error));
    }
    try {
        open_control(channel, path);
        say(channel::to_json(spec));
        if (input_) {
            open_input(channel, path + "/stdin");
        }
        if (output_.sink) {
            open_output(channel, path + "/stdout", output_);
        }
        if (error_.sink) {
            open_output(channel, path + "/stderr", error_);
        }
    } catch (...) {
        abandon();
        throw;
    }
}

ExecSession::~ExecSession() {
    abandon();
}

void ExecSession::abandon() const noexcept {
    for (const channel::Stream &stream :
         {control_stream_, input_stream_, output_.stream, error_.stream}) {
        stream.set_callbacks({});
        stream.reset();
    }
}

bool ExecSession::finished() const noexcept {
    return open_streams_ == 0;
}

void ExecSession::open_control(GuestChannel &channel, const std::string &path) {
    channel::StreamCallbacks callbacks;
    callbacks.on_response = [this](int status, const channel::Headers &) { status_ = status; };
    callbacks.on_data = [this](channel::Bytes data) {
        if (status_ >= 400) {
            refusal_ += channel::as_text(data).substr(0, max_refusal - refusal_.size());
        } else {
            lines_.feed(channel::as_text(data), [this](std::string_view line) { on_report(line); });
        }
        return data.size();
    };
    callbacks.on_writable = [this] { send_pending(); };
    callbacks.on_close = [this](channel::CloseReason reason) { on_control_closed(reason); };
    control_stream_ = channel.start_request("POST", path, {}, true, std::move(callbacks));
    ++open_streams_;
}

void ExecSession::open_input(GuestChannel &channel, const std::string &path) {
    channel::StreamCallbacks callbacks;
    callbacks.on_pull = [this](std::span<std::byte> buffer) { return input_->pull(buffer); };
    callbacks.on_close = [this](channel::CloseReason) {
        input_->close();
        stream_closed();
    };
    input_stream_ = channel.start_request("PUT", path, {}, true, std::move(callbacks));
    input_->feed(input_stream_);
    ++open_streams_;
}

void ExecSession::open_output(GuestChannel &channel, const std::string &path, Output &output) {
    channel::StreamCallbacks callbacks;
    callbacks.on_response = [&output](int status, const channel::Headers &) {
        if (status >= 400) {
            output.sink->end();
        }
    };
    callbacks.on_data = [&output](channel::Bytes data) { return output.sink->write(data); };
    callbacks.on_end = [&output] { output.sink->end(); };
    callbacks.on_close = [this, &output](channel::CloseReason) {
        output.sink->end();
        stream_closed();
    };
    output.stream = channel.start_request("GET", path, {}, false, std::move(callbacks));
    output.sink->drain(output.stream);
    ++open_streams_;
}

void ExecSession::say(const std::string &line) {
    if (pending_.size() + line.size() > max_pending) {
        fail(ErrorCode::LimitsExceeded, "too much was said to a program that does not listen");
    }
    pending_ += line;
    pending_ += '\n';
    send_pending();
}

void ExecSession::send_pending() {
    pending_.erase(0, control_stream_.write(pending_));
}

void ExecSession::on_packet(const Packet &packet) {
    try {
        say(channel::to_json(channel::parse_exec_control(packet.text)));
    } catch (const Error &e) {
        control_.send(error_packet(0, e));
    }
}

void ExecSession::on_caller_gone() {
    if (!detach_ && !reported_) {
        control_stream_.reset();
    }
}

void ExecSession::on_report(std::string_view line) {
    const channel::ExecReport report = channel::parse_exec_report(line);
    reported_ = !std::holds_alternative<channel::ExecStarted>(report);
    control_.send(channel::to_json(report));
    if (reported_) {
        control_stream_.end();
        // Nobody is left to read it; the outputs end by themselves.
        input_stream_.reset();
    }
}

void ExecSession::on_control_closed(channel::CloseReason reason) {
    if (!std::exchange(reported_, true)) {
        if (status_ >= 400) {
            const channel::ExecReport report = channel::parse_error(refusal_);
            control_.send(channel::to_json(report));
        } else if (reason == channel::CloseReason::Lost) {
            control_.send(lost_packet("the connection to the guest was lost"));
        } else {
            control_.send(lost_packet("the guest's agent gave the program up"));
        }
    }
    stream_closed();
}

void ExecSession::stream_closed() {
    --open_streams_;
    if (open_streams_ == 0) {
        on_finished_();
    }
}

} // namespace banger::supervisor
