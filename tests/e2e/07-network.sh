#!/usr/bin/env bash
# What a guest may reach (docs/architecture.md): its own user's guests, DNS and ping on the host, the outside with NAT.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

run alice banger vm run --name one -- true
run alice banger vm run --name two --nat -- true
check "a machine with NAT runs" status_is 0
run alice banger vm exec one -- ping -c 1 -W 2 two.vm
check "guests of one user reach each other by name" status_is 0
run alice banger vm exec one -- getent hosts one.vm
check "a guest resolves itself" status_is 0

gateway=$(alice banger vm exec one -- sh -c "ip route | awk '/^default/ { print \$3 }'" </dev/null)
run alice banger vm exec one -- ping -c 1 -W 2 "$gateway"
check "the host answers a ping" status_is 0
alice sh -c 'systemd-run --user --quiet --collect --unit=listener python3 -m http.server 8123 --bind 0.0.0.0' </dev/null
check "something listens on the host" eventually 10 alice curl -sf http://127.0.0.1:8123/
run alice banger vm exec one -- curl -s -m 5 "http://$gateway:8123/"
check "a guest does not reach it" fails
check "and is refused at once" within 3
alice systemctl --user stop listener </dev/null

archive=$(root apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' </dev/null | head -n 1)
host=$(sed 's,^[a-z]*://\([^/:]*\).*,\1,' <<<"$archive")
run alice banger vm exec two -- curl -sI -m 20 "$archive"
check "with NAT the outside is there" out_has '^HTTP/'
run alice banger vm exec one -- getent hosts "$host"
check "without NAT no name of the outside resolves" fails
check "and is refused at once" within 3
run alice banger vm exec one -- ping -c 1 -W 2 -n 10.231.1.1
check "without NAT nothing leaves" fails

run alice banger vm delete one two
check "delete takes several names" status_is 0
check "nothing is left" nothing_left alice
