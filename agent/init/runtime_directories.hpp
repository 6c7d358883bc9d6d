#pragma once

namespace banger::init {

/// What programs expect of any machine, in the guest's root: /tmp and /run, even if the image has
/// none. With an init that mounts nothing by itself (none, or another than systemd) also a file
/// system in memory on /run, with what the image has there, and on /dev/shm. What fails is told on
/// the console.
void make_runtime_directories(bool systemd);

} // namespace banger::init
