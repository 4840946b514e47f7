# shellcheck shell=bash
# L2: the tree booted, systemd as PID 1.

boot() {
    SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 systemd-nspawn --boot --quiet --register=no --keep-unit --private-network \
        --capability=all --system-call-filter=bpf --link-journal=no --machine=pqcrypta-test \
        --directory="$tree" >"$work/boot.log" 2>&1 </dev/null &
    local nspawn=$!
    # shellcheck disable=SC2317  # called by `within`
    find_leader() { leader=$(pgrep -P "$nspawn") && [ -n "$leader" ]; }
    within 20 find_leader && within 60 in_host systemctl is-active multi-user.target
}

# Runs a command on the host that is tried: `tree`, `container` (the booted tree), or `machine` (that of L3).
reach=container
in_host() { "in_$reach" "$@"; }

in_container() {
    nsenter --target "$leader" --all env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 TERM=dumb \
        DEBIAN_FRONTEND=noninteractive "$@"
}

# A property of a unit.
unit() { in_host systemctl show --property="$2" --value "pqcrypta-$1"; }

is_active() { [ "$(unit "$1" ActiveState)" = active ]; }

# The program itself, since the one in PATH is a script that chooses it.
sql() { in_host runuser -u postgres -- /usr/lib/postgresql/15/bin/psql -X -A -t -d metrics -c "$1"; }

# Whether a query answers with this text.
answers() { [ "$(sql "$1")" = "$2" ]; }

# The moment at which the collector's process began; its first sample follows at once.
began_at() {
    # Without the day of the week.
    in_host systemctl show --timestamp=us+utc --property=ExecMainStartTimestamp --value pqcrypta-collector | cut -d ' ' -f 2-
}

# Whether samples arrive after this moment of the database.
arrives_after() { answers "SELECT max(ts) > '$1' FROM collector.system_metrics_raw" t; }

settings='[database]
host = "/run/postgresql"
name = "metrics"
[intervals]
system_secs = 5'

write_settings() { printf '%s\n' "$settings" | in_host sh -c 'cat >/etc/pqcrypta/collector.toml'; }

make_database() {
    in_host runuser -u postgres -- psql -X -q -v ON_ERROR_STOP=1 <<'SQL'
CREATE ROLE pqcrypta_owner NOLOGIN;
CREATE ROLE pqcrypta_collector LOGIN;
CREATE ROLE pqcrypta_monitor LOGIN PASSWORD 'a canary';
CREATE ROLE pqcrypta_analytics LOGIN;
GRANT pg_read_all_stats TO pqcrypta_collector;
CREATE DATABASE metrics OWNER pqcrypta_owner;
\connect metrics
GRANT EXECUTE ON FUNCTION pg_ls_waldir(), pg_ls_archive_statusdir(), pg_ls_tmpdir() TO pqcrypta_collector;
SQL
    in_host runuser -u postgres -- env DB_USER=postgres pqcrypta migrate --owner pqcrypta_owner \
        --writer pqcrypta_collector --reader pqcrypta_monitor --ingest pqcrypta_analytics
}

# Any system call that the unit forbids ends the program in these tests.
forbid_with_death() {
    local name
    for name in collector monitor analytics; do
        in_host mkdir -p "/etc/systemd/system/pqcrypta-$name.service.d"
        in_host sh -c "printf '[Service]\nSystemCallErrorNumber=kill\nWatchdogSec=10\n' \
            >/etc/systemd/system/pqcrypta-$name.service.d/test.conf"
    done
    # The container shows a boot id of its own by a mount below /proc, which a unit's own /proc and /sys hide: journalctl
    # would follow the journal of the outer boot. On a host both are the same.
    in_host sh -c "printf 'ProtectKernelTunables=no\nProtectControlGroups=no\n' \
        >>/etc/systemd/system/pqcrypta-collector.service.d/test.conf"
    in_host systemctl daemon-reload
}

try_settings() {
    expect 'L2 dpkg installs' in_host sh -c 'dpkg -i /packages/*.deb'
    same 'L2 without settings: enabled' enabled "$(in_host systemctl is-enabled pqcrypta-collector)"
    same 'L2 without settings: inactive, not failed' inactive "$(unit collector ActiveState)"
    forbid_with_death
    in_host sh -c 'echo "[databas]" >/etc/pqcrypta/collector.toml'
    in_host systemctl start pqcrypta-collector 2>/dev/null || :
    same 'L2 wrong settings: failed with status 78' 'failed 78' \
        "$(unit collector ActiveState) $(unit collector ExecMainStatus)"
    same 'L2 wrong settings: not tried again' 0 "$(unit collector NRestarts)"
    write_settings
}

