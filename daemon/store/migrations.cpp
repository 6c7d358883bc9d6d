#include "daemon/store/migrations.hpp"

#include <array>

namespace banger::store {
namespace {

constexpr std::array<std::string_view, 1> steps{R"sql(
CREATE TABLE vm (
    name            TEXT NOT NULL PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    phase           TEXT NOT NULL CHECK (phase IN ('creating', 'ready', 'deleting')),
    image           TEXT NOT NULL,
    image_digest    TEXT NOT NULL,
    kernel          TEXT NOT NULL,
    vcpus           INTEGER NOT NULL,
    memory_mib      INTEGER NOT NULL,
    disk_bytes      INTEGER NOT NULL,
    overlay_bytes   INTEGER NOT NULL,
    nat             INTEGER NOT NULL,
    allow_host      INTEGER NOT NULL,
    workspace       TEXT NOT NULL,
    host_number     INTEGER NOT NULL UNIQUE CHECK (host_number BETWEEN 2 AND 254),
    machine_id      TEXT NOT NULL,
    created_usec    INTEGER NOT NULL,
    started_usec    INTEGER NOT NULL,
    boot_generation INTEGER NOT NULL,
    vmm             TEXT NOT NULL,
    vmm_reason      TEXT NOT NULL,
    error_kind      TEXT NOT NULL,
    error_message   TEXT NOT NULL
) STRICT;
CREATE TABLE fact (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
)sql"};

} // namespace

std::span<const std::string_view> migrations() noexcept {
    return steps;
}

} // namespace banger::store
