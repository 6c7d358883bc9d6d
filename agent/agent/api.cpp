#include "agent/agent/api.hpp"

#include "agent/agent/forward.hpp"
#include "agent/agent/log.hpp"
#include "agent/agent/unpack.hpp"
#include "agent/channel/messages.hpp"
#include "agent/identity/apply.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <nlohmann/json.hpp>
#include <sys/utsname.h>

#include <algorithm>
#include <chrono>
#include <memory>

namespace banger::agent {
namespace {

using channel::Stream;
using Json = nlohmann::json;

void answer(const Stream &stream, std::string_view json) {
    stream.respond(200, {{"content-type", "application/json"}});
    stream.write(json);
    stream.end();
}

} // namespace

void with_body(const Stream &stream, std::size_t limit,
               std::function<void(const std::string &body)> on_body) {
    const auto body = std::make_shared<std::string>();
    channel::StreamCallbacks callbacks;
    callbacks.on_data = [body, limit, stream](channel::Bytes data) {
        if (body->size() + data.size() > limit) {
            throw Error(ErrorCode::LimitsExceeded, "the body is too long");
        }
        *body += channel::as_text(data);
        return data.size();
    };
    callbacks.on_end = [body, stream, on_body = std::move(on_body)] {
        try {
            on_body(*body);
        } catch (const Error &error) {
            channel::respond_error(stream, error);
        }
    };
    stream.set_callbacks(std::move(callbacks));
}

Api::Api(Loop &loop, Init init, std::uint64_t boot_generation)
    : loop_(loop), init_(init), boot_generation_(boot_generation), execs_(loop),
      shutdown_(loop, execs_, init) {}

void Api::request(const channel::Request &request, const Stream &stream) {
    constexpr std::string_view execs = "/v1/execs/";
    const auto is = [&](std::string_view method, std::string_view path) {
        return request.method == method && request.path == path;
    };
    if (request.path.starts_with(execs)) {
        execs_.request(request, std::string_view(request.path).substr(execs.size()), stream);
    } else if (is("GET", "/v1/hello")) {
        hello(stream);
    } else if (is("GET", "/v1/events")) {
        events_.subscribe(stream);
    } else if (is("POST", "/v1/streams")) {
        forward(loop_, stream, channel::header(request.headers, "banger-target"));
    } else if (is("PUT", "/v1/files")) {
        receive_files(loop_, stream, channel::header(request.headers, "banger-directory"));
    } else if (is("POST", "/v1/identity")) {
        identity(stream);
    } else if (is("POST", "/v1/shutdown")) {
        shutdown(stream);
    } else {
        fail(ErrorCode::NotFound, "the agent knows no {} {}", request.method, request.path);
    }
}

void Api::hello(const Stream &stream) const {
    utsname names{};
    ::uname(&names);
    channel::Hello hello;
    hello.boot_generation = boot_generation_;
    hello.boot_id = read_file("/proc/sys/kernel/random/boot_id");
    hello.boot_id.erase(std::min(hello.boot_id.find('\n'), hello.boot_id.size()));
    hello.agent_version = BANGER_VERSION;
    hello.init = to_string(init_);
    hello.kernel = names.release;
    answer(stream, to_json(hello));
}

void Api::identity(const Stream &stream) {
    constexpr std::size_t limit = 1U << 20U;
    with_body(stream, limit, [stream](const std::string &body) {
        Json warnings = Json::array();
        const identity::Identity identity = identity::identity_from_json(body);
        identity::apply_clock(identity);
        identity::apply(identity, "/", [&](std::string_view warning) {
            log(warning);
            warnings.push_back(warning);
        });
        answer(stream,
               Json{{"warnings", warnings}}.dump(-1, ' ', false, Json::error_handler_t::replace));
    });
}

void Api::shutdown(const Stream &stream) {
    constexpr std::size_t limit = 4096;
    with_body(stream, limit, [this, stream](const std::string &body) {
        constexpr std::uint64_t usual_grace = 2000;
        constexpr std::uint64_t longest_grace = 60000;
        const Json json = Json::parse(body.empty() ? "{}" : body, nullptr, false);
        if (!json.is_object()) {
            fail(ErrorCode::InvalidArgument, "the request to shut down is no JSON object");
        }
        std::uint64_t grace = usual_grace;
        if (const auto given = json.find("grace_ms");
            given != json.end() && given->is_number_unsigned()) {
            grace = std::min(given->get<std::uint64_t>(), longest_grace);
        }
        shutdown_.begin(std::chrono::milliseconds(grace), [this, stream] {
            answer(stream, "{}");
            // After the answer has been sent: this agent may be what ends the machine.
            constexpr std::chrono::milliseconds moment{10};
            leave_ = loop_.timer(moment, [this] { shutdown_.leave(); });
        });
    });
}

} // namespace banger::agent
