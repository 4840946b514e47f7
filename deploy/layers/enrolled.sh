# shellcheck shell=bash
# L2: the booted tree as store and host at once. The host enters the store over TLS with the line of `pqcrypta host add`, under
# the unit as it is, and is renamed, shut out and let in again.

credential=/etc/pqcrypta/credentials/db_password
role=pqcrypta_host_web-2

# Authorities of the store and of somebody else, and the store's certificate; PostgreSQL admits hosts over TLS alone.
offer_tls() {
    in_host sh -eu <<'SH'
mkdir -p /root/tls && cd /root/tls
for name in ours others; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj "/CN=$name" \
        -keyout "$name.key" -out "$name.pem"
done
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=store.example -keyout store.key -out store.csr
echo subjectAltName=DNS:store.example >names
openssl x509 -req -days 30 -in store.csr -CA ours.pem -CAkey ours.key -CAcreateserial -extfile names -out store.pem
cp ours.pem others.pem /usr/share/
echo '127.0.0.1 store.example' >>/etc/hosts
cd /etc/postgresql/15/main
install -o postgres -g postgres -m 0600 /root/tls/store.key /root/tls/store.pem .
printf "ssl_cert_file = '%s'\nssl_key_file = '%s'\n" "$PWD/store.pem" "$PWD/store.key" >conf.d/tls.conf
{
    echo 'hostssl metrics +pqcrypta_collector 127.0.0.1/32 scram-sha-256'
    echo 'hostnossl metrics +pqcrypta_collector all reject'
    cat pg_hba.conf
} >pg_hba.new
cat pg_hba.new >pg_hba.conf
systemctl reload postgresql@15-main
SH
}

# The operator's command at the store, as its superuser.
at_store() {
    in_host runuser -u postgres -- env DB_HOST=/run/postgresql DB_NAME=metrics DB_USER=postgres pqcrypta "$@"
}

# `let_in NAME AUTHORITY`: prints the line.
let_in() { at_store host add "$1" --address store.example --ca "/usr/share/$2.pem" 2>/dev/null; }

# `enroll LINE [OPTION…]`: what is said goes to a file.
enroll() {
    local line=$1
    shift
    printf '%s\n' "$line" | in_host pqcrypta enroll "$@" >"$work/said" 2>&1
}

# Everything that enrolling writes, with modes, times and contents.
list_written() {
    in_host sh -c 'find /etc/pqcrypta /tmp /var/tmp \( -name "*pqcrypta-enroll*" -o -path "/etc/pqcrypta/*" \) -type f \
        -printf "%p %m %U:%G %T@ " -exec sha256sum {} \;'
}

# `refuse WHAT LINE`: nothing is written, nothing is started.
refuse() {
    local status=0
    enroll "$2" || status=$?
    same "L2 enroll, $1: refused, and nothing is written or started" '1 inactive ' \
        "$status $(unit collector ActiveState) $(list_written)"
}

# Whether the collector says that rows wait in its queue.
says_that_it_queues() { unit collector StatusText | grep -q 'wait in the queue'; }

# `queued_after MOMENT`: the ticks in the queue after a moment, each in microseconds.
queued_after() {
    in_host pqcrypta spool export /var/lib/pqcrypta-collector/queue |
        sed -n 's/.*"system_metrics_raw":.*"ts_us":\([0-9]*\).*/\1/p' | awk -v after="$1" '$1 > after'
}

# `queued MOMENT COUNT`: whether so many are there.
queued() { [ "$(queued_after "$1" | wc -l)" -ge "$2" ]; }

# The password of the host is in its credential and nowhere else. It is the pattern by its file, so that looking for it does not
# show it.
look_for_password() {
    same 'L2 the password is in no line of the journal' 0 \
        "$(in_host sh -c "journalctl --no-pager --output=export | grep -a -c -F -f $credential" || :)"
    same 'L2 ... in no arguments and no environment of a process' 0 \
        "$(in_host sh -c "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | grep -a -c -F -f $credential" || :)"
    same 'L2 ... and in no file but the credential' "$credential" \
        "$(in_host sh -c "find / /run /tmp -xdev -path /packages -prune -o -type f -exec grep -l -F -f $credential {} + 2>/dev/null" || :)"
    same 'L2 ... of which systemd hands a copy to the service alone' '400 same' "$(in_host sh -c "
        cd /run/credentials/pqcrypta-collector.service && stat -c %a pqcrypta_db_password | tr '\n' ' ' &&
        cmp pqcrypta_db_password $credential && echo same")"
    expect 'L2 ... as the service cannot read the file itself' not in_host runuser -u pqcrypta_collector -- cat "$credential"
}

