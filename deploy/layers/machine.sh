# shellcheck shell=bash
# L3: a machine of its own under qemu, with a kernel of Debian's for clouds, whose drivers of disk and file system are built in: it
# needs no initramfs. What a container cannot show: a boot, limits of memory, packets that are dropped, units without any change,
# and a power cut.
#
# Commands go to a program on the machine's second serial line, one line each way; the first one is the console.

image=$work/machine.raw
console=$work/console
vm=
accel=

# Prints what is missing for this layer; nothing when it can be run.
missing_for_machine() {
    local program
    for program in qemu-system-x86_64 mke2fs apt-get; do
        command -v "$program" >/dev/null || { say "$program is not on this machine"; return; }
    done
    [ "$(uname -m)" = x86_64 ] || say 'the processor is not an x86_64'
}

# The kernel, once; a newer one when it is removed from the cache.
make_kernel() {
    local kernel=$cache/kernel name
    [ -e "$kernel.ready" ] && return 0
    rm -rf "$kernel"
    mkdir -p "$kernel"
    {
        apt-get update &&
            name=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1) &&
            (cd "$kernel" && apt-get download "$name") && dpkg-deb -x "$kernel"/*.deb "$kernel/files" &&
            mv "$kernel"/files/boot/vmlinuz-* "$kernel/vmlinuz"
    } >"$work/kernel.log" 2>&1 || {
        tail -n 5 "$work/kernel.log"
        return 1
    }
    rm -rf "$kernel/files" "$kernel"/*.deb
    : >"$kernel.ready"
}

# The disk: the tree with the packages installed and settings written, PostgreSQL not started at boot.
make_image() {
    mount_host
    mount -t proc proc "$tree/proc"
    in_tree sh -c 'dpkg -i /packages/pqcrypta_*.deb /packages/pqcrypta-collector_*.deb' >"$work/machine.log" 2>&1
    # Others are asked rarely: an emulated processor has enough to do.
    printf '%s\napp_secs = 60\n' "$settings" >"$tree/etc/pqcrypta/collector.toml"
    in_tree systemctl --quiet mask postgresql
    # Without udev no line is ever reported to be there.
    in_tree systemctl --quiet mask serial-getty@ttyS0.service
    rm -rf "$tree/packages"
    # As an installed Debian has it: the journal outlives a boot.
    mkdir -p "$tree/var/log/journal"
    reach=tree
    in_host pg_ctlcluster 15 main start
    make_database >"$work/machine.log" 2>&1
    in_host pg_ctlcluster 15 main stop
    echo machine >"$tree/etc/hostname"
    echo '127.0.0.1 localhost machine' >"$tree/etc/hosts"
    cat >"$tree/usr/sbin/answer" <<'SH'
#!/bin/bash
# Runs each command of the second serial line: `.INPUT .SCRIPT`, both base64, is answered by `STATUS .OUTPUT .ERRORS`.
exec </dev/ttyS1 >/dev/ttyS1
stty raw -echo
echo ready
while read -r input script; do
    base64 -d <<<"${input#.}" >/run/input
    base64 -d <<<"${script#.}" >/run/script
    bash /run/script </run/input >/run/output 2>/run/errors
    echo "$? .$(base64 -w 0 /run/output) .$(base64 -w 0 /run/errors)"
done
SH
    chmod 0755 "$tree/usr/sbin/answer"
    cat >"$tree/etc/systemd/system/answer.service" <<'UNIT'
[Service]
ExecStart=/usr/sbin/answer
[Install]
WantedBy=multi-user.target
UNIT
    in_tree systemctl --quiet enable answer
    umount "$tree/proc"
    mke2fs -q -t ext4 -d "$tree" "$image" 1500M >/dev/null
    unmount_host
}

# `boot_machine SECONDS [OPTION…]`: starts the machine and waits until it takes commands.
boot_machine() {
    local patience=$1
    shift
    rm -f "$work/control.in" "$work/control.out"
    : >"$work/qemu.log"
    mkfifo "$work/control.in" "$work/control.out"
    # A processor without the newest instructions: those are slow where they are emulated.
    qemu-system-x86_64 -machine "pc,accel=$accel" -cpu Nehalem -m 1024 -smp 2 -nodefaults -display none -nic none -no-reboot \
        -kernel "$cache/kernel/vmlinuz" \
        -append 'root=/dev/nvme0n1 rootwait rw console=ttyS0 panic=-1 quiet mitigations=off systemd.show_status=no' \
        -drive "file=$image,format=raw,if=none,id=disk" -device nvme,drive=disk,serial=test \
        -serial "file:$console" -chardev "pipe,id=control,path=$work/control" -serial chardev:control "$@" \
        >>"$work/qemu.log" 2>&1 </dev/null &
    vm=$!
    # Both ways, so that opening waits for nobody.
    exec 5<>"$work/control.in" 6<>"$work/control.out"
    local line until=$((SECONDS + patience))
    while [ "$SECONDS" -lt "$until" ] && kill -0 "$vm" 2>/dev/null && ! grep -q 'internal error' "$work/qemu.log"; do
        if read -t 1 -r -u 6 line && [ "${line%$'\r'}" = ready ]; then return 0; fi
    done
    return 1
}

# Takes the processor's virtualization where the machine boots with it, on a copy of the disk, and an emulation otherwise: some
# hosts offer one with which no kernel starts. Those are remembered.
choose_acceleration() {
    accel=kvm
    if [ ! -w /dev/kvm ] || [ -e "$cache/kvm-fails" ]; then accel=tcg; elif ! boot_machine 20 -snapshot; then
        accel=tcg
        : >"$cache/kvm-fails"
    fi
    cut_power
    say "      the processor is by $accel"
}

# Ends the machine as a power cut does: what its kernel has not written to the disk is gone.
cut_power() {
    [ -n "$vm" ] || return 0
    kill -KILL "$vm" 2>/dev/null || :
    wait "$vm" 2>/dev/null || :
    vm=
    exec 5>&- 6>&-
}

in_machine() {
    local status output errors
    printf '.%s .%s\n' "$(base64 -w 0)" "$({
        printf 'exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8'
        printf ' %q' "$@"
    } | base64 -w 0)" >&5
    read -t 150 -r -u 6 status output errors || {
        echo 'the machine does not answer' >&2
        return 125
    }
    base64 -d <<<"${output#.}"
    errors=${errors%$'\r'}
    base64 -d <<<"${errors#.}" >&2
    return "$status"
}

try_boot() {
    local since
    same 'L3 the machine is up, and no unit has failed' running "$(in_host systemctl is-system-running --wait)"
    same 'L3 the collector runs, as the boot started it, while PostgreSQL does not' 'active inactive' \
        "$(unit collector ActiveState) $(in_host systemctl is-active postgresql@15-main)"
    same 'L3 its unit is as it was installed' '' "$(unit collector DropInPaths)"
    since=$(in_host date +%s.%N)
    expect 'L3 PostgreSQL starts later' in_host sh -c 'systemctl --quiet unmask postgresql && systemctl start postgresql'
    expect 'L3 rows from before that arrive' within 60 answers \
        "SELECT min(ts) < to_timestamp($since) FROM collector.system_metrics_raw" t
    # shellcheck disable=SC2016  # awk's
    same 'L3 /proc and /sys are protected in it' '/proc/sys ro /sys ro /sys/fs/cgroup ro' "$(in_host awk \
        '$5 == "/proc/sys" || $5 == "/sys" || $5 == "/sys/fs/cgroup" { split($6, o, ","); m[$5] = o[1] }
         END { print "/proc/sys", m["/proc/sys"], "/sys", m["/sys"], "/sys/fs/cgroup", m["/sys/fs/cgroup"] }' \
        "/proc/$(unit collector MainPID)/mountinfo")"
    expect 'L3 the journal is read all the same' within 60 answers \
        "SELECT count(*) > 0 FROM collector.log_entries WHERE source = 'collector'" t
}

# A packet to the neighbours of a link, from the collector's control group and from outside of it.
try_packets() {
    # An address of that kind on the loopback; no tool of the tree sets one.
    # shellcheck disable=SC2016  # perl's
    in_host perl -MSocket -e 'socket(my $s, AF_INET, SOCK_DGRAM, 0) or die $!;
        ioctl($s, 0x8916, pack("a16 a16", "lo:1", pack_sockaddr_in(0, inet_aton("169.254.7.7")))) or die $!'
    expect 'L3 a packet to a neighbour leaves the machine' in_host bash -c 'echo >/dev/udp/169.254.7.7/9'
    # shellcheck disable=SC2016  # of the shell inside
    same 'L3 ... but not from the collector' 'Operation not permitted' "$(in_host bash -c '
        echo $$ >/sys/fs/cgroup/system.slice/pqcrypta-collector.service/cgroup.procs
        echo >/dev/udp/169.254.7.7/9' 2>&1 | sed -n 's/.*write error: //p')"
    # shellcheck disable=SC2016
    expect 'L3 ... from which others may go' in_host bash -c '
        echo $$ >/sys/fs/cgroup/system.slice/pqcrypta-collector.service/cgroup.procs
        echo >/dev/udp/127.0.0.1/9'
}

# `check_rows WHAT FROM UNTIL`: nothing is lost or doubled around the moments when the collector ended and was ready again. Ticks,
# which are every 5 s, reach up to the first, and the first one of the new start makes it ready. Journal and logs lose their ends
# with the machine's power, which are gaps of logs.
check_rows() {
    local found
    found=$(sql "SELECT (SELECT count(*) - count(DISTINCT ts) FROM collector.system_metrics_raw),
        (SELECT string_agg(concat_ws(':', class, reason, count), ' ') FROM collector.data_gaps WHERE count > 0 AND class <> 'logs'),
        (SELECT max(ts) > to_timestamp($2) - interval '12 s' FROM collector.system_metrics_raw WHERE ts <= to_timestamp($2)),
        (SELECT min(ts) < to_timestamp($3) FROM collector.system_metrics_raw WHERE ts > to_timestamp($2))")
    same "L3 $1: no row is doubled, none is lost, and the gap is the time in which the collector did not run" '0||t|t' "$found"
    same "L3 $1: nothing in the queue was damaged" '' \
        "$(in_host sh -c 'ls -A /var/lib/pqcrypta-collector/queue/quarantine 2>/dev/null' || :)"
}

# Whether there are samples after a moment, in seconds.
goes_on_after() { answers "SELECT max(ts) > to_timestamp($1) FROM collector.system_metrics_raw" t; }

# Less memory than it uses: the kernel kills it, systemd starts it again.
try_memory() {
    local ended now
    # shellcheck disable=SC2317  # called by `within`
    is_killed() { in_host journalctl --no-pager --lines=20 -u pqcrypta-collector | grep -q "Failed with result 'oom-kill'"; }
    in_host systemctl set-property --runtime pqcrypta-collector MemoryMax=6M
    expect 'L3 a collector that exceeds its memory is killed' within 60 is_killed
    in_host systemctl set-property --runtime pqcrypta-collector MemoryMax=128M
    ended=$(in_host journalctl --no-pager -u pqcrypta-collector -o short-unix | sed -n "s/ .*Failed with result 'oom-kill'.*//p" | head -n 1)
    expect 'L3 ... and started again' within 60 is_active collector
    now=$(in_host date +%s.%N)
    expect 'L3 ... samples arrive' within 60 goes_on_after "$ended"
    check_rows 'after that' "$ended" "$now"
}

