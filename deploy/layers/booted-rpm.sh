# shellcheck shell=bash
# L2: the rpm packages in the booted tree, whose settings and database are there already.

# `is_replaced PID`: whether the collector runs as another process.
is_replaced() { is_active collector && [ "$(unit collector MainPID)" != "$1" ]; }

try_rpm() {
    local began pid
    in_host mkdir -p /etc/pqcrypta
    write_settings
    expect 'L2 rpm installs' in_host sh -c 'rpm -i --nodeps /packages/*.rpm'
    expect 'L2 rpm: with settings the collector runs at once' is_active collector
    same 'L2 rpm: ... and will after a boot' enabled "$(in_host systemctl is-enabled pqcrypta-collector)"
    expect 'L2 rpm: ... and samples arrive' within 40 arrives_after "$(began_at)"

    began=$(sql 'SELECT now()')
    in_host systemctl --quiet disable --now pqcrypta-analytics
    in_host systemctl --quiet mask --now pqcrypta-monitor 2>/dev/null
    in_host systemctl --quiet enable --now pqcrypta-health-check.timer
    pid=$(unit collector MainPID)
    expect 'L2 rpm upgrades' in_host sh -c 'rpm -U --nodeps /packages/newer/*.rpm </dev/null'
    expect 'L2 rpm: after it another process of the collector runs' is_replaced "$pid"
    same 'L2 rpm: ... of the new file' '/usr/bin/pqcrypta-collector' \
        "$(in_host readlink "/proc/$(unit collector MainPID)/exe")"
    same 'L2 rpm: ... what was disabled or masked stays so' 'disabled inactive masked inactive' \
        "$(in_host systemctl is-enabled pqcrypta-analytics) $(unit analytics ActiveState) $(in_host systemctl is-enabled pqcrypta-monitor) $(unit monitor ActiveState)"
    same 'L2 rpm: ... and no unit waits to be read again' 'no no' "$(unit collector NeedDaemonReload) $(unit analytics NeedDaemonReload)"
    expect 'L2 rpm: ... and samples arrive' within 40 arrives_after "$(began_at)"

    pid=$(unit collector MainPID)
    in_host sh -c 'rpm -U --nodeps /packages/broken/*.rpm >/dev/null 2>&1' && fail 'L2 rpm: a package that refuses is installed'
    same 'L2 rpm: after a failed upgrade the same collector runs' "active $pid" "$(unit collector ActiveState) $(unit collector MainPID)"
    expect 'L2 rpm downgrades' in_host sh -c 'rpm -U --nodeps --oldpackage /packages/*.rpm'
    expect 'L2 rpm: after it another process of the collector runs' is_replaced "$pid"
    expect 'L2 rpm: ... and samples arrive' within 40 arrives_after "$(began_at)"
    same 'L2 rpm: upgrades lose and double nothing' '0 0 none' "$(count_losses "$began")"
}

try_rpm_removal() {
    in_host systemctl --quiet unmask pqcrypta-monitor
    expect 'L2 rpm erases' in_host sh -c "rpm -e --nodeps $packages"
    same 'L2 rpm: nothing runs afterwards' '' "$(in_host pgrep -f '^/usr/bin/pqcrypta' || :)"
    same 'L2 rpm: ... and nothing will, by the timer that was enabled' inactive "$(in_host systemctl is-active pqcrypta-health-check.timer)"
    expect 'L2 rpm: settings and queue stay' in_host test -e /etc/pqcrypta/collector.toml -a -d /var/lib/pqcrypta-collector/queue
    same 'L2 rpm: no unit is left that names a file that is gone' '' \
        "$(in_host find /etc/systemd/system -name '*pqcrypta*' -xtype l ! -lname /dev/null)"
}
