#include "daemon/vm/run_async.hpp"

#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

namespace banger::vm {
namespace {

/// Collects what arrives in a pipe, up to a limit; the rest is read and dropped.
class Collector {
public:
    Collector(EventLoop &loop, UniqueFd fd, std::function<void()> ended)
        : fd_(std::move(fd)), ended_(std::move(ended)) {
        set_nonblocking(fd_.get());
        source_ = loop.add_io(fd_.get(), EPOLLIN, [this](std::uint32_t) { read_some(); });
    }

    bool open() const { return static_cast<bool>(fd_); }
    const std::string &text() const { return text_; }

private:
    void read_some() {
        std::array<char, 4096> buffer{};
        for (;;) {
            const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
            if (n < 0 && errno == EINTR) {
                continue;
            }
            if (n < 0 && errno == EAGAIN) {
                return;
            }
            if (n <= 0) {
                break;
            }
            constexpr std::size_t limit = 1U << 20U;
            if (text_.size() < limit) {
                text_.append(buffer.data(), static_cast<std::size_t>(n));
            }
        }
        source_.reset();
        fd_.reset();
        // A copy: the callback may destroy this.
        const auto ended = ended_;
        ended();
    }

    UniqueFd fd_;
    std::function<void()> ended_;
    EventSource source_;
    std::string text_;
};

std::string last_line(std::string_view text) {
    while (!text.empty() && text.back() == '\n') {
        text.remove_suffix(1);
    }
    const auto begin = text.rfind('\n');
    return std::string(begin == std::string_view::npos ? text : text.substr(begin + 1));
}

class Run final : public AsyncRun {
public:
    Run(EventLoop &loop, Command command, std::function<void(Outcome<std::string>)> done)
        : program_(command.argv.at(0)), done_(std::move(done)) {
        FdPair out = make_pipe();
        FdPair err = make_pipe();
        command.standard_output = out.second.get();
        command.standard_error = err.second.get();
        child_ = spawn(command);
        out_ = std::make_unique<Collector>(loop, std::move(out.first), [this] { check(); });
        err_ = std::make_unique<Collector>(loop, std::move(err.first), [this] { check(); });
        child_.on_exit(loop, [this](int status) {
            status_ = status;
            check();
        });
    }

private:
    void check() {
        if (!status_ || out_->open() || err_->open()) {
            return;
        }
        const auto done = std::exchange(done_, {});
        if (!done) {
            return;
        }
        if (WIFEXITED(*status_) && WEXITSTATUS(*status_) == 0) {
            done(out_->text());
            return;
        }
        const std::string why = last_line(err_->text());
        done(Error(ErrorCode::Internal, fmt::format("{} {}{}{}", program_, describe_exit(*status_),
                                                    why.empty() ? "" : ": ", why)));
    }

    std::string program_;
    std::function<void(Outcome<std::string>)> done_;
    std::unique_ptr<Collector> out_;
    std::unique_ptr<Collector> err_;
    std::optional<int> status_;
    ChildProcess child_;
};

} // namespace

std::unique_ptr<AsyncRun> run_async(EventLoop &loop, Command command,
                                    std::function<void(Outcome<std::string>)> done) {
    return std::make_unique<Run>(loop, std::move(command), std::move(done));
}

} // namespace banger::vm
