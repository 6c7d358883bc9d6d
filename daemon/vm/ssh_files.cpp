#include "daemon/vm/ssh_files.hpp"

#include "base/error.hpp"
#include "base/files.hpp"
#include "base/log.hpp"

namespace banger::vm {
namespace {

constexpr std::string_view host_key_name = "ssh_host_ed25519_key";
constexpr std::size_t key_limit = 64U << 10U;

std::string first_line(const std::string &text) {
    return text.substr(0, text.find('\n'));
}

} // namespace

std::filesystem::path user_key(const Paths &paths, const config::Config &config) {
    return config.ssh_key_path.value.empty() ? paths.ssh() / "id_ed25519"
                                             : config.ssh_key_path.value;
}

Command make_key_command(const std::filesystem::path &key, const std::string &comment) {
    Command command;
    command.argv = {"ssh-keygen", "-q", "-t",    "ed25519", "-N",
                    "",           "-C", comment, "-f",      key.string()};
    return command;
}

std::filesystem::path host_keys_directory(const Paths &paths, const VmName &name) {
    return paths.vm_state(name) / "host_keys";
}

std::vector<std::string> authorized_keys(const Paths &paths, const config::Config &config) {
    const std::filesystem::path file = user_key(paths, config).string() + ".pub";
    try {
        return {first_line(read_file(file, key_limit))};
    } catch (const Error &e) {
        throw e.with_context("the public key that the guest is to let in");
    }
}

std::map<std::string, std::string> host_keys(const Paths &paths, const VmName &name) {
    std::map<std::string, std::string> keys;
    const auto directory = host_keys_directory(paths, name);
    for (const std::string_view suffix : {"", ".pub"}) {
        const std::string file = fmt::format("{}{}", host_key_name, suffix);
        keys[file] = read_file(directory / file, key_limit);
    }
    return keys;
}

std::filesystem::path known_hosts_file(const Paths &paths) {
    return paths.ssh() / "known_hosts";
}

void write_ssh_files(const Paths &paths, const config::Config &config,
                     const std::vector<KnownHost> &hosts) {
    std::string known = "# Kept by bangerd: the host keys it made for each VM.\n";
    for (const auto &host : hosts) {
        const auto file =
            host_keys_directory(paths, host.name) / fmt::format("{}.pub", host_key_name);
        try {
            known += fmt::format("{}{}{} {}\n", host.host_name, host.ip_address.empty() ? "" : ",",
                                 host.ip_address, first_line(read_file(file, key_limit)));
        } catch (const Error &e) {
            log::warning(
                fmt::format("{} is left out of known_hosts: {}", host.host_name, e.what()));
        }
    }
    make_private_directories(paths.ssh());
    write_file_atomically(known_hosts_file(paths), known);
    make_private_directories(paths.config);
    write_file_atomically(
        paths.config / "ssh_config",
        fmt::format("# Kept by bangerd. 'banger ssh-config --install' includes it "
                    "in ~/.ssh/config.\n"
                    "Host *.vm\n"
                    "    User root\n"
                    "    IdentityFile \"{}\"\n"
                    "    IdentitiesOnly yes\n"
                    "    UserKnownHostsFile \"{}\"\n"
                    "    GlobalKnownHostsFile /dev/null\n"
                    "    StrictHostKeyChecking yes\n"
                    "    KexAlgorithms ^curve25519-sha256\n",
                    user_key(paths, config).string(), known_hosts_file(paths).string()));
}

} // namespace banger::vm
