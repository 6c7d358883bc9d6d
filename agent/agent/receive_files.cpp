#include "agent/agent/process.hpp"
#include "agent/agent/pump.hpp"
#include "agent/agent/unpack.hpp"
#include "agent/channel/messages.hpp"
#include "agent/channel/server.hpp"
#include "base/error.hpp"
#include "base/files.hpp"

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>

namespace banger::agent {
namespace {

using Json = nlohmann::json;

/// Runs in the child: standard input and result are the two descriptors.
int unpack_below(const std::string &directory, int input, int result) {
    std::string answer;
    int status = 0;
    try {
        std::filesystem::create_directories(directory);
        // No name and no link leads out of a root directory.
        if (::chroot(directory.c_str()) != 0 || ::chdir("/") != 0) {
            throw_errno(fmt::format("enter {}", directory));
        }
        ::umask(022);
        const Unpacked done = unpack_tar(input);
        answer = Json{{"entries", done.entries}, {"bytes", done.bytes}}.dump();
    } catch (const Error &error) {
        answer = channel::to_json(error);
        status = 1;
    } catch (const std::exception &error) {
        answer = channel::to_json(Error(ErrorCode::Internal, error.what()));
        status = 1;
    }
    write_all(result, answer, "the result");
    return status;
}

/// The child that unpacks, as the agent sees it.
struct Unpacking : std::enable_shared_from_this<Unpacking> {
    Unpacking(Loop &the_loop, channel::Stream the_stream)
        : loop(the_loop), stream(std::move(the_stream)) {}

    void start(const std::string &directory) {
        FdPair input = make_pipe();
        FdPair answer = make_pipe();
        pid = fork_helper({input.first.get(), answer.second.get()}, [&] {
            return unpack_below(directory, input.first.get(), answer.second.get());
        });
        result = std::move(answer.first);
        const auto self = shared_from_this();
        child = loop.child(pid, [self](int status) { self->finished(status); });

        set_nonblocking(input.second.get());
        channel::StreamCallbacks callbacks;
        const auto inlet =
            std::make_shared<Inlet>(loop, stream, std::move(input.second), Inlet::OnEnd::Close);
        inlet->join(callbacks);
        callbacks.on_close = [self](channel::CloseReason reason) {
            if (reason != channel::CloseReason::Finished && self->pid > 0) {
                ::kill(self->pid, SIGKILL);
            }
        };
        stream.set_callbacks(std::move(callbacks));
    }

    void finished(int status) {
        const auto self = shared_from_this();
        child.reset();
        pid = -1;
        std::array<char, 4096> text{};
        set_nonblocking(result.get());
        const ssize_t n = ::read(result.get(), text.data(), text.size());
        const std::string_view answer{text.data(), n > 0 ? static_cast<std::size_t>(n) : 0};
        if (status == 0) {
            stream.respond(200, {{"content-type", "application/json"}});
            stream.write(answer);
            stream.end();
        } else {
            channel::respond_error(
                stream, answer.empty()
                            ? Error(ErrorCode::Internal, "unpacking in the guest was killed")
                            : channel::parse_error(answer));
        }
    }

    Loop &loop;
    channel::Stream stream;
    pid_t pid = -1;
    UniqueFd result;
    Loop::Watch child;
};

} // namespace

void receive_files(Loop &loop, const channel::Stream &stream, std::string_view directory) {
    if (!directory.starts_with('/')) {
        fail(ErrorCode::InvalidArgument, "the header banger-directory '{}' is no absolute path",
             directory);
    }
    std::make_shared<Unpacking>(loop, stream)->start(std::string(directory));
}

} // namespace banger::agent
