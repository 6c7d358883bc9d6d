#include "daemon/store/store.hpp"
#include "dbus/compat.hpp"
#include "private_bus.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>

namespace banger {
namespace {

constexpr const char *name = "org.banger.Manager";
constexpr const char *path = "/org/banger/Manager";
using Options = std::map<std::string, sdbus::Variant>;
using Rows = std::vector<sdbus::Struct<std::string, std::string, sdbus::ObjectPath>>;

/// A real bangerd on a bus of its own, for a user with an empty home. There is no systemd and no
/// network helper on that bus.
class DaemonTest : public testing::Test {
protected:
    DaemonTest() {
        std::string text = testing::TempDir() + "bngrdXXXXXX";
        root = ::mkdtemp(text.data());
        std::filesystem::create_directories(root / "run");
        std::filesystem::create_directories(root / "bin");
        std::filesystem::create_directories(state_directory());
        std::filesystem::create_directories(root / ".config/banger");
        bus = std::make_unique<test::PrivateBus>(root);
        connection = sdbus::createSessionBusConnectionWithAddress(bus->address());
        connection->enterEventLoopAsync();
    }
    ~DaemonTest() override {
        daemon.kill(SIGTERM);
        if (daemon) {
            EXPECT_EQ(daemon.wait(), 0);
        }
        connection->leaveEventLoop();
        std::filesystem::remove_all(root);
    }

    std::filesystem::path state_directory() const { return root / ".local/state/banger"; }

    void start() {
        Command command;
        command.argv = {BANGERD};
        command.environment = {"HOME=" + root.string(),
                               "XDG_RUNTIME_DIR=" + (root / "run").string(),
                               "XDG_CONFIG_HOME=",
                               "XDG_STATE_HOME=",
                               "XDG_CACHE_HOME=",
                               "DBUS_SESSION_BUS_ADDRESS=" + bus->address(),
                               "DBUS_SYSTEM_BUS_ADDRESS=unix:path=" +
                                   (root / "no-system-bus").string(),
                               "PATH=" + (root / "bin").string(), // nothing to build images with
                               "NOTIFY_SOCKET="};
        daemon = spawn(command);
        const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds{20};
        const auto dbus = sdbus::createProxy(*connection, bus::ServiceName{"org.freedesktop.DBus"},
                                             sdbus::ObjectPath{"/org/freedesktop/DBus"});
        bool owned = false;
        while (!owned && std::chrono::steady_clock::now() < deadline) {
            dbus->callMethod("NameHasOwner")
                .onInterface("org.freedesktop.DBus")
                .withArguments(std::string{name})
                .storeResultsTo(owned);
        }
        ASSERT_TRUE(owned);
        proxy = sdbus::createProxy(*connection, bus::ServiceName{name}, sdbus::ObjectPath{path});
    }

    template <typename Result, typename... Args>
    Result call(const char *method, const Args &...args) {
        Result result;
        proxy->callMethod(method).onInterface(name).withArguments(args...).storeResultsTo(result);
        return result;
    }
    /// The name of the error that the call ends with, and in `message` its text.
    template <typename... Args>
    std::string error_of(const char *method, const Args &...args) {
        try {
            auto request =
                proxy->createMethodCall(bus::InterfaceName{name}, bus::MemberName{method});
            (void)(request << ... << args);
            proxy->callMethod(request);
        } catch (const sdbus::Error &e) {
            message = e.getMessage();
            return std::string{e.getName()};
        }
        return "no error";
    }
    std::string busctl(std::vector<std::string> arguments) {
        Command command;
        command.argv = {"busctl", "--address=" + bus->address()};
        command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
        return run_and_read(command);
    }

