# shellcheck shell=bash
# L1: install, remove and purge in the tree without a running systemd.

try_without_systemd() {
    local before
    mount -t proc proc "$tree/proc"
    before=$(list_files)
    expect 'L1 dpkg installs without a running systemd' in_tree sh -c 'dpkg -i /packages/*.deb'
    expect 'L1 units are right where they are installed' \
        systemd-analyze verify --man=no --root="$tree" --recursive-errors=no \
        pqcrypta-collector.service pqcrypta-monitor.service pqcrypta-analytics.service pqcrypta-health-check.timer
    same 'L1 users have no shell' '3' \
        "$(in_tree getent passwd pqcrypta_collector pqcrypta_monitor pqcrypta_analytics | grep -c nologin)"
    expect 'L1 the command runs' in_tree pqcrypta --version
    touch "$tree/etc/pqcrypta/collector.toml"
    expect 'L1 dpkg removes' in_tree sh -c "dpkg -r $packages"
    expect 'L1 settings stay' test -e "$tree/etc/pqcrypta/collector.toml"
    expect 'L1 dpkg purges' in_tree sh -c "dpkg -P $packages"
    expect 'L1 purging again is harmless' in_tree sh -c 'dpkg -P pqcrypta-collector pqcrypta'
    same 'L1 purge leaves no file' '' "$(diff <(printf '%s\n' "$before") <(list_files))"

    in_tree sh -c 'cd /tmp && tar xf /packages/*.tar.gz'
    expect 'L1 the archive installs itself' in_tree sh -c '/tmp/pqcrypta-*/install.sh'
    expect 'L1 the command of the archive runs' in_tree pqcrypta --version
    expect 'L1 the archive removes itself' in_tree sh -c '/tmp/pqcrypta-*/install.sh purge'
    same 'L1 the archive leaves no file' '' \
        "$(diff <(printf '%s\n' "$before") <(list_files) | grep -v -e '^[0-9,]*[acd]' -e ' \./usr/share/\(zsh\|fish\|bash-completion\|man\|doc\)[a-z_./-]*$' || :)"
    rm -rf "$tree"/tmp/pqcrypta-*
}

# `rpm_says FORMAT`: what rpm knows of each package of ours.
rpm_says() { in_tree rpm -qa --queryformat "$1\n" 'pqcrypta*' | sort -u | xargs; }

# The states of the units that were changed by hand, and of one that was not.
enabled_units() { in_tree systemctl is-enabled pqcrypta-collector pqcrypta-monitor pqcrypta-health-check.timer 2>&1 | xargs; }

try_rpm_without_systemd() {
    local before said user
    # Those that dpkg made stay when it purges.
    for user in collector monitor analytics; do in_tree userdel "pqcrypta_$user" 2>/dev/null || :; done
    before=$(list_files)
    # Libraries are Debian's here, so rpm does not know them.
    expect 'L1 rpm installs without a running systemd' in_tree sh -c 'rpm -i --nodeps /packages/*.rpm'
    same 'L1 rpm: users have no shell' '3' \
        "$(in_tree getent passwd pqcrypta_collector pqcrypta_monitor pqcrypta_analytics | grep -c nologin)"
    same 'L1 rpm: directories and log with their modes' '755:root 700:root 640:pqcrypta_collector' \
        "$(in_tree stat -c '%a:%U' /etc/pqcrypta /etc/pqcrypta/credentials /var/log/pqcrypta_health_check.log | xargs)"
    expect 'L1 rpm: the command runs' in_tree pqcrypta --version
    said=$(in_tree rpm -U --test /packages/newer/pqcrypta-collector-*.rpm 2>&1) || :
    expect 'L1 rpm: the collector needs the command of its version' \
        grep -q 'pqcrypta = .* is needed by pqcrypta-collector' <<<"$said"

    echo '# by hand' >"$tree/etc/pqcrypta/collector.toml"
    in_tree systemctl --quiet disable pqcrypta-monitor
    in_tree systemctl --quiet enable pqcrypta-health-check.timer
    expect 'L1 rpm upgrades' in_tree sh -c 'rpm -U --nodeps /packages/newer/*.rpm'
    same 'L1 ... all packages' 2 "$(rpm_says '%{RELEASE}')"
    same 'L1 ... and what was enabled and disabled stays so' 'enabled disabled enabled' "$(enabled_units)"
    expect 'L1 rpm downgrades' in_tree sh -c 'rpm -U --nodeps --oldpackage /packages/*.rpm'
    same 'L1 ... all packages' 1 "$(rpm_says '%{RELEASE}')"
    same 'L1 ... and what was enabled and disabled stays so' 'enabled disabled enabled' "$(enabled_units)"
    same 'L1 ... and settings stay as they are' '# by hand' "$(cat "$tree/etc/pqcrypta/collector.toml")"

    mkdir -p "$tree/var/lib/pqcrypta-collector/queue"
    said=$(in_tree sh -c "rpm -e --nodeps $packages" 2>&1)
    expect 'L1 rpm erases, and says that the queue stays' grep -q '^pqcrypta-collector: the queue .* stays' <<<"$said"
    # Directories of completions are the shells' own.
    same 'L1 rpm leaves settings, queue and log, and nothing else' \
        './etc/pqcrypta ./etc/pqcrypta/collector.toml ./etc/pqcrypta/credentials ./var/lib/pqcrypta-collector ./var/lib/pqcrypta-collector/queue ./var/log/pqcrypta_health_check.log' \
        "$(diff <(printf '%s\n' "$before") <(list_files) | sed -n -e '/fish/d' -e 's/^> //p' | xargs)"
    rm -rf "$tree/etc/pqcrypta" "$tree/var/lib/pqcrypta-collector" "$tree/var/log/pqcrypta_health_check.log"
}

