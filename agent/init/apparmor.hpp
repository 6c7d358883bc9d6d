#pragma once

namespace banger::init {

/// Debian's kernel has AppArmor. Docker and others that find it enabled start nothing without
/// apparmor_parser(8), and an image made for containers has none: it reads as disabled then, until
/// the guest has got that program. What fails is told on the console.
void hide_apparmor_without_its_parser();

} // namespace banger::init