try_enrolment() {
    local line again wrong now pid written
    in_host systemctl stop pqcrypta-collector
    in_host sh -c 'rm -rf /etc/pqcrypta/* /var/lib/pqcrypta-collector && systemd-tmpfiles --create pqcrypta.conf'
    expect 'L2 the store offers TLS' offer_tls
    line=$(let_in web-2 ours)
    again=$(let_in web-3 ours)
    wrong=$(let_in web-4 others)
    refuse 'a line that was cut' "${line%????}"
    expect 'L2 enroll, elsewhere' enroll "$again" --no-start --dir /root/elsewhere
    refuse 'a line that was used' "$again"
    refuse 'an authority that did not sign the store' "$wrong"
    in_host rm -rf /root/elsewhere

    now=$(sql 'SELECT now()')
    expect 'L2 enroll' enroll "$line"
    same 'L2 ... writes what is needed, with its modes' \
        "/etc/pqcrypta 755 root|/etc/pqcrypta/collector.toml 644 root|/etc/pqcrypta/credentials 700 root|$credential 600 root|/etc/pqcrypta/store-ca.pem 644 root|" \
        "$(in_host find /etc/pqcrypta -printf '%p %m %u\n' | LC_ALL=C sort | tr '\n' '|')"
    same 'L2 ... and starts the collector, at each boot too' 'active enabled' \
        "$(unit collector ActiveState) $(in_host systemctl is-enabled pqcrypta-collector)"
    in_host sh -c 'printf "\n[intervals]\nsystem_secs = 5\n" >>/etc/pqcrypta/collector.toml && systemctl reload pqcrypta-collector'
    expect 'L2 samples arrive' within 40 arrives_after "$now"
    same 'L2 ... as the host of its own role, over TLS alone' t "$(sql "SELECT count(*) > 0 AND bool_and(s.ssl)
        FROM pg_stat_activity a JOIN pg_stat_ssl s USING (pid) WHERE a.usename = '$role'")"
    same 'L2 ... and no session of another role' 0 \
        "$(sql "SELECT count(*) FROM pg_stat_activity WHERE usename ~ '^pqcrypta_(collector|host)' AND usename <> '$role'")"
    look_for_password

    pid=$(unit collector MainPID)
    written=$(list_written)
    expect 'L2 enroll again' enroll "$line"
    same 'L2 ... changes nothing' "$written $pid" "$(list_written) $(unit collector MainPID)"
    try_shutting_out
}

try_shutting_out() {
    local now shut_out began line host
    host=$(sql "SELECT string_agg(host_id || ' ' || hostname, ',') FROM collector.hosts")
    began=$(sql 'SELECT now()')
    expect 'L2 a host is renamed' at_store host rename "${host#* }" shop
    now=$(sql 'SELECT now()')
    expect 'L2 ... its samples arrive' within 40 arrives_after "$now"
    same 'L2 ... as those of the same host, under the new name' "${host%% *} shop true" "$(sql "SELECT host_id || ' ' ||
        hostname || ' ' || (SELECT count(DISTINCT host_id) = 1 FROM collector.system_metrics_raw) FROM collector.hosts")"

    shut_out=$(sql 'SELECT (extract(epoch FROM now()) * 1000000)::bigint')
    expect 'L2 a host is shut out' at_store host revoke web-2
    same 'L2 ... its role and its sessions are gone' '0 0' "$(sql "SELECT (SELECT count(*) FROM pg_roles WHERE rolname = '$role')
        || ' ' || (SELECT count(*) FROM pg_stat_activity WHERE usename = '$role')")"
    expect 'L2 ... its collector says that rows wait' within 40 says_that_it_queues
    expect 'L2 ... and goes on sampling into the queue' within 60 queued "$shut_out" 2
    same 'L2 ... which arrives nowhere' 0 \
        "$(sql "SELECT count(*) FROM collector.system_metrics_raw WHERE ts > to_timestamp($shut_out / 1000000.0) + interval '5 s'")"

    line=$(let_in web-2 ours)
    expect 'L2 it is let in again' enroll "$line"
    now=$(began_at)
    expect 'L2 ... samples arrive' within 40 arrives_after "$now"
    same 'L2 ... what waited has arrived whole' 't 0 0 none' "$(sql "SELECT count(*) >= 2 FROM collector.system_metrics_raw
        WHERE ts BETWEEN to_timestamp($shut_out / 1000000.0) AND '$now'") $(count_losses "$began")"
    expect 'L2 ... and the sections that were added to the settings are there' \
        in_host grep -q 'system_secs = 5' /etc/pqcrypta/collector.toml
    now=$(in_host systemctl show --property=NRestarts --value pqcrypta-collector)
    same 'L2 ... without a restart on failure in all this' 0 "$now"
}