try_start() {
    expect 'L2 ready with the queue alone, while there is no database' in_host systemctl start pqcrypta-collector
    expect 'L2 the database is made' make_database
    expect 'L2 rows that waited arrive' within 60 answers 'SELECT count(*) > 0 FROM collector.system_metrics_raw' t
    # The monitor logs in with a password, which comes as a credential.
    in_host sh -c 'umask 077; printf "a canary" >/etc/pqcrypta/credentials/db_password'
    in_host sh -c 'printf "[Service]\nEnvironment=DB_HOST=127.0.0.1\n" >/etc/systemd/system/pqcrypta-monitor.service.d/host.conf'
    in_host systemctl daemon-reload
    expect 'L2 monitor and receiver start' in_host systemctl start pqcrypta-monitor pqcrypta-analytics
    expect 'L2 the dashboard knows the host, with a password from a credential' within 30 sh -c \
        "nsenter --target $leader --net curl -sf http://127.0.0.1:8088/monitor/api/v1/meta | grep -q '\"hosts\":\[{'"
    same 'L2 the password is nowhere in the journal' '' "$(in_host journalctl --no-pager | grep 'a canary' || :)"
    expect 'L2 the doctor finds nothing broken' in_host sh -c \
        'runuser -u pqcrypta_collector -- pqcrypta doctor | tee /dev/stderr | grep -q "^fail" && exit 1 || exit 0'
    expect 'L2 the journal and the log of packages are read' within 60 answers \
        "SELECT string_agg(DISTINCT source, ' ' ORDER BY source) FROM collector.log_entries WHERE source IN ('collector', 'packages')" \
        'collector packages'
}

try_watchdog() {
    local pid
    pid=$(unit collector MainPID)
    in_host kill -STOP "$pid"
    # shellcheck disable=SC2317  # called by `within`
    is_replaced() { is_active collector && [ "$(unit collector MainPID)" != "$pid" ]; }
    expect 'L2 a program that hangs is replaced' within 35 is_replaced
    same 'L2 ... because of its watchdog' 1 \
        "$(in_host journalctl --no-pager -u pqcrypta-collector | grep -c "Failed with result 'watchdog'")"
}

# `count_losses SINCE`: ticks that are missing between neighbours from the last one before, doubled rows, and losses that were
# noted, but for logs, which a purge takes away. A tick is every 5 s, and at once after a start: where one is missing, neighbours are 10 s apart.
count_losses() {
    sql "SELECT (SELECT count(*) FROM (SELECT ts - lag(ts) OVER (ORDER BY ts) AS d FROM collector.system_metrics_raw
                                       WHERE ts >= (SELECT max(ts) FROM collector.system_metrics_raw WHERE ts <= '$1')) s
                 WHERE d > interval '9 s')
             || ' ' || (SELECT count(*) - count(DISTINCT ts) FROM collector.system_metrics_raw)
             || ' ' || coalesce((SELECT string_agg(concat_ws(':', class, reason, count), ' ') FROM collector.data_gaps
                                WHERE count > 0 AND class <> 'logs'), 'none')"
}

try_upgrades() {
    local began
    began=$(sql 'SELECT now()')
    in_host systemctl disable --now pqcrypta-analytics 2>/dev/null
    expect 'L2 dpkg upgrades without a terminal' in_host sh -c 'dpkg -i /packages/newer/*.deb </dev/null'
    same 'L2 after it: what was disabled stays so' 'disabled inactive' \
        "$(in_host systemctl is-enabled pqcrypta-analytics) $(unit analytics ActiveState)"
    expect 'L2 after it: the collector runs' is_active collector
    expect 'L2 after it: samples arrive' within 40 arrives_after "$(began_at)"
    in_host sh -c 'dpkg -i /packages/broken/*.deb >/dev/null 2>&1' && fail 'L2 a package that refuses is installed'
    expect 'L2 after a failed upgrade the collector runs' is_active collector
    expect 'L2 dpkg downgrades' in_host sh -c 'dpkg -i /packages/*.deb'
    expect 'L2 after it the collector runs' is_active collector
    expect 'L2 after it samples arrive' within 40 arrives_after "$(began_at)"
    same 'L2 upgrades lose and double nothing' '0 0 none' "$(count_losses "$began")"
}

try_removal() {
    in_host systemctl --quiet enable --now pqcrypta-health-check.timer
    expect 'L2 dpkg removes' in_host sh -c "dpkg -r $packages"
    same 'L2 nothing runs afterwards' '' "$(in_host pgrep -f '^/usr/bin/pqcrypta' || :)"
    same 'L2 ... and nothing will, by the timer that was enabled' inactive "$(in_host systemctl is-active pqcrypta-health-check.timer)"
    expect 'L2 the queue stays' in_host test -d /var/lib/pqcrypta-collector/queue
    expect 'L2 dpkg installs again' in_host sh -c 'dpkg -i /packages/*.deb'
    expect 'L2 ... and the collector goes on with its settings and its queue' is_active collector
    expect 'L2 dpkg purges what runs' in_host sh -c "dpkg -P $packages"
    same 'L2 nothing runs after that' '' "$(in_host pgrep -f '^/usr/bin/pqcrypta' || :)"
    expect 'L2 purging again is harmless' in_host sh -c "dpkg -P $packages"
    same 'L2 purge leaves nothing of ours' '' "$(in_host sh -c \
        'find / -xdev \( -path /proc -o -path /sys -o -path /packages -o -path /var/lib/postgresql -o -path "/etc/systemd/system/*.d" \) -prune -o -name "*pqcrypta*" -print' || :)"
}

# Forbidden ones end a program here.
look_for_forbidden_calls() {
    same 'L2 no forbidden system call in the whole run' '' \
        "$(in_host journalctl --no-pager -u 'pqcrypta-*' | grep -i -e SIGSYS -e '31/SYS' || :)"
}
