#include "daemon/task/child_task.hpp"

#include "base/error.hpp"

#include <sys/epoll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

namespace banger::task {
namespace {

constexpr std::size_t longest_line = 65536;
// The cause comes first: dpkg(1) goes on to tell of fifty other packages that failed by it.
constexpr std::size_t kept_complaints = 400;
constexpr std::chrono::seconds grace{8};

} // namespace

ChildTask::ChildTask(EventLoop &loop, Command command, Handlers handlers)
    : loop_(loop), handlers_(std::move(handlers)) {
    std::array<UniqueFd, 3> child_ends;
    if (handlers_.output) {
        open_stream(handlers_.output, child_ends[0]);
        command.standard_output = child_ends[0].get();
    }
    open_stream(
        [this](std::string_view line) {
            complaints_.emplace_back(line);
            if (complaints_.size() > kept_complaints) {
                complaints_.pop_front();
            }
            if (handlers_.complaint) {
                handlers_.complaint(line);
            }
        },
        child_ends[1]);
    command.standard_error = child_ends[1].get();
    if (handlers_.status) {
        open_stream(handlers_.status, child_ends[2]);
        command.descriptors.emplace_back(child_ends[2].get(), 3);
    }
    child_ = spawn(command);
    child_.on_exit(loop_, [this](int status) { finish(status); });
}

ChildTask::~ChildTask() = default;

void ChildTask::open_stream(OnLine on_line, UniqueFd &child_end) {
    FdPair pipe = make_pipe();
    set_nonblocking(pipe.first.get());
    child_end = std::move(pipe.second);
    auto stream = std::make_unique<Stream>();
    stream->fd = std::move(pipe.first);
    stream->on_line = std::move(on_line);
    stream->source = loop_.add_io(stream->fd.get(), EPOLLIN,
                                  [this, raw = stream.get()](std::uint32_t) { read(*raw); });
    streams_.push_back(std::move(stream));
}

void ChildTask::read(Stream &stream) {
    std::array<char, 65536> buffer;
    for (;;) {
        const ssize_t n = ::read(stream.fd.get(), buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            stream.source.reset();
            return;
        }
        stream.pending.append(buffer.data(), static_cast<std::size_t>(n));
        std::size_t begin = 0;
        // Progress bars end their lines with a carriage return.
        for (std::size_t end = 0;
             (end = stream.pending.find_first_of("\r\n", begin)) != std::string::npos;
             begin = end + 1) {
            if (end > begin) {
                stream.on_line(std::string_view{stream.pending}.substr(begin, end - begin));
            }
        }
        stream.pending.erase(0, begin);
        if (stream.pending.size() > longest_line) {
            stream.pending.clear();
        }
    }
}

void ChildTask::stop() {
    child_.kill(SIGTERM);
    kill_timer_ = loop_.add_timer(grace, [this] { child_.kill(SIGKILL); });
}

void ChildTask::finish(int status) {
    kill_timer_.reset();
    // A grandchild may hold the other ends open: what is there now is all that counts.
    for (auto &stream : streams_) {
        if (stream->source) {
            read(*stream);
        }
        if (!stream->pending.empty()) {
            stream->on_line(stream->pending);
        }
        stream->source.reset();
    }
    const auto ended = std::move(handlers_.ended);
    ended(status);
}

} // namespace banger::task
