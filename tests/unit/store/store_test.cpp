#include "base/files.hpp"
#include "daemon/store/store.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

namespace banger::store {
namespace {

class StoreTest : public testing::Test {
protected:
    StoreTest() {
        std::string name = testing::TempDir() + "banger-store-XXXXXX";
        directory_ = ::mkdtemp(name.data());
    }
    ~StoreTest() override { std::filesystem::remove_all(directory_); }

    std::filesystem::path file() const { return directory_ / "state.db"; }

    static VmRecord record(std::string_view name, std::uint8_t host_number) {
        VmRecord r{VmName(name)};
        r.id = "id-of-" + std::string(name);
        r.phase = Phase::Ready;
        r.image = "debian-bookworm";
        r.image_digest = "aa";
        r.kernel = "debian-6.1";
        r.vcpus = 2;
        r.memory_mib = 1024;
        r.disk_bytes = 8ULL << 30U;
        r.overlay_bytes = 9ULL << 30U;
        r.nat = true;
        r.workspace = "/home/a/repo";
        r.host_number = host_number;
        r.machine_id = "bb";
        r.created_usec = 1'700'000'000'000'000;
        r.boot_generation = 3;
        r.last_error = Error(ErrorCode::VmmFailed, "the VMM crashed");
        return r;
    }

    ErrorCode code_on_open() const {
        try {
            const Store store(file());
        } catch (const Error &e) {
            return e.code();
        }
        return ErrorCode::Internal;
    }

    std::filesystem::path directory_;
};

TEST_F(StoreTest, ARecordSurvivesTheProcess) {
    Store(file()).insert(record("sandbox", 2));
    const auto found = Store(file()).find_vm(VmName("sandbox"));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->id, "id-of-sandbox");
    EXPECT_EQ(found->phase, Phase::Ready);
    EXPECT_EQ(found->overlay_bytes, 9ULL << 30U);
    EXPECT_TRUE(found->nat);
    EXPECT_FALSE(found->allow_host);
    EXPECT_EQ(found->host_number, 2);
    EXPECT_EQ(found->created_usec, 1'700'000'000'000'000U);
    ASSERT_TRUE(found->last_error);
    EXPECT_EQ(found->last_error->code(), ErrorCode::VmmFailed);
}

TEST_F(StoreTest, RecordsAreListedByNameChangedAndRemoved) {
    Store store(file());
    store.insert(record("b", 2));
    store.insert(record("a", 3));
    VmRecord changed = record("b", 2);
    changed.nat = false;
    changed.last_error.reset();
    store.update(changed);
    const auto all = store.vms();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].name.str(), "a");
    EXPECT_FALSE(all[1].nat);
    EXPECT_FALSE(all[1].last_error);
    store.remove(VmName("a"));
    EXPECT_FALSE(store.find_vm(VmName("a")));
    EXPECT_THROW(store.update(record("a", 3)), Error);
}

TEST_F(StoreTest, ANameAndAnAddressAreGivenOnce) {
    Store store(file());
    store.insert(record("a", 2));
    for (const auto &again : {record("a", 3), record("b", 2)}) {
        try {
            store.insert(again);
            ADD_FAILURE() << again.name.str();
        } catch (const Error &e) {
            EXPECT_EQ(e.code(), ErrorCode::AlreadyExists);
        }
    }
    EXPECT_EQ(store.vms().size(), 1U);
}

TEST_F(StoreTest, FactsAreKept) {
    Store(file()).set_fact("domain", "vm");
    Store store(file());
    EXPECT_EQ(store.fact("domain"), "vm");
    store.set_fact("domain", "alice.vm");
    EXPECT_EQ(store.fact("domain"), "alice.vm");
    EXPECT_EQ(store.fact("other"), std::nullopt);
}

TEST_F(StoreTest, ADamagedFileIsReportedAndLeftAlone) {
    const std::string garbage(8192, 'x');
    write_file_atomically(file(), garbage);
    EXPECT_EQ(code_on_open(), ErrorCode::StateCorrupt);
    EXPECT_EQ(read_file(file()), garbage);
}

TEST_F(StoreTest, ADamagedPageIsFoundWhenItIsOpened) {
    {
        Store store(file());
        for (std::uint8_t number = 2; number < 200; ++number) {
            store.insert(record(fmt::format("vm-{}", number), number));
        }
    }
    std::fstream stream(file(), std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(4096);
    for (int page = 0; page < 4; ++page) {
        stream << std::string(4096, '\x7f');
    }
    stream.close();
    EXPECT_EQ(code_on_open(), ErrorCode::StateCorrupt);
}

TEST_F(StoreTest, ANewerSchemaIsRefusedAndLeftAlone) {
    { const Store store(file()); }
    SQLite::Database(file().string(), SQLite::OPEN_READWRITE).exec("PRAGMA user_version = 99");
    try {
        const Store store(file());
        FAIL();
    } catch (const Error &e) {
        EXPECT_EQ(e.code(), ErrorCode::StateCorrupt);
        EXPECT_NE(std::string(e.what()).find("newer banger"), std::string::npos);
    }
    EXPECT_EQ(SQLite::Database(file().string()).execAndGet("PRAGMA user_version").getInt(), 99);
}

TEST_F(StoreTest, TheDatabaseIsPrivate) {
    const auto before = ::umask(077);
    const Store store(file());
    ::umask(before);
    EXPECT_EQ(std::filesystem::status(file()).permissions() & std::filesystem::perms(0077),
              std::filesystem::perms::none);
}

} // namespace
} // namespace banger::store
