#!/usr/bin/env bash
# machines: host
# Real Firecracker on KVM: which VMM runs and why, how its guest goes down, and who may not open /dev/kvm.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# told USER VM FILTER: whether what `vm show` tells fits
told() { as "$1" banger vm show "$2" --json </dev/null | jq -e "$3" >/dev/null; }
invocation() { alice systemctl --user show -p InvocationID --value banger-vm@fire </dev/null; }
boot_id() { alice timeout 60 banger vm exec fire -- cat /proc/sys/kernel/random/boot_id </dev/null; }

run alice banger vm run "${PATIENCE[@]}" --name fire -- systemd-detect-virt
check "a command runs in a machine that has booted" status_is 0
check "which KVM runs" out_is kvm
echo "# vm run until its command had ended: $seconds s"
run alice banger vm show fire
check "vm show names Firecracker and says why" \
    out_has 'VMM: firecracker \(Firecracker: /usr/local/bin/firecracker is there, and KVM is usable\)'
alice banger vm show fire </dev/null | sed -n '/Boot:/,$s/^ */# /p'
run alice banger doctor
check "so does doctor" out_has '^PASS +vmm +Firecracker: '
run root pgrep -u alice -x -a firecracker
check "it is Firecracker that runs" out_has '--config-file'
run root pgrep -u alice -f '[q]emu-system'
check "and no QEMU" out_is ''

before=$(boot_id)
unit=$(invocation)
another_boot() {
    local now
    now=$(boot_id) && [ -n "$now" ] && [ "$now" != "$before" ]
}
run alice banger vm exec fire -- reboot
check "reboot in the guest boots it again" eventually 30 another_boot
check "it is running" state_is alice fire running
check "in the same unit, which never ended" [ "$(invocation)" = "$unit" ]
check "and its timings are of this boot" told alice fire \
    '.boot_timings["agent-ready"] < 180e6 and .boot_timings["vmm-started"] < .boot_timings["agent-ready"]'
run alice banger vm exec fire -- sh -c 'echo written >/root/file'
run alice banger vm exec fire -- poweroff
check "poweroff in the guest ends in stopped" eventually 30 state_is alice fire stopped
run alice systemctl --user is-active banger-vm@fire
check "and in an inactive unit" out_is inactive
run root pgrep -u alice -x firecracker
check "without a VMM" out_is ''
run alice banger vm delete fire
check "nothing is left" nothing_left alice fire

# Bob, who is in group banger and not in group kvm. What a user manager may open is what its user might at its start.
bob_anew() { root systemctl restart "user@$(root id -u bob </dev/null).service" </dev/null; }
root gpasswd --delete bob kvm </dev/null >/dev/null
bob_anew
for vmm in auto firecracker; do
    bob sh -c "mkdir -p .config/banger && echo 'vmm = \"$vmm\"' >.config/banger/config.toml" </dev/null
    run bob banger vm run --name denied -- true
    check "vmm = $vmm: without group kvm there is an error" status_is 125
    check "vmm = $vmm: of one line" err_is_one_line
    check "vmm = $vmm: that names the cure" err_has "/dev/kvm: run 'sudo usermod -aG kvm bob', then log out"
    check "vmm = $vmm: and nothing is left" nothing_left bob denied
done
run bob banger vm list -a -q
check "not even a record" out_is ''
run bob banger doctor
check "doctor fails" fails
check "and names the cure" out_has 'sudo usermod -aG kvm bob, then log out'

root usermod -aG kvm bob </dev/null
run bob banger vm run --name denied -- true
check "who joined a moment ago is told what is still missing" err_has 'systemctl restart user@[0-9]+\.service'
bob_anew
run bob banger vm create --name allowed --start
check "after that it runs" status_is 0
check "under Firecracker" told bob allowed '.vmm == "firecracker"'
run bob banger vm delete allowed
bob rm .config/banger/config.toml </dev/null
check "nothing is left" nothing_left bob allowed
