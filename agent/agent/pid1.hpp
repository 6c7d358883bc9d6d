#pragma once

namespace banger::agent {

/// What a guest without an init of its own lacks: file systems on /run, /tmp, /dev/shm. What is
/// there already stays.
void mount_api_file_systems() noexcept;

} // namespace banger::agent
