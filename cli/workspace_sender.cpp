#include "cli/workspace_sender.hpp"

#include "cli/job_progress.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

namespace banger::cli {
namespace {

constexpr std::chrono::milliseconds redraw_interval{100};
constexpr std::chrono::hours longest_copy{24};

// Writes the archive into a pipe in a thread of its own: reading files and packing them blocks.
class Sender {
public:
    explicit Sender(const WorkspaceArchive &archive)
        : pipe_(make_pipe()), stop_(::eventfd(0, EFD_CLOEXEC)) {
        if (!stop_) {
            throw_errno("create an eventfd");
        }
        set_nonblocking(pipe_.second.get());
        thread_ = std::thread([this, &archive] { run(archive); });
    }
    ~Sender() { finish(); }
    Sender(const Sender &) = delete;
    Sender &operator=(const Sender &) = delete;

    int reader() const noexcept { return pipe_.first.get(); }
    void close_reader() noexcept { pipe_.first.reset(); }
    std::uint64_t written() const noexcept { return written_; }

    /// Stops it if it still writes. The result is what went wrong on this side, if anything.
    std::optional<Error> finish() {
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t n = ::write(stop_.get(), &one, sizeof one);
        if (thread_.joinable()) {
            thread_.join();
        }
        return error_;
    }

private:
    void run(const WorkspaceArchive &archive) noexcept {
        try {
            archive.write(pipe_.second.get(), stop_.get(), written_);
        } catch (const Error &e) {
            error_ = e;
        } catch (const std::exception &e) {
            error_ = Error(ErrorCode::Internal, e.what());
        }
        pipe_.second.reset();
    }

    FdPair pipe_;
    UniqueFd stop_;
    std::atomic<std::uint64_t> written_ = 0;
    std::optional<Error> error_; // of the thread until it is joined
    std::thread thread_;
};

} // namespace

void send_workspace(Client &client, const sdbus::ObjectPath &vm, const WorkspaceArchive &archive,
                    const std::string &directory, const std::string &title) {
    ProgressView view(title);
    Sender sender(archive);
    const std::uint64_t total = std::max<std::uint64_t>(archive.bytes(), 1);
    EventSource timer;
    std::function<void()> draw = [&] {
        const double fraction = static_cast<double>(sender.written()) / static_cast<double>(total);
        view.show({"copying " + directory, std::min(fraction, 1.0), sender.written(), 0});
        timer = client.loop().add_timer(redraw_interval, draw);
    };
    draw();
    sdbus::UnixFd reader{sender.reader()};
    sender.close_reader();
    try {
        client.call_and_wait<std::uint64_t, std::uint64_t>(vm, names::vm, "PutFiles", longest_copy,
                                                           directory, reader, Properties{});
    } catch (const Error &e) {
        // A cause on this side says more than the torn stream that the guest saw.
        reader = sdbus::UnixFd{};
        throw sender.finish().value_or(e);
    }
    if (const auto error = sender.finish()) {
        throw *error;
    }
}

} // namespace banger::cli
