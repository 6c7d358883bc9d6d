#include "tests/integration/supervisor/harness.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "dbus/compat.hpp"
#include "dbus/guard.hpp"

#include <org.banger.Supervision_adaptor.hpp>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <thread>

namespace banger::supervisor {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

std::string required(const char *name) {
    const char *value = std::getenv(name);
    if (value == nullptr) {
        throw std::runtime_error(std::string(name) + " is not set: run this test by ctest");
    }
    return value;
}

class FakeBangerd : public sdbus::AdaptorInterfaces<org::banger::Supervision_adaptor> {
public:
    FakeBangerd(sdbus::IConnection &connection, std::function<std::string()> prepare)
        : AdaptorInterfaces(connection, sdbus::ObjectPath{"/org/banger/Manager"}),
          prepare_(std::move(prepare)) {
        registerAdaptor();
    }
    ~FakeBangerd() { unregisterAdaptor(); }
    FakeBangerd(const FakeBangerd &) = delete;
    FakeBangerd &operator=(const FakeBangerd &) = delete;

private:
    void Prepare(sdbus::Result<std::string> &&result, std::string) override {
        const bus::Reply<std::string> reply(std::move(result));
        try {
            reply(prepare_());
        } catch (...) {
            reply.fail_with_current_exception();
        }
    }

    std::function<std::string()> prepare_;
};

} // namespace

struct SupervisorTest::Bus {
    ChildProcess daemon;
    std::string address;
    std::unique_ptr<sdbus::IConnection> connection;
    std::unique_ptr<FakeBangerd> bangerd;

    Bus(const fs::path &socket, std::function<std::string()> prepare) {
        FdPair out = make_pipe();
        Command command;
        command.argv = {"dbus-daemon", "--session", "--nofork", "--print-address=3",
                        "--address=unix:path=" + socket.string()};
        command.descriptors = {{out.second.get(), 3}};
        command.die_with_parent = true;
        daemon = spawn(command);
        out.second.reset();
        std::array<char, 512> line{};
        const ssize_t n = ::read(out.first.get(), line.data(), line.size());
        address.assign(line.data(), static_cast<std::size_t>(n));
        address = address.substr(0, address.find('\n'));
        connection = sdbus::createSessionBusConnectionWithAddress(address);
        connection->requestName(bus::ServiceName{"org.banger.Manager"});
        bangerd = std::make_unique<FakeBangerd>(*connection, std::move(prepare));
        connection->enterEventLoopAsync();
    }
    ~Bus() { connection->leaveEventLoop(); }
    Bus(const Bus &) = delete;
    Bus &operator=(const Bus &) = delete;
};

