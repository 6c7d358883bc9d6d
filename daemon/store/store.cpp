#include "daemon/store/store.hpp"

#include "base/files.hpp"
#include "daemon/store/migrations.hpp"

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include <type_traits>

namespace banger::store {
namespace {

constexpr std::string_view columns =
    "name, id, phase, image, image_digest, kernel, vcpus, memory_mib, disk_bytes, overlay_bytes, "
    "nat, allow_host, workspace, host_number, machine_id, created_usec, started_usec, "
    "boot_generation, vmm, vmm_reason, error_kind, error_message";

std::string_view to_string(Phase phase) noexcept {
    switch (phase) {
    case Phase::Creating:
        return "creating";
    case Phase::Ready:
        return "ready";
    case Phase::Deleting:
        return "deleting";
    }
    return "ready";
}

Phase phase_from(std::string_view text) noexcept {
    for (const auto phase : {Phase::Creating, Phase::Deleting}) {
        if (to_string(phase) == text) {
            return phase;
        }
    }
    return Phase::Ready;
}

Error translated(const SQLite::Exception &e, const std::filesystem::path &file) {
    switch (e.getErrorCode()) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return {ErrorCode::StateCorrupt,
                fmt::format("the records in {} are damaged ({}). The file was left as it is: "
                            "restore it from a backup, or move it away to begin with none",
                            file.string(), e.what())};
    case SQLITE_FULL:
        return {ErrorCode::DiskFull, fmt::format("no room left to write {}", file.string())};
    default:
        return {ErrorCode::Internal, fmt::format("{}: {}", file.string(), e.what())};
    }
}

/// Binds values to the parameters ?1, ?2 … in the order they come.
class Binder {
public:
    explicit Binder(SQLite::Statement &statement) : statement_(statement) {}

    void operator()(std::string_view value) { statement_.bind(++index_, std::string(value)); }
    template <typename T>
    requires std::is_integral_v<T>
    void operator()(T value) { statement_.bind(++index_, static_cast<std::int64_t>(value)); }

private:
    SQLite::Statement &statement_;
    int index_ = 0;
};

/// Reads the columns of a row in the order they come.
class ColumnReader {
public:
    explicit ColumnReader(SQLite::Statement &statement) : statement_(statement) {}

    std::string text() { return statement_.getColumn(index_++).getString(); }
    template <typename T>
    T number() {
        return static_cast<T>(statement_.getColumn(index_++).getInt64());
    }

private:
    SQLite::Statement &statement_;
    int index_ = 0;
};

void bind_record(SQLite::Statement &statement, const VmRecord &r) {
    Binder bind(statement);
    bind(r.name.str());
    bind(r.id);
    bind(to_string(r.phase));
    bind(r.image);
    bind(r.image_digest);
    bind(r.kernel);
    bind(r.vcpus);
    bind(r.memory_mib);
    bind(r.disk_bytes);
    bind(r.overlay_bytes);
    bind(r.nat);
    bind(r.allow_host);
    bind(r.workspace);
    bind(r.host_number);
    bind(r.machine_id);
    bind(r.created_usec);
    bind(r.started_usec);
    bind(r.boot_generation);
    bind(r.vmm);
    bind(r.vmm_reason);
    bind(r.last_error ? banger::to_string(r.last_error->code()) : std::string_view{});
    bind(r.last_error ? std::string_view{r.last_error->what()} : std::string_view{});
}

VmRecord read_record(SQLite::Statement &statement) {
    ColumnReader row(statement);
    VmRecord r{VmName(row.text())};
    r.id = row.text();
    r.phase = phase_from(row.text());
    r.image = row.text();
    r.image_digest = row.text();
    r.kernel = row.text();
    r.vcpus = row.number<std::uint32_t>();
    r.memory_mib = row.number<std::uint64_t>();
    r.disk_bytes = row.number<std::uint64_t>();
    r.overlay_bytes = row.number<std::uint64_t>();
    r.nat = row.number<int>() != 0;
    r.allow_host = row.number<int>() != 0;
    r.workspace = row.text();
    r.host_number = row.number<std::uint8_t>();
    r.machine_id = row.text();
    r.created_usec = row.number<std::uint64_t>();
    r.started_usec = row.number<std::uint64_t>();
    r.boot_generation = row.number<std::uint64_t>();
    r.vmm = row.text();
    r.vmm_reason = row.text();
    const std::string kind = row.text();
    const std::string message = row.text();
    if (!kind.empty()) {
        r.last_error = Error(error_code_from(kind), message);
    }
    return r;
}

} // namespace

