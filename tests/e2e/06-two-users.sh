#!/usr/bin/env bash
# Two users, each with a machine called sandbox, have nothing to do with each other; a third may make no network.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

run alice banger vm run --name sandbox -- true
check "alice has a sandbox" status_is 0
run bob banger vm run --name sandbox -- true
check "bob has one too" status_is 0

run alice banger vm show sandbox --json
alices=$(jq -r .ip_address <<<"$out")
alices_name=$(jq -r .host_name <<<"$out")
run bob banger vm show sandbox --json
bobs=$(jq -r .ip_address <<<"$out")
bobs_name=$(jq -r .host_name <<<"$out")
check "at different addresses" test "$alices" != "$bobs"
check "under different names" test "$alices_name" != "$bobs_name"
run alice getent hosts "$alices_name"
check "alice's name is alice's machine" out_has "^$alices "
run bob getent hosts "$bobs_name"
check "bob's name is bob's machine" out_has "^$bobs "

run alice banger vm exec sandbox -- ping -c 1 -W 2 "$bobs"
check "alice's guest does not reach bob's" fails
run bob banger vm exec sandbox -- ping -c 1 -W 2 "$alices"
check "nor bob's alice's" fails

run carol banger vm run --name mine -- true
check "carol, in no group, is refused" fails
check "and told what to do" err_has 'group banger|usermod'
run carol banger vm list -a -q
check "no machine of hers is left" out_is ''

run bob banger vm delete sandbox
check "bob deletes his" status_is 0
check "alice's runs on" state_is alice sandbox running
run alice banger vm delete sandbox
check "nothing is left" nothing_left alice