SupervisorTest::SupervisorTest() {
    std::string pattern = testing::TempDir() + "/sv.XXXXXX";
    root_ = ::mkdtemp(pattern.data());
    const fs::path state = root_ / "state/banger/vms/sandbox";
    fs::create_directories(state);
    for (const char *file : {"kernel", "initrd", "overlay.ext4"}) {
        write_file_atomically(root_ / file, "");
    }
    machine = {
        .name = "sandbox",
        .kind = vmm::Kind::Qemu,
        .accelerator = vmm::Accelerator::Tcg,
        .binary = required("BANGER_TEST_VMM"),
        .vcpus = 1,
        .memory_mib = 512,
        .kernel = root_ / "kernel",
        .initrd = root_ / "initrd",
        .extra_command_line = "",
        .disks = {{.id = "overlay", .path = root_ / "overlay.ext4", .read_only = false}},
        .nic = {},
        .confined = true,
        .runtime_directory = directory(),
        .state_directory = state,
    };
    bus_ = std::make_unique<Bus>(root_ / "bus", [this] {
        if (on_prepare) {
            on_prepare();
        }
        write_file_atomically(directory() / "machine.json", vmm::to_json(machine));
        return directory().string();
    });
    notify_socket_ = UniqueFd{::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (root_ / "notify").string().copy(address.sun_path, sizeof address.sun_path - 1);
    if (::bind(notify_socket_.get(), reinterpret_cast<sockaddr *>(&address), sizeof address) != 0) {
        throw_errno("bind the notification socket");
    }
}

SupervisorTest::~SupervisorTest() {
    process_ = {};
    // The next test counts its own.
    EXPECT_TRUE(vmm_is_gone_within(5s));
    bus_.reset();
    fs::remove_all(root_);
}

void SupervisorTest::start() {
    Command command;
    command.argv = {required("BANGER_SUPERVISOR"), "sandbox"};
    command.environment = {
        "XDG_RUNTIME_DIR=" + (root_ / "run").string(),
        "XDG_STATE_HOME=" + (root_ / "state").string(),
        "DBUS_SESSION_BUS_ADDRESS=" + bus_->address,
        "NOTIFY_SOCKET=" + (root_ / "notify").string(),
    };
    command.die_with_parent = true;
    process_ = spawn(command);
}

void SupervisorTest::wait_for_notification(const std::string &text, std::chrono::seconds deadline) {
    for (const std::string &earlier : notifications) {
        if (earlier.find(text) != std::string::npos) {
            return;
        }
    }
    const auto end = std::chrono::steady_clock::now() + deadline;
    for (;;) {
        pollfd wait{notify_socket_.get(), POLLIN, 0};
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            end - std::chrono::steady_clock::now());
        if (left <= 0ms || ::poll(&wait, 1, static_cast<int>(left.count())) <= 0) {
            throw std::runtime_error("the supervisor did not notify " + text);
        }
        std::array<char, 4096> buffer{};
        const ssize_t n = ::recv(notify_socket_.get(), buffer.data(), buffer.size(), 0);
        notifications.emplace_back(buffer.data(),
                                   static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
        if (notifications.back().find(text) != std::string::npos) {
            return;
        }
    }
}

void SupervisorTest::signal(int number) const {
    ::kill(process_.pid(), number);
}

fs::path SupervisorTest::directory() const {
    return root_ / "run/banger/vm/sandbox";
}

nlohmann::json SupervisorTest::last_exit() const {
    return nlohmann::json::parse(read_file(machine.state_directory / "last-exit.json"));
}

ControlClient SupervisorTest::connect() const {
    ControlClient client(directory() / "supervisor.sock");
    const nlohmann::json hello = client.receive();
    EXPECT_EQ(hello, (nlohmann::json{{"hello", {{"version", 1}, {"name", "sandbox"}}}}));
    return client;
}

RunningExec SupervisorTest::exec(ControlClient &client, const std::vector<std::string> &argv) {
    FdPair input = make_pipe();
    FdPair output = make_pipe();
    const std::uint64_t id = next_id_++;
    client.send({{"id", id},
                 {"op", "exec"},
                 {"argv", argv},
                 {"env", nlohmann::json::array()},
                 {"cwd", ""},
                 {"user", ""},
                 {"tty", nullptr},
                 {"detach", false},
                 {"streams", {"stdin", "stdout"}}},
                {input.first.get(), output.second.get()});
    const nlohmann::json answer = client.receive_with("id");
    if (!answer.contains("ok")) {
        throw std::runtime_error("the exec was refused: " + answer.dump());
    }
    auto descriptors = client.take_descriptors();
    return {.control = ControlClient(std::move(descriptors.at(0))),
            .input = std::move(input.second),
            .output = std::move(output.first)};
}

void SupervisorTest::end_guest(const std::string &how) {
    ControlClient client = connect();
    // Its hang-up would take the program along before it had begun.
    exec(client, {"end", how}).control.receive();
}

std::size_t SupervisorTest::anonymous_kib() const {
    const std::string status = read_file(fmt::format("/proc/{}/status", process_.pid()));
    const std::string key = "RssAnon:";
    return std::stoul(status.substr(status.find(key) + key.size()));
}

std::vector<pid_t> SupervisorTest::vmm_processes() const {
    std::vector<pid_t> found;
    for (const auto &entry : fs::directory_iterator("/proc")) {
        const std::string name = entry.path().filename();
        pid_t pid = 0;
        if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) {
            continue;
        }
        std::error_code gone;
        // The VMM's working directory is its own; bubblewrap's is not.
        const fs::path place = fs::read_symlink(entry.path() / "cwd", gone);
        const fs::path program = fs::read_symlink(entry.path() / "exe", gone);
        if (!gone && place == "/vm" && program == machine.binary) {
            found.push_back(pid);
        }
    }
    return found;
}

bool SupervisorTest::vmm_is_gone_within(std::chrono::seconds deadline) const {
    const auto end = std::chrono::steady_clock::now() + deadline;
    while (!vmm_processes().empty()) {
        if (std::chrono::steady_clock::now() >= end) {
            return false;
        }
        std::this_thread::sleep_for(10ms);
    }
    return true;
}

std::string read_to_end(int fd) {
    std::string text;
    std::array<char, 65536> buffer{};
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n <= 0) {
            return text;
        }
        text.append(buffer.data(), static_cast<std::size_t>(n));
    }
}

} // namespace banger::supervisor
