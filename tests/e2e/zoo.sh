# shellcheck shell=bash
# For scenarios with the line «# zoo: PART»: the zoo (tests/zoo) in a registry of alice's, pulling from it and comparing.

# zoo_registry PART: it is served as it is, nobody writes to it.
zoo_registry() {
    root systemctl disable --now docker-registry </dev/null >/dev/null 2>&1
    alice sh -eu -c '
        cat >registry.yml <<YAML
version: 0.1
storage:
  filesystem: {rootdirectory: /var/cache/banger-zoo/$1/registry}
  maintenance: {readonly: {enabled: true}, uploadpurging: {enabled: false}}
http: {addr: "127.0.0.1:5000"}
YAML
        systemd-run --user --quiet --collect --unit=registry --property=Restart=always \
            docker-registry serve ~/registry.yml' sh "$1" </dev/null
    check "a registry has the $1 zoo" eventually 20 alice curl -sf http://127.0.0.1:5000/v2/ </dev/null
    E2E_ZOO=$1
}

end_zoo_registry() { alice systemctl --user stop registry </dev/null; }

pull() {
    run alice banger image pull "127.0.0.1:5000/zoo/$1:1" --name "$1"
    check "$1 is pulled" status_is 0
    # The host would take its time to tell the same of the same bytes.
    [ "$E2E_MACHINE" != box ] || check "what is in $1 equals what umoci unpacks, entry by entry" equals_unpacked "$1"
}

# equals_unpacked NAME: the image, mounted as a guest's kernel would, against the zoo's own description.
equals_unpacked() {
    local box=$E2E_FOLDER/../box/box digest
    digest=$(alice banger image list --json </dev/null | jq -r --arg name "$1" '.[] | select(.name == $name) | .digest')
    mkdir -p "$E2E_WORK/mounted"
    # shellcheck disable=SC2016
    unshare --mount sh -euc 'mount -o loop,ro,noload "$1" "$2" && "$3" "$2"' sh \
        "/proc/$("$box" pid)/root/home/alice/.local/state/banger/images/by-digest/${digest#sha256:}/rootfs.ext4" \
        "$E2E_WORK/mounted" "$E2E_FOLDER/../zoo/describe" >"$E2E_WORK/ours" || return
    root cat "/var/cache/banger-zoo/$E2E_ZOO/unpacked/$1" </dev/null >"$E2E_WORK/unpacked"
    [ "$(wc -l <"$E2E_WORK/unpacked")" -ge 2 ] || return
    diff "$E2E_WORK/unpacked" "$E2E_WORK/ours" >"$E2E_WORK/differences" || {
        head -n 20 "$E2E_WORK/differences" | sed 's/^/#   /'
        return 1
    }
}

# boot NAME COMMAND…: a VM of that image, gone at the end; sets status, out and err.
boot() {
    local image=$1
    shift
    run alice banger vm run "${PATIENCE[@]}" --rm --image "$image" "$@"
    # shellcheck disable=SC2154 # run sets it.
    echo "# $image: $seconds s until its command had ended"
}
