#!/usr/bin/env bash
# machines: box host
# zoo: small
# Any image boots to a command's exit status: with systemd, OpenRC, busybox or no init, with one C library, another or
# none, with the directories and settings that its own machine needed and without those that any needs.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=zoo.sh
. "$(dirname "$0")/zoo.sh"

zoo_registry small

pull debian12
run alice banger vm run "${PATIENCE[@]}" --name debian12 --image debian12 -- \
    sh -c 'echo "$GREETING $(systemctl is-system-running)"; exit 42'
check "debian12: exit status" status_is 42
check "debian12: its variables, and systemd is content" out_is 'hello running'
run alice banger vm ssh debian12 -- sh -c 'findmnt -no FSTYPE /; exit 43'
check "debian12: a session by ssh" status_is 43
run alice banger vm delete debian12

pull harmed
boot harmed -- sh -c '
    systemctl list-units --all --plain --no-legend --type=mount,swap --state=failed,activating
    systemctl list-jobs --no-legend
    grep nameserver /etc/resolv.conf; getent hosts "$(hostname)"; stat -c "%n %a" /tmp /root; mount | grep -c " /root "
    exit 42'
check "harmed: a foreign fstab, masked units, dangling links and missing directories do not keep it from booting" status_is 42
check "harmed: name and resolver are the VM's" out_has '^nameserver 172\.16\.'
check "harmed: so is its name" out_has '^172\.16\..*\.vm'
check "harmed: nothing waits for disks that it has not" out_lacks '\.(mount|swap|device|service) '
check "harmed: /tmp and /root are there" out_has $'^/tmp 1777\n/root 755\n1$'

pull aimless
boot aimless -- sh -c 'systemctl is-active multi-user.target; exit 42'
check "aimless: with the target of its boot masked it boots all the same" status_is 42
check "aimless: to that target" out_is active

pull initless
boot initless -- sh -c 'cat /run/file /tmp/file; stat -c "%U %g %a" /run/service /tmp; cat /proc/1/comm; exit 42'
check "initless: nobody waits for an sshd that nobody starts" status_is 42
check "initless: what the image has in /run and /tmp is there" \
    out_is $'kept\nkept\nUNKNOWN 4321 2775\nroot 0 1777\nagent'

pull openrc
run alice banger vm run "${PATIENCE[@]}" --name openrc --image openrc -- \
    sh -c 'for second in $(seq 90); do [ -e /run/zoo ] && break; sleep 1; done; cat /run/zoo; id -u; exit 42'
check "openrc: exit status" status_is 42
check "openrc: its services run, and the command as the image's user" out_is $'started\n1000'
run alice banger vm exec --user root openrc -- sh -c 'modprobe dummy && cat /proc/modules'
check "openrc: modules are where its modprobe looks" out_has '^dummy '
run alice banger vm stop openrc
check "openrc: it stops" status_is 0
run alice banger vm start openrc
run alice banger vm exec openrc -- cat /var/log/zoo
check "openrc: and had stopped its services" out_is stopped
run alice banger vm ssh openrc -- true
check "openrc: without an sshd, vm ssh says what to use instead" err_has 'runs no sshd: use `banger vm exec'
run alice banger vm delete openrc

pull busybox
boot busybox -- sh -c 'cat /proc/1/comm; mount | grep -c -E " on (/run|/dev/shm) "; exit 42'
check "busybox: an init whose inittab names what is not there" status_is 42
check "busybox: runs, and has what programs expect" out_is $'linuxrc\n2'

pull musl
boot musl -- /bin/zoo 42 /tmp /run /dev/shm /root
check "musl: a loader and a program are enough" status_is 42
check "musl: and what a program expects is there" \
    out_is 'zoo: user 0, /tmp writable, /run writable, /dev/shm writable, /root writable'

pull static
boot static
check "static: of an index of platforms, ours, with its entrypoint and command" status_is 7
boot static -- 42 /nowhere
check "static: a single program takes our arguments" out_is 'zoo: user 0, /nowhere not writable'
check "static: and exits" status_is 42

pull layers
boot layers -- sh -c '
    ls /opaque /kept /gone; cat /becomes-directory/file /becomes-file /becomes-real-directory/file /kept/c
    stat -c %a /setuid; exit 42'
check "layers: exit status" status_is 42
check "layers: what the lower ones had and the upper ones removed is gone" \
    out_is $'/gone:\na\n\n/kept:\na\nanother-name\nc\n\n/opaque:\nthird\nsecond\nsecond\nsecond\nthird\n6755'

pull odd
boot odd
check "odd: an image without one usual directory runs its shell, which ends with its input" status_is 0
boot odd -- sh -c '
    for link in /usr /lib /etc /root /run; do [ -d $link/. ] || echo "$link leads nowhere"; done
    [ -c /dev/null ] && [ -e /proc/self ] && [ -d /sys/class ] && [ -d /lib/modules ] || echo "no kernel"
    [ -x /usr/opt/busybox ] || echo "its own link is hidden"
    echo written >/root/file && echo written >/tmp/file && echo written >/run/file || echo "cannot write"
    hostname; exit 42'
check "odd: exit status" status_is 42
check "odd: its links lead where they led, and what a machine has is behind them" out_has '^[a-z0-9-]+$'

run alice banger image delete debian12 harmed aimless initless openrc busybox musl static layers odd
check "they are deleted" status_is 0
end_zoo_registry
check "nothing is left" nothing_left alice
