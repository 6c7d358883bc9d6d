#!/usr/bin/env bash
# machines: box host
# zoo: large
# Any image boots, the part of it that takes its time: Debian 13 in zstd layers, and 500 MB and more in ten layers.
# shellcheck source=../lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=../zoo.sh
. "$(dirname "$0")/../zoo.sh"

zoo_registry large

pull debian13
boot debian13 -- sh -c '. /etc/os-release; echo "$VERSION_CODENAME $(systemctl is-system-running)"; exit 42'
check "debian13: exit status" status_is 42
check "debian13: systemd is content" out_is 'trixie running'

pull large
boot large -- sh -c 'echo "int main() { return 42; }" >program.c && gcc -o program program.c && ./program'
check "large: its compiler makes a program, and that exits" status_is 42

run alice banger image delete debian13 large
check "they are deleted" status_is 0
end_zoo_registry
check "nothing is left" nothing_left alice
