# shellcheck shell=bash
# What a scenario is written with. A scenario is a file that runs on this machine and speaks to the users of the test
# machine (box or host) through the command line. Each check prints a TAP line and the scenario goes on.
#
#   . "$(dirname "$0")/lib.sh"
#   run alice banger vm run --name sandbox -- sh -c 'exit 42'
#   check "the exit status is the command's" status_is 42

set -uo pipefail

E2E_FOLDER=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
E2E_MACHINE=${E2E_MACHINE:-box}
E2E_CHECKS=0
E2E_FAILED=0
E2E_WORK=$(mktemp -d)
# The host is emulated, and a guest in it slower again: limits of time are the box's.
E2E_SLOWER=1
[ "$E2E_MACHINE" = box ] || E2E_SLOWER=8
# Of `vm run`: how long each step of a boot may take, 90 s as its default is.
# shellcheck disable=SC2034
PATIENCE=(--ready-timeout "$((90 * E2E_SLOWER))s")

# as USER COMMAND…: in the machine, with standard input, output and exit status.
as() {
    local user=$1
    shift
    "$E2E_FOLDER/../$E2E_MACHINE/$E2E_MACHINE" run -u "$user" -- "$@"
}
alice() { as alice "$@"; }
bob() { as bob "$@"; }
root() { as root "$@"; }

# run USER COMMAND…: sets status, out, err and seconds; 180 s of the box at most, or $LIMIT.
run() {
    local user=$1 start=$EPOCHREALTIME
    shift
    ran="$user: $*"
    status=0
    timeout $((${LIMIT:-180} * E2E_SLOWER)) "$E2E_FOLDER/../$E2E_MACHINE/$E2E_MACHINE" run -u "$user" -- "$@" \
        >"$E2E_WORK/out" 2>"$E2E_WORK/err" </dev/null || status=$?
    out=$(tr -d '\r' <"$E2E_WORK/out")
    err=$(cat "$E2E_WORK/err")
    seconds=$(awk -v a="$start" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
}

# check DESCRIPTION COMMAND…
check() {
    local description=$1
    shift
    E2E_CHECKS=$((E2E_CHECKS + 1))
    if "$@"; then
        echo "ok $E2E_CHECKS - $description"
        return
    fi
    E2E_FAILED=$((E2E_FAILED + 1))
    echo "not ok $E2E_CHECKS - $description"
    {
        echo "check: $*"
        echo "last run: ${ran:-none} (exit status ${status:-none}, ${seconds:-?} s)"
        printf 'out: %s\n' "$(tail -n 15 <<<"${out:-}")"
        printf 'err: %s\n' "$(tail -n 15 <<<"${err:-}")"
    } | sed 's/^/#   /'
}

status_is() { [ "$status" -eq "$1" ]; }
fails() { [ "$status" -ne 0 ]; }
out_is() { [ "$out" = "$1" ]; }
out_has() { grep -qE -- "$1" <<<"$out"; }
out_lacks() { ! out_has "$1"; }
err_has() { grep -qE -- "$1" <<<"$err"; }
err_is_one_line() { [ "$(wc -l <<<"$err")" -eq 1 ]; }
within() { awk -v took="$seconds" -v limit="$(($1 * E2E_SLOWER))" 'BEGIN { exit !(took <= limit) }'; }

# eventually SECONDS COMMAND…: until it succeeds; its output is nobody's.
eventually() {
    local deadline=$((SECONDS + $1 * E2E_SLOWER))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.2
    done
}

# state_is USER VM STATE, as `banger vm list` shows it
state_is() {
    as "$1" banger vm show "$2" --json </dev/null | jq -e --arg state "$3" '.state == $state' >/dev/null
}

# nothing_left USER [VM]: what a deleted VM must not leave in the machine; prints what it finds.
nothing_left() {
    local user=$1 vm=${2:-} found
    found=$(root sh -c '
        user=$1 vm=$2
        uid=$(id -u "$user")
        home=$(getent passwd "$user" | cut -d: -f6)
        ip -o tuntap list
        ip -o link show type bridge
        nft list tables | grep -i banger
        find "$home/.config/systemd" "/run/user/$uid/systemd" "/run/user/$uid/banger" \
            -name "*banger-vm@*${vm}*" 2>/dev/null
        find "$home/.local/state/banger/vms" "/run/user/$uid/banger/vm" -mindepth 1 -maxdepth 1 2>/dev/null
        pgrep -u "$user" -f -a "[q]emu-system-|[f]irecracker|[b]anger-vm-supervisor"
        ls "/etc/systemd/network" | grep -i banger
        true' sh "$user" "$vm" </dev/null)
    [ -z "$found" ] || {
        echo "# left behind:"
        echo "#   ${found//$'\n'/$'\n'#   }"
        return 1
    }
}

# Every scenario starts with no VM of anybody's.
clean_slate() {
    local user vm
    for user in alice bob; do
        # An absent daemon has no VM.
        for vm in $(as "$user" banger vm list -a -q </dev/null 2>/dev/null); do
            as "$user" banger vm delete "$vm" </dev/null >/dev/null 2>&1
        done
    done
}

finish() {
    rm -rf "$E2E_WORK"
    echo "1..$E2E_CHECKS"
    [ -z "${E2E_RESULT:-}" ] || echo "$((E2E_CHECKS - E2E_FAILED)) $E2E_FAILED" >"$E2E_RESULT"
    [ "$E2E_FAILED" -eq 0 ] && [ "$E2E_CHECKS" -gt 0 ]
}
trap finish EXIT

clean_slate
