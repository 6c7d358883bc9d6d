# Every outside library, named once; docs/architecture.md says why each is here.
find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(sdbus-c++ REQUIRED)
find_package(sdbus-c++-tools REQUIRED)

pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(LIBNL REQUIRED IMPORTED_TARGET libnl-route-3.0 libnl-3.0)
pkg_check_modules(NFTABLES REQUIRED IMPORTED_TARGET libnftables)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(ARCHIVE REQUIRED IMPORTED_TARGET libarchive)
# For its btree_map, which holds millions of names in a third of std::map's memory. The containers are headers; this is all that
# they need of the rest.
pkg_check_modules(ABSL REQUIRED IMPORTED_TARGET absl_throw_delegate)
pkg_check_modules(EXT2FS REQUIRED IMPORTED_TARGET ext2fs com_err)
pkg_check_modules(ELF REQUIRED IMPORTED_TARGET libelf)
pkg_check_modules(CRYPTO REQUIRED IMPORTED_TARGET libcrypto)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(NGHTTP2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(LDNS REQUIRED IMPORTED_TARGET ldns)
find_package(SQLiteCpp REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)
if(BUILD_TESTING)
  find_package(GTest REQUIRED)
endif()

# The same two, static, for what runs in the guest.
find_library(BANGER_STATIC_NGHTTP2 NAMES libnghttp2.a REQUIRED)
find_library(BANGER_STATIC_ARCHIVE NAMES libarchive.a REQUIRED)
