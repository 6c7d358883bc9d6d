#include "daemon/supervisor/put_files.hpp"

#include <nlohmann/json.hpp>

#include <utility>

namespace banger::supervisor {
namespace {

constexpr std::size_t max_body = 64U << 10U;

std::uint64_t number_in(const nlohmann::json &json, const char *key) {
    const auto found = json.find(key);
    return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

} // namespace

PutFiles::PutFiles(EventLoop &loop, GuestChannel &channel, const std::string &directory,
                   UniqueFd tar, Callbacks callbacks)
    : callbacks_(std::move(callbacks)), source_(loop, std::move(tar)) {
    channel::StreamCallbacks handlers;
    handlers.on_response = [this](int status, const channel::Headers &) {
        status_ = status;
        if (status >= 400) {
            source_.close();
            stream_.resume_sending();
        }
    };
    handlers.on_data = [this](channel::Bytes data) {
        body_ += channel::as_text(data).substr(0, max_body - body_.size());
        return data.size();
    };
    handlers.on_pull = [this](std::span<std::byte> buffer) { return source_.pull(buffer); };
    handlers.on_close = [this](channel::CloseReason reason) { on_close(reason); };
    stream_ = channel.start_request("PUT", "/v1/files", {{"banger-directory", directory}}, true,
                                    std::move(handlers));
    source_.feed(stream_);
}

PutFiles::~PutFiles() {
    stream_.set_callbacks({});
    stream_.reset();
}

void PutFiles::on_close(channel::CloseReason reason) {
    source_.close();
    if (status_ >= 400) {
        callbacks_.on_failed(channel::parse_error(body_));
    } else if (reason != channel::CloseReason::Finished) {
        callbacks_.on_failed(Error(ErrorCode::InvalidState,
                                   "the connection to the guest's agent was lost while files were "
                                   "copied: the copy is incomplete"));
    } else {
        const auto json = nlohmann::json::parse(body_, nullptr, false);
        callbacks_.on_done(json.is_object() ? number_in(json, "entries") : 0,
                           json.is_object() ? number_in(json, "bytes") : 0);
    }
    finished_ = true;
    callbacks_.on_finished();
}

} // namespace banger::supervisor
