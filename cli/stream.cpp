#include "cli/verbs.hpp"
#include "cli/vm_info.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <thread>

namespace banger::cli {
namespace {

constexpr std::chrono::seconds connect_timeout{30};

struct Flags {
    std::string name;
    std::uint16_t port = 0;
    bool pass_descriptor = false;
};

// As ssh's ProxyUseFdpass wants it: one byte, and the descriptor beside it.
void pass_descriptor(int socket, int fd) {
    char byte = 0;
    iovec vector{&byte, 1};
    std::array<char, CMSG_SPACE(sizeof(int))> buffer{};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = buffer.data();
    message.msg_controllen = buffer.size();
    cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
    if (::sendmsg(socket, &message, MSG_NOSIGNAL) != 1) {
        throw_errno("pass the connection on");
    }
}

void copy(int from, int to) {
    std::array<char, 64UL * 1024UL> buffer{};
    while (true) {
        ssize_t n = ::read(from, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return;
        }
        for (const char *data = buffer.data(); n > 0;) {
            const ssize_t written = ::write(to, data, static_cast<std::size_t>(n));
            if (written < 0 && errno == EINTR) {
                continue;
            }
            if (written < 0) {
                return;
            }
            data += written;
            n -= written;
        }
    }
}

int run(const Flags &flags) {
    UniqueFd stream;
    {
        Client client;
        const VmInfo vm = find_vm(client, flags.name);
        const Properties options{{"tcp", sdbus::Variant{flags.port}}};
        auto [fd] = client.call_and_wait<sdbus::UnixFd>(vm.path, names::vm, "OpenStream",
                                                        connect_timeout, options);
        stream = adopt(std::move(fd));
    }
    if (flags.pass_descriptor) {
        pass_descriptor(STDOUT_FILENO, stream.get());
        return 0;
    }
    std::thread input([&] {
        copy(STDIN_FILENO, stream.get());
        ::shutdown(stream.get(), SHUT_WR);
    });
    // The peer's end ends this program, whether or not our input still has something to say.
    input.detach();
    copy(stream.get(), STDOUT_FILENO);
    ::_exit(0);
}

} // namespace

void add_stream(CLI::App &root, Context &context) {
    const auto flags = std::make_shared<Flags>();
    CLI::App *verb =
        root.add_subcommand("stream", "Connect standard input and output to a port in a VM");
    verb->group("");
    verb->add_option("VM", flags->name, "Its name")->type_name(kind::vm)->required();
    verb->add_option("PORT", flags->port, "TCP port")->required();
    verb->add_flag("--pass-descriptor", flags->pass_descriptor,
                   "Hand the connection to who started this, for ssh's ProxyUseFdpass");
    verb->callback([flags, &context] { context.action = [flags] { return run(*flags); }; });
}

} // namespace banger::cli