    std::filesystem::path root;
    std::unique_ptr<test::PrivateBus> bus;
    std::unique_ptr<sdbus::IConnection> connection;
    std::unique_ptr<sdbus::IProxy> proxy;
    ChildProcess daemon;
    std::string message;
};

TEST_F(DaemonTest, ShowsItsApiToBusctl) {
    start();
    const std::string api = busctl({"introspect", name, path});
    for (const char *member : {".CreateVM", ".ListVMs", ".JobRemoved", ".GetManagedObjects",
                               ".Version", "org.banger.Supervision"}) {
        EXPECT_NE(api.find(member), std::string::npos) << member;
    }
    EXPECT_EQ(busctl({"call", name, path, name, "ListVMs"}), "a(sso) 0\n");
    EXPECT_NE(busctl({"introspect", name, "/org/freedesktop/LogControl1"}).find(".LogLevel"),
              std::string::npos);
}

TEST_F(DaemonTest, WrongInputHasAnErrorNameAndChangesNothing) {
    start();
    EXPECT_EQ(error_of("GetVM", std::string{"x"}), "org.banger.Error.NotFound");
    EXPECT_EQ(error_of("CreateVM", std::string{"Bad_Name"}, Options{}),
              "org.banger.Error.InvalidArgument");
    EXPECT_EQ(error_of("CreateVM", std::string{"x"}, Options{{"colour", sdbus::Variant{1}}}),
              "org.banger.Error.InvalidArgument");
    EXPECT_NE(message.find("'colour' is not known"), std::string::npos);
    EXPECT_EQ(error_of("CreateVM", std::string{"x"},
                       Options{{"vcpus", sdbus::Variant{std::string{"2"}}}}),
              "org.banger.Error.InvalidArgument");
    EXPECT_EQ(error_of("CreateVM", std::string{"x"},
                       Options{{"vcpus", sdbus::Variant{std::uint32_t{0}}}}),
              "org.banger.Error.InvalidArgument");
    EXPECT_EQ(error_of("CreateVM", std::string{"x"},
                       Options{{"image", sdbus::Variant{std::string{"nope"}}}}),
              "org.banger.Error.NotFound");
    EXPECT_EQ(error_of("StopVM", std::string{"x"}, Options{}), "org.banger.Error.NotFound");
    EXPECT_TRUE(call<Rows>("ListVMs").empty());
    EXPECT_FALSE(std::filesystem::exists(state_directory() / "vms"));
}

TEST_F(DaemonTest, AJobThatFailsIsToldAndLeavesNothing) {
    start();
    std::mutex mutex;
    std::condition_variable changed;
    std::string story;
    proxy->uponSignal("JobRemoved")
        .onInterface(name)
        .call([&](const std::uint32_t &, const sdbus::ObjectPath &, const std::string &subject,
                  const std::string &result) {
            const std::lock_guard lock(mutex);
            story = subject + " " + result;
            changed.notify_all();
        });
    bus::finish_registration(*proxy);
    const auto job = call<sdbus::ObjectPath>("CreateVM", std::string{"x"}, Options{});
    {
        std::unique_lock lock(mutex);
        changed.wait_for(lock, std::chrono::seconds{20}, [&] { return story == "x failed"; });
        EXPECT_EQ(story, "x failed");
    }
    const std::string shown = busctl({"get-property", name, job, "org.banger.Job", "State"});
    EXPECT_EQ(shown, "s \"failed\"\n");
    EXPECT_TRUE(call<Rows>("ListVMs").empty());
    EXPECT_FALSE(std::filesystem::exists(state_directory() / "vms/x"));
}

TEST_F(DaemonTest, DamagedRecordsAnswerEachCallAndAreLeftAlone) {
    const std::string garbage(8192, 'x');
    write_file_atomically(state_directory() / "state.db", garbage);
    start();
    EXPECT_EQ(error_of("ListVMs"), "org.banger.Error.StateCorrupt");
    EXPECT_NE(message.find("state.db"), std::string::npos);
    EXPECT_EQ(error_of("CreateVM", std::string{"x"}, Options{}), "org.banger.Error.StateCorrupt");
    EXPECT_EQ(read_file(state_directory() / "state.db"), garbage);
    EXPECT_NE(busctl({"introspect", name, path}).find(".CreateVM"), std::string::npos);
}

TEST_F(DaemonTest, AMistakeInTheConfigurationIsNamedByWhatNeedsIt) {
    write_file_atomically(root / ".config/banger/config.toml", "\ncolour = 1\n");
    start();
    EXPECT_EQ(error_of("CreateVM", std::string{"x"}, Options{}),
              "org.banger.Error.InvalidArgument");
    EXPECT_NE(message.find("config.toml:2: colour"), std::string::npos) << message;
    EXPECT_TRUE(call<Rows>("ListVMs").empty());
}

TEST_F(DaemonTest, OnlyASupervisorMayAskForAPreparation) {
    {
        store::Store store(state_directory() / "state.db");
        store::VmRecord record{VmName("x")};
        record.id = "1";
        record.phase = store::Phase::Ready;
        record.host_number = 2;
        store.insert(record);
    }
    start();
    const auto supervision =
        sdbus::createProxy(*connection, bus::ServiceName{name}, sdbus::ObjectPath{path});
    try {
        supervision->callMethod("Prepare")
            .onInterface("org.banger.Supervision")
            .withArguments(std::string{"x"});
        FAIL();
    } catch (const sdbus::Error &e) {
        EXPECT_NE(std::string{e.getName()}, "");
    }
    EXPECT_FALSE(std::filesystem::exists(root / "run/banger/vm/x"));
}

TEST_F(DaemonTest, TenVmsFitInEightMiB) {
    {
        store::Store store(state_directory() / "state.db");
        for (std::uint8_t number = 2; number < 12; ++number) {
            store::VmRecord record{VmName(fmt::format("vm-{}", number))};
            record.id = record.name.str();
            record.phase = store::Phase::Ready;
            record.host_number = number;
            store.insert(record);
        }
    }
    start();
    EXPECT_EQ(call<Rows>("ListVMs").size(), 10U);
    busctl({"call", name, path, "org.freedesktop.DBus.ObjectManager", "GetManagedObjects"});
    const std::string status = read_file(fmt::format("/proc/{}/status", daemon.pid()));
    const auto at = status.find("RssAnon:");
    ASSERT_NE(at, std::string::npos);
    const unsigned long kib = std::stoul(status.substr(at + 8));
    constexpr unsigned long bound_kib = 8UL * 1024;
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    EXPECT_LE(kib, bound_kib);
#else
    GTEST_SKIP() << "a sanitizer's own memory is counted: " << kib << " of " << bound_kib << " KiB";
#endif
}

} // namespace
} // namespace banger
