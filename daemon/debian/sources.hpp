#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace banger::debian {

/// One archive of Debian, as an apt source names it.
struct Source {
    std::string uri;       ///< "http://deb.debian.org/debian"
    std::string suite;     ///< "bookworm-updates"
    std::string signed_by; ///< path of a keyring; empty: what apt trusts anyway
};

/// What of this host's apt sources is Debian's own main archive: signed by the Debian archive's
/// keyring, or without a keyring of its own under a path that ends in /debian or /debian-security.
/// Reads sources.list(5), both formats.
std::vector<Source> host_sources(const std::filesystem::path &etc_apt = "/etc/apt");

/// The lines of a sources.list for `suite` with its updates and security, from the mirrors that the
/// host uses where it uses any, else from deb.debian.org. All are signed by `keyring` unless the
/// host says by which.
std::vector<std::string> source_lines(const std::vector<Source> &host, std::string_view suite,
                                      const std::filesystem::path &keyring);

/// Debian's public keys, of the package debian-archive-keyring. Throws Error{Unsupported} that says
/// what to install.
std::filesystem::path archive_keyring();

/// Of the output of `apt-config dump`, what decides whether the archive can be reached: proxies,
/// retries, checks of dates.
std::string transport_settings(std::string_view apt_config);

/// Of the output of `apt-config dump`: the proxy for https if `https`, else for http, as a URL;
/// empty: none. What apt would ask a program for, or sets for one host alone, does not count.
std::string proxy(std::string_view apt_config, bool https);

} // namespace banger::debian
