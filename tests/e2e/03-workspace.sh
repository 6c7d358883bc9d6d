#!/usr/bin/env bash
# A repository in the machine is what `git ls-files` has, as it is in the working tree; nothing else.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

alice bash -s <<'SETUP'
set -e
rm -rf repo && mkdir repo && cd repo
git init -q -b main && git config user.name Alice && git config user.email alice@example.org
printf 'test:\n\t@echo tested; ./script\n' >Makefile
printf '#!/bin/sh\necho from a script\n' >script && chmod +x script
ln -s Makefile link && echo tracked >$'new\nline' && echo original >edited && echo ignored >.gitignore
git add -A && git commit -qm first
echo changed >edited && echo staged >staged && git add staged
echo secret >.env && echo nobody >ignored
SETUP

run alice banger vm run ./repo --dry-run
listed=$out
run alice sh -c 'cd repo && git ls-files'
check "--dry-run lists what git ls-files lists" test "$(sort <<<"$listed")" = "$(sort <<<"$out")"
run alice banger vm list -a -q
check "and makes nothing" out_is ''

run alice sh -c 'cd repo && git status --porcelain --untracked-files=no'
on_host=$out
run alice banger vm run --name work ./repo -- make test
check "make test runs in the repository" out_has '^tested$'
check "an executable is executable" out_has '^from a script$'
check "one notice says that untracked files were left out" test "$(grep -c untracked <<<"$err")" -eq 1
run alice banger vm exec work -- sh -c 'cd /root/repo && git status --porcelain'
check "git status agrees" out_is "$on_host"
run alice banger vm exec work -- sh -c 'cd /root/repo && git ls-files -z | tr "\0\n" "\n?"'
check "a file name with a newline arrives" out_has '^new\?line$'
run alice banger vm exec work -- readlink /root/repo/link
check "a symlink stays one" out_is Makefile
run alice banger vm exec work -- cat /root/repo/edited
check "uncommitted edits are there" out_is changed
run alice banger vm exec work -- ls -A /root/repo
check "the untracked secret is not" out_lacks '^\.env$'
check "nor the ignored file" out_lacks '^ignored$'

run alice banger vm run --rm --include-untracked ./repo -- ls -A
check "--include-untracked brings the secret" out_has '^\.env$'
check "ignored files never come" out_lacks '^ignored$'
run alice banger vm list -a -q
check "--rm has deleted its machine" out_is work

run alice banger vm run --name no /nowhere -- true
check "a path that is not there is refused" fails
check "by name" err_has '/nowhere'
run alice sh -c 'mkdir -p plain && banger vm run --name no ./plain -- true'
check "so is one that is no repository" fails
run alice banger vm list -a -q
check "before any machine exists" out_is work
run alice banger vm delete work
check "nothing is left" nothing_left alice