struct Store::Impl {
    explicit Impl(const std::filesystem::path &file)
        : path(file), database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE) {}

    /// Runs `body`; what SQLite throws becomes an Error.
    template <typename Body>
    auto translating(Body body) -> decltype(body()) {
        try {
            return body();
        } catch (const SQLite::Exception &e) {
            throw translated(e, path);
        }
    }

    int version() { return database.execAndGet("PRAGMA user_version").getInt(); }

    void check() {
        // Reads pages of every table: a damaged file is found now, not in the middle of an
        // operation.
        const std::string verdict = database.execAndGet("PRAGMA quick_check(1)").getString();
        if (verdict != "ok") {
            throw SQLite::Exception(verdict, SQLITE_CORRUPT);
        }
        const int newest = static_cast<int>(migrations().size());
        if (version() > newest) {
            fail(ErrorCode::StateCorrupt,
                 "{} was written by a newer banger (schema {}, this one knows {}). The file was "
                 "left as it is: install the newer version again",
                 path.string(), version(), newest);
        }
    }

    void migrate() {
        const auto steps = migrations();
        for (auto next = static_cast<std::size_t>(version()); next < steps.size(); ++next) {
            SQLite::Transaction transaction(database);
            database.exec(std::string(steps[next]));
            database.exec(fmt::format("PRAGMA user_version = {}", next + 1));
            transaction.commit();
        }
    }

    std::filesystem::path path;
    SQLite::Database database;
};

Store::Store(const std::filesystem::path &file) {
    make_private_directories(file.parent_path());
    try {
        impl_ = std::make_unique<Impl>(file);
        impl_->check();
        impl_->database.exec("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON; "
                             "PRAGMA synchronous = FULL;");
        impl_->database.setBusyTimeout(2000);
        impl_->migrate();
    } catch (const SQLite::Exception &e) {
        throw translated(e, file);
    }
}

Store::~Store() = default;

std::vector<VmRecord> Store::vms() {
    return impl_->translating([&] {
        SQLite::Statement query(impl_->database,
                                fmt::format("SELECT {} FROM vm ORDER BY name", columns));
        std::vector<VmRecord> records;
        while (query.executeStep()) {
            records.push_back(read_record(query));
        }
        return records;
    });
}

std::optional<VmRecord> Store::find_vm(const VmName &name) {
    return impl_->translating([&]() -> std::optional<VmRecord> {
        SQLite::Statement query(impl_->database,
                                fmt::format("SELECT {} FROM vm WHERE name = ?1", columns));
        query.bind(1, name.str());
        if (!query.executeStep()) {
            return std::nullopt;
        }
        return read_record(query);
    });
}

void Store::insert(const VmRecord &record) {
    if (find_vm(record.name)) {
        fail(ErrorCode::AlreadyExists, "there is a VM '{}' already", record.name.str());
    }
    impl_->translating([&] {
        SQLite::Statement query(impl_->database,
                                fmt::format("INSERT INTO vm ({}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
                                            "?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, "
                                            "?18, ?19, ?20, ?21, ?22)",
                                            columns));
        bind_record(query, record);
        try {
            query.exec();
        } catch (const SQLite::Exception &e) {
            if (e.getErrorCode() == SQLITE_CONSTRAINT) {
                fail(ErrorCode::AlreadyExists, "the record of the VM '{}' collides: {}",
                     record.name.str(), e.what());
            }
            throw;
        }
    });
}

void Store::update(const VmRecord &record) {
    const int changed = impl_->translating([&] {
        SQLite::Statement query(
            impl_->database,
            fmt::format("UPDATE vm SET ({}) = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
                        "?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22) WHERE name = ?1",
                        columns));
        bind_record(query, record);
        return query.exec();
    });
    if (changed == 0) {
        fail(ErrorCode::NotFound, "there is no VM '{}'", record.name.str());
    }
}

void Store::remove(const VmName &name) {
    impl_->translating([&] {
        SQLite::Statement query(impl_->database, "DELETE FROM vm WHERE name = ?1");
        query.bind(1, name.str());
        query.exec();
    });
}

std::optional<std::string> Store::fact(std::string_view key) {
    return impl_->translating([&]() -> std::optional<std::string> {
        SQLite::Statement query(impl_->database, "SELECT value FROM fact WHERE key = ?1");
        query.bind(1, std::string(key));
        if (!query.executeStep()) {
            return std::nullopt;
        }
        return query.getColumn(0).getString();
    });
}

void Store::set_fact(std::string_view key, std::string_view value) {
    impl_->translating([&] {
        SQLite::Statement query(impl_->database,
                                "INSERT INTO fact (key, value) VALUES (?1, ?2) "
                                "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
        query.bind(1, std::string(key));
        query.bind(2, std::string(value));
        query.exec();
    });
}

} // namespace banger::store
