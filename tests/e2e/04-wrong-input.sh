#!/usr/bin/env bash
# Each wrong input gives one clear error and leaves nothing behind.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# refuses DESCRIPTION WORD COMMAND…: fails with banger's own status and one line that has WORD in it.
refuses() {
    local description=$1 word=$2
    shift 2
    run alice banger "$@"
    check "$description is refused" fails
    check "$description: one line says so" err_is_one_line
    check "$description: it names what is wrong" err_has "$word"
}

refuses "a name with capitals" 'Bad_Name' vm run --name Bad_Name -- true
refuses "a name that starts with a dash" '-x' vm create --name=-x
refuses "a name of 64 letters" 'name' vm create --name "$(printf 'a%.0s' {1..64})"
refuses "no CPU" 'vcpu' vm run --name wrong --vcpu 0 -- true
refuses "one MiB of memory" 'memory' vm run --name wrong --memory 1 -- true
refuses "a disk that is no size" 'disk' vm run --name wrong --disk-size big -- true
refuses "an image that does not exist" 'no-such-image' vm run --name wrong --image no-such-image -- true
refuses "an unknown flag" 'frobnicate' vm run --frobnicate
refuses "--rm with --detach" 'detach|--rm' vm run --rm -d
refuses "--branch without a path" 'branch' vm run --branch x
refuses "a machine that does not exist" 'nobody' vm start nobody
run alice banger vm exec nobody -- true
check "exec's own failure is 125" status_is 125

alice sh -c 'mkdir -p ~/.config/banger && printf "default_image_name = \"debian-bookworm\"\nfrobnicate = 1\n" \
    >~/.config/banger/config.toml; systemctl --user stop bangerd' </dev/null
refuses "a config with an unknown key" 'config\.toml.*2.*frobnicate' vm run --name wrong -- true
run alice banger vm list
check "which keeps nobody from the machines that there are" status_is 0
alice sh -c 'rm ~/.config/banger/config.toml; systemctl --user stop bangerd' </dev/null

alice sh -c 'cd ~/.local/state/banger && systemctl --user stop bangerd && cp state.db ~/state.db.good && rm -f state.db-* &&
    head -c 8192 /dev/urandom >state.db && sha256sum state.db >~/damaged' </dev/null
run alice banger vm list
check "a damaged state.db is an error of every call" fails
check "that names the file" err_has 'state\.db'
run alice sh -c 'cd ~/.local/state/banger && sha256sum -c ~/damaged'
check "and the file is left alone" status_is 0
alice sh -c 'systemctl --user stop bangerd; cp ~/state.db.good ~/.local/state/banger/state.db' </dev/null

run alice banger vm list -a -q
check "no machine was made" out_is ''
check "nothing is left" nothing_left alice
