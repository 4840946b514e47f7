# shellcheck shell=bash
# The Debian tree: made once and kept below the cache, mounted anew for each layer.

leader=

# What the tree has beside the smallest Debian; of a tree with another list a new one is made.
tree_packages=systemd,systemd-sysv,dbus,postgresql,procps,rpm

make_base() {
    local base=$cache/bookworm
    [ "$(cat "$base.ready" 2>/dev/null)" = "$tree_packages" ] && return 0
    rm -rf "$base.ready" "$base"
    mkdir -p "$cache"
    debootstrap --variant=minbase --include="$tree_packages" \
        bookworm "$base" http://deb.debian.org/debian >"$work/debootstrap.log" 2>&1 || {
        tail -n 5 "$work/debootstrap.log"
        return 1
    }
    rm -rf "$base"/var/cache/apt/archives/*.deb
    printf '%s\n' "$tree_packages" >"$base.ready"
}

# A host of its own over the kept tree.
mount_host() {
    mkdir -p "$work/over/up" "$work/over/work" "$tree"
    local layers="lowerdir=$cache/bookworm,upperdir=$work/over/up,workdir=$work/over/work"
    # Nothing of it outlives the test, so nothing need reach a disk. Older kernels do without; where there are no overlays it
    # is a copy.
    mount -t overlay overlay -o "$layers,volatile" "$tree" 2>/dev/null ||
        mount -t overlay overlay -o "$layers" "$tree" 2>/dev/null ||
        cp -a "$cache/bookworm/." "$tree/"
    mkdir -p "$tree/packages"
    cp -r "$made"/*.deb "$made"/*.rpm "$made"/*.tar.gz "$work/newer" "$work/broken" "$tree/packages/"
    printf '00000000000000000000000000c0ffee\n' >"$tree/etc/machine-id"
}

unmount_host() {
    local nspawn
    if [ -n "$leader" ]; then
        nspawn=$(ps -o ppid= -p "$leader" | tr -d ' ')
        kill -TERM "$nspawn" 2>/dev/null || :
        within 20 not kill -0 "$nspawn" || kill -KILL "$nspawn" 2>/dev/null || :
        leader=
    fi
    if mountpoint -q "$tree/proc"; then umount "$tree/proc"; fi
    if mountpoint -q "$tree"; then umount -l "$tree"; fi
    rm -rf "$work/over" "$tree"
}

in_tree() { chroot "$tree" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive "$@"; }

# Every file of the tree but those that any package changes.
list_files() {
    (cd "$tree" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./packages -o -path ./var/cache \
        -o -path ./var/lib/dpkg -o -path ./var/log/dpkg.log -o -path ./root -o -path ./tmp -o -path ./var/lib/rpm \
        -o -path ./var/lib/systemd/deb-systemd-helper-enabled -o -path './etc/*-' -o -path ./etc/.pwd.lock \) -prune -o -print | sort)
}
