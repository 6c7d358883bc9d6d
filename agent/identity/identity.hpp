#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace banger::identity {

/// All that differs between two VMs of one shape, and between two starts of one VM. bangerd writes
/// it to the config disk on every start; banger-init reads it there; the channel can apply a new
/// one live.
struct Identity {
    std::string hostname; ///< "sandbox"
    std::string domain;   ///< "vm", or "alice.vm" for later users of a host; without a leading dot
    std::string machine_id; ///< 32 hexadecimal digits, for /etc/machine-id
    std::string address;    ///< "172.16.0.2"; empty: no network
    std::uint32_t prefix_length = 24;
    std::string gateway; ///< also the resolver
    std::string resolver;
    std::string mac;                          ///< which link gets the address
    std::vector<std::string> authorized_keys; ///< lines for /root/.ssh/authorized_keys
    /// File name under /etc/ssh ("ssh_host_ed25519_key", "….pub") to content.
    std::map<std::string, std::string> ssh_host_keys;
    std::string git_config;            ///< for /root/.gitconfig if the guest has none; may be empty
    std::uint64_t boot_generation = 0; ///< counts the starts of this VM
    std::int64_t realtime_usec = 0;    ///< host's CLOCK_REALTIME when written; 0: leave the clock
};

std::string to_json(const Identity &identity);
/// Hostile input: every field is checked (lengths, character sets, no newline where a line is
/// meant). Throws Error{InvalidArgument} that names the field.
Identity identity_from_json(std::string_view text);

/// The config disk: a raw block device image, no file system. Bytes 0-15 the magic
/// "BANGER-IDENTITY\n", 16-23 the length of the JSON (little endian), from 4096 the JSON,
/// zero-padded to a multiple of 4096; at most 1 MiB.
std::string config_disk_image(const Identity &identity);
/// The inverse; nullopt when `image` does not begin with the magic. Throws Error for a damaged one.
std::optional<Identity> identity_from_config_disk(std::string_view image);

} // namespace banger::identity
