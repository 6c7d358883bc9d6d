#include "daemon/supervisor/service.hpp"

#include "base/error.hpp"
#include "daemon/supervisor/exec_session.hpp"
#include "daemon/supervisor/put_files.hpp"
#include "daemon/supervisor/stream_session.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <utility>

namespace banger::supervisor {
namespace {

// What nobody takes goes to the unit's journal: our own output leads there.
UniqueFd journal(int own_descriptor) {
    return UniqueFd{::dup(own_descriptor)};
}

void expect_count(const std::vector<UniqueFd> &descriptors, std::size_t count) {
    if (descriptors.size() != count) {
        fail(ErrorCode::InvalidArgument, "the request came with {} descriptors, not {}",
             descriptors.size(), count);
    }
}

} // namespace

void Service::handle(Operation operation, std::vector<UniqueFd> descriptors, const Answer &answer) {
    if (auto *exec_request = std::get_if<ExecRequest>(&operation)) {
        exec(std::move(*exec_request), std::move(descriptors), answer);
    } else if (const auto *open_request = std::get_if<OpenRequest>(&operation)) {
        open(*open_request, answer);
    } else if (const auto *put_request = std::get_if<PutFilesRequest>(&operation)) {
        put_files(*put_request, std::move(descriptors), answer);
    } else if (auto *identity_request = std::get_if<IdentityRequest>(&operation)) {
        identity(std::move(*identity_request), answer);
    }
}

void Service::exec(ExecRequest request, std::vector<UniqueFd> descriptors, const Answer &answer) {
    expect_count(descriptors, request.streams.size());
    ExecSession::Descriptors streams;
    for (std::size_t i = 0; i < request.streams.size(); ++i) {
        const std::string &name = request.streams[i];
        UniqueFd &slot =
            name == "stdin" ? streams.input : (name == "stdout" ? streams.output : streams.error);
        slot = std::move(descriptors[i]);
    }
    if (!streams.output) {
        streams.output = journal(STDOUT_FILENO);
    }
    // With a terminal the program's standard error is that terminal.
    if (request.spec.tty) {
        streams.error.reset();
    } else if (!streams.error) {
        streams.error = journal(STDERR_FILENO);
    }
    FdPair control = make_socket_pair(SOCK_SEQPACKET);
    sessions_.push_back(std::make_unique<ExecSession>(loop_, channel_, std::move(request.spec),
                                                      std::move(streams), std::move(control.first),
                                                      [this] { sweep(); }));
    std::vector<UniqueFd> callers_end;
    callers_end.push_back(std::move(control.second));
    answer.ok(std::move(callers_end));
}

void Service::open(const OpenRequest &request, const Answer &answer) {
    sessions_.push_back(std::make_unique<StreamSession>(
        loop_, channel_, request.target,
        StreamSession::Callbacks{.on_connected =
                                     [answer](UniqueFd end) {
                                         std::vector<UniqueFd> descriptors;
                                         descriptors.push_back(std::move(end));
                                         answer.ok(std::move(descriptors));
                                     },
                                 .on_failed = [answer](const Error &e) { answer.fail(e); },
                                 .on_finished = [this] { sweep(); }}));
}

void Service::put_files(const PutFilesRequest &request, std::vector<UniqueFd> descriptors,
                        const Answer &answer) {
    expect_count(descriptors, 1);
    sessions_.push_back(std::make_unique<PutFiles>(
        loop_, channel_, request.directory, std::move(descriptors.front()),
        PutFiles::Callbacks{.on_done = [answer](std::uint64_t entries,
                                                std::uint64_t bytes) { answer.ok(entries, bytes); },
                            .on_failed = [answer](const Error &e) { answer.fail(e); },
                            .on_finished = [this] { sweep(); }}));
}

void Service::identity(IdentityRequest request, const Answer &answer) {
    channel_.request("POST", "/v1/identity", std::move(request.identity),
                     {.on_done = [answer](const std::string &) { answer.ok(); },
                      .on_failed = [answer](const Error &e) { answer.fail(e); }});
}

void Service::sweep() {
    sweep_ = loop_.add_deferred(
        [this] { sessions_.remove_if([](const auto &session) { return session->finished(); }); });
}

} // namespace banger::supervisor