# The operator's faults: a disk that is full, a group that is gone, a user that was there before, a host without systemd.
try_odd_hosts() {
    local docs=$tree/usr/share/doc/pqcrypta said
    mkdir -p "$docs"
    mount -t tmpfs -o size=16k tmpfs "$docs"
    said=$(in_tree sh -c 'dpkg -i /packages/*.deb' 2>&1) && fail 'L1 packages are installed on a full disk'
    expect 'L1 a disk that is full while unpacking is named' grep -q 'No space left on device' <<<"$said"
    umount "$docs"
    expect 'L1 with room again the same command installs' in_tree sh -c 'dpkg -i /packages/*.deb'
    mount -t tmpfs -o size=16k tmpfs "$docs"
    in_tree sh -c 'dpkg -i /packages/newer/*.deb' >/dev/null 2>&1 && fail 'L1 an upgrade succeeds on a full disk'
    umount "$docs"
    expect 'L1 after an upgrade that found the disk full the command runs' in_tree pqcrypta --version
    expect 'L1 ... and with room again the same command upgrades' in_tree sh -c 'dpkg -i /packages/newer/*.deb'
    # shellcheck disable=SC2016  # fields of dpkg-query
    same 'L1 ... all packages' 5 "$(in_tree dpkg-query -W -f '${db:Status-Status} ${Version}\n' 'pqcrypta*' | grep -c '^installed .*+next')"
    expect 'L1 dpkg purges what is installed' in_tree sh -c "dpkg -P $packages"

    in_tree sed -i '/^adm:/d' /etc/group /etc/gshadow
    in_tree usermod --shell /bin/bash pqcrypta_collector
    expect 'L1 dpkg installs without the group adm' in_tree sh -c 'dpkg -i /packages/*.deb'
    expect 'L1 ... and makes it' in_tree getent group adm
    touch "$tree/etc/pqcrypta/collector.toml"
    expect 'L1 a user of a service with a shell is named by the doctor' sh -c \
        "chroot '$tree' pqcrypta doctor | grep -q '^warn  users: pqcrypta_collector has the shell /bin/bash; .*usermod'"

    try_up
    in_tree sh -c "dpkg -P $packages" >/dev/null 2>&1
}

# `up` needs nothing of the host but PostgreSQL: no systemd, no settings.
try_up() {
    # shellcheck disable=SC2016  # for the shell in the tree
    expect 'L1 up starts everything without systemd, and ends' in_tree sh -c \
        'said=$(pqcrypta up --listen 127.0.0.1:0 --state-dir /tmp/up --for 1) && case $said in "monitor: http"*) ;; *) exit 1 ;; esac'
    rm -rf "$tree/tmp/up"
}