# `try_power_cut WHAT`: the machine is off, and on again.
try_power_cut() {
    local what=$1 cut now
    cut=$(in_host date +%s.%N)
    cut_power
    boot_machine 180 || { fail "L3 $what: the machine boots again: $(tail -n 1 "$console")"; return 0; }
    ok "L3 $what: the machine boots again"
    expect "L3 $what: the collector runs" within 60 is_active collector
    now=$(in_host date +%s.%N)
    expect "L3 $what: PostgreSQL is back, and samples arrive" within 60 goes_on_after "$cut"
    check_rows "$what" "$cut" "$now"
}

try_power_cuts() {
    local stopped waiting
    try_power_cut 'power cut while rows arrive'
    stopped=$(in_host date +%s%6N)
    in_host systemctl stop postgresql@15-main
    expect 'L3 rows wait in the queue' within 60 queued "$stopped" 3
    # All but the last one are on the disk for certain, since the next one followed.
    waiting=$(queued_after "$stopped" | sed '$d' | paste -s -d ,)
    try_power_cut 'power cut while rows wait'
    same 'L3 ... each one that waited is there' 0 "$(sql "SELECT count(*) FROM unnest(ARRAY[$waiting]) w
        WHERE NOT EXISTS (SELECT FROM collector.system_metrics_raw WHERE (extract(epoch FROM ts) * 1000000)::bigint = w)")"
}
