//! Levels in the formats of programs.

use super::super::testing::expect;

#[test]
fn a_level_is_found_by_its_place_in_lines_of_zap() {
    expect(
        "simple_timestamp",
        &[
            // zap and etcd, tabs.
            (
                "2026-11-23T00:10:49.854Z\tinfo\tmetrics.go:7\tMetrics\t{\"points\": 60}",
                "2026-11-23T00:10:49.854Z info : Metrics {\"caller\":\"metrics.go:7\",\"fields\":{\"points\":60}}",
            ),
            (
                "2026-11-23T00:10:49.256+0000\twarn\tserver.go:5\tslow fdatasync",
                "2026-11-23T00:10:49.256Z warn : slow fdatasync {\"caller\":\"server.go:5\"}",
            ),
            (
                "2026-11-23T00:10:49.256Z\tERROR\tsetup\tcannot start\t{\"error\": \"x\"}",
                "2026-11-23T00:10:49.256Z error setup: cannot start {\"fields\":{\"error\":\"x\"}}",
            ),
            (
                "2026-11-23T00:10:49.256Z\tINFO\tdone",
                "2026-11-23T00:10:49.256Z info : done",
            ),
        ],
    );
}

#[test]
fn a_level_is_found_by_its_place_in_lines_of_servers_of_databases_and_gunicorn() {
    expect(
        "simple_timestamp",
        &[
            // gunicorn, MySQL, MariaDB, PgBouncer, pgBackRest, Pgpool-II.
            (
                "[2026-11-23 00:10:49 +0000] [7] [ERROR] Exception in worker process",
                "2026-11-23T00:10:49Z error : Exception in worker process {\"pid\":7}",
            ),
            (
                "2026-11-23T00:10:49.123456Z 0 [ERROR] [MY-010119] [Server] Aborting",
                "2026-11-23T00:10:49.123456Z error Server: Aborting {\"thread\":0,\"code\":\"MY-010119\"}",
            ),
            (
                "2026-11-23T00:10:49.123456Z 12 [Warning] [MY-013360] [Server] Plugin deprecated",
                "2026-11-23T00:10:49.123456Z warn Server: Plugin deprecated {\"thread\":12,\"code\":\"MY-013360\"}",
            ),
            (
                "2026-11-23T00:10:49.123456Z 0 [System] [MY-010116] [Server] starting",
                "2026-11-23T00:10:49.123456Z info Server: starting {\"thread\":0,\"code\":\"MY-010116\",\"severity\":\"System\"}",
            ),
            (
                "2026-11-23  0:10:49 0 [Note] InnoDB: Using atomic writes",
                "2026-11-23T00:10:49Z info : InnoDB: Using atomic writes {\"thread\":0,\"severity\":\"Note\"}",
            ),
            (
                "261123  0:10:49 [ERROR] mysqld: Table is crashed",
                "2026-11-23T00:10:49Z error : mysqld: Table is crashed",
            ),
            (
                "2026-11-23 00:10:49.123 UTC [12] WARNING C-0x55d0: shop/app@192.0.2.5:4000 pooler error: no more connections",
                "2026-11-23T00:10:49.123Z warn : C-0x55d0: shop/app@192.0.2.5:4000 pooler error: no more connections {\"pid\":12}",
            ),
            (
                "2026-11-23 00:10:49.123 P00  ERROR: [055]: unable to load",
                "2026-11-23T00:10:49.123Z error P00: [055]: unable to load",
            ),
            (
                "2026-11-23 00:10:49.123: main pid 12: LOG:  stopping",
                "2026-11-23T00:10:49.123Z info main: stopping {\"pid\":12}",
            ),
        ],
    );
}

#[test]
fn a_level_is_found_by_its_place_in_lines_of_php() {
    expect(
        "simple_timestamp",
        &[
            // PHP and PHP-FPM.
            (
                "[23-Nov-2026 00:10:49] WARNING: [pool www] server reached pm.max_children setting (5)",
                "2026-11-23T00:10:49Z warn : [pool www] server reached pm.max_children setting (5)",
            ),
            (
                "[23-Nov-2026 01:10:49 Europe/Berlin] PHP Fatal error:  Uncaught Exception: no",
                "2026-11-23T00:10:49Z error : PHP Fatal error:  Uncaught Exception: no",
            ),
            (
                "[23-Nov-2026 00:10:49 UTC] PHP Deprecated:  x in /srv/x.php on line 3",
                "2026-11-23T00:10:49Z info : PHP Deprecated:  x in /srv/x.php on line 3",
            ),
            (
                "[23-Nov-2026 01:10:49 Mars/Olympus] PHP Warning:  x",
                "2026-11-23T12:00:00Z warn : PHP Warning:  x {\"time\":\"23-Nov-2026 01:10:49 Mars/Olympus\",\"ts_inferred\":true}",
            ),
        ],
    );
}

#[test]
fn a_level_is_found_by_its_place_in_lines_of_klog_and_of_formats_with_a_letter() {
    expect(
        "simple_timestamp",
        &[
            // klog and glog, Ruby, Redis, Android, Telegraf, Gitea, MongoDB of old, Ceph.
            (
                "E1123 00:10:49.000000   12 reflector.go:138] cannot list",
                "2026-11-23T00:10:49Z error reflector.go: cannot list {\"thread\":12,\"caller\":\"reflector.go:138\"}",
            ),
            (
                "I20261123 00:10:49.123456    12 a/b.cc:7] up",
                "2026-11-23T00:10:49.123456Z info a/b.cc: up {\"thread\":12,\"caller\":\"a/b.cc:7\"}",
            ),
            (
                "F1123 00:10:49.000000 1 main.go:1] no",
                "2026-11-23T00:10:49Z error main.go: no {\"thread\":1,\"caller\":\"main.go:1\",\"severity\":\"fatal\"}",
            ),
            (
                "E, [2026-11-23T00:10:49.123456 #123] ERROR -- app: it broke",
                "2026-11-23T00:10:49.123456Z error app: it broke {\"pid\":123}",
            ),
            (
                "W, [2026-11-23T00:10:49.123456 #123]  WARN -- : low",
                "2026-11-23T00:10:49.123456Z warn : low {\"pid\":123}",
            ),
            (
                "1:M 23 Nov 2026 00:10:49.123 # Can't save in background",
                "2026-11-23T00:10:49.123Z warn : Can't save in background {\"pid\":1,\"role\":\"M\"}",
            ),
            (
                "1:C 23 Nov 2026 00:10:49.123 * DB saved on disk",
                "2026-11-23T00:10:49.123Z info : DB saved on disk {\"pid\":1,\"role\":\"C\"}",
            ),
            (
                "[1] 23 Nov 00:10:49.123 # Server started",
                "2026-11-23T00:10:49.123Z warn : Server started {\"pid\":1}",
            ),
            (
                "11-23 00:10:49.123  1234  5678 E Tag     : no",
                "2026-11-23T00:10:49.123Z error Tag: no {\"pid\":1234,\"thread\":5678}",
            ),
            (
                "W/Tag(  123): low",
                "2026-11-23T12:00:00Z warn Tag: low {\"pid\":123,\"ts_inferred\":true}",
            ),
            (
                "2026-11-23T00:10:49Z E! [outputs.file] no",
                "2026-11-23T00:10:49Z error : [outputs.file] no",
            ),
            (
                "2026/11/23 00:10:49 cmd/web.go:112:runWeb() [E] no",
                "2026-11-23T00:10:49Z error cmd/web.go:112:runWeb(): no",
            ),
            (
                "2026-11-23T00:10:49.123+0000 W NETWORK  [conn12] slow",
                "2026-11-23T00:10:49.123Z warn : NETWORK  [conn12] slow",
            ),
            (
                "2026-11-23T00:10:49.123+0000 7f12d0a3e700 -1 auth: error reading file",
                "2026-11-23T00:10:49.123Z error : auth: error reading file {\"thread_name\":\"7f12d0a3e700\"}",
            ),
        ],
    );
}

#[test]
fn a_level_is_found_by_its_place_in_lines_of_java() {
    expect(
        "simple_timestamp",
        &[
            // Java.
            (
                "23-Nov-2026 00:10:49.123 SEVERE [main] org.apache.catalina.core.StandardService.start no",
                "2026-11-23T00:10:49.123Z error org.apache.catalina.core.StandardService.start: no {\"thread_name\":\"main\",\"severity\":\"SEVERE\"}",
            ),
            (
                "2026-11-23T00:10:49.123+01:00 ERROR 123 --- [app] [           main] o.s.b.SpringApplication   : no",
                "2026-11-22T23:10:49.123Z error o.s.b.SpringApplication: no {\"pid\":123,\"thread_name\":\"main\"}",
            ),
            (
                "2026-11-23 00:10:49.123  WARN 123 --- [           main] c.e.Foo   : low",
                "2026-11-23T00:10:49.123Z warn c.e.Foo: low {\"pid\":123,\"thread_name\":\"main\"}",
            ),
            (
                "[2026-11-23T00:10:49,123][ERROR][o.e.b.Bootstrap          ] [node-1] no",
                "2026-11-23T00:10:49.123Z error o.e.b.Bootstrap: [node-1] no",
            ),
            (
                "[2026-11-23 00:10:49,123] WARN no leader (kafka.server.ReplicaManager)",
                "2026-11-23T00:10:49.123Z warn : no leader (kafka.server.ReplicaManager)",
            ),
            (
                "2026-11-23 00:10:49,123 [myid:1] - ERROR [main:Peer@1] - no",
                "2026-11-23T00:10:49.123Z error : [main:Peer@1] - no {\"thread_name\":\"myid:1\"}",
            ),
            (
                "2026-11-23 00:10:49,123 ERROR [org.jboss.as] (Thread Pool -- 12) no",
                "2026-11-23T00:10:49.123Z error org.jboss.as: no {\"thread_name\":\"Thread Pool -- 12\"}",
            ),
            (
                "26/11/23 00:10:49 ERROR Executor: no",
                "2026-11-23T00:10:49Z error : Executor: no",
            ),
            (
                "ERROR [main] 2026-11-23 00:10:49,123 File.java:12 - no",
                "2026-11-23T00:10:49.123Z error : File.java:12 - no",
            ),
            (
                "2026-11-23 00:10:49.123+0000 [id=12]\tSEVERE\thudson.Foo#bar: no",
                "2026-11-23T00:10:49.123Z error : hudson.Foo#bar: no {\"pid\":12,\"severity\":\"SEVERE\"}",
            ),
        ],
    );
}

#[test]
fn a_level_is_found_by_its_place_in_lines_of_python() {
    expect(
        "simple_timestamp",
        &[
            // Python: Celery, Salt, Airflow, Django.
            (
                "[2026-11-23 00:10:49,123: ERROR/MainProcess] no",
                "2026-11-23T00:10:49.123Z error MainProcess: no",
            ),
            (
                "2026-11-23 00:10:49,123 [salt.loader      :123 ][ERROR   ][12] no",
                "2026-11-23T00:10:49.123Z error : [12] no {\"thread_name\":\"salt.loader      :123\"}",
            ),
            (
                "[2026-11-23T00:10:49.123+0000] {file.py:12} ERROR - no",
                "2026-11-23T00:10:49.123Z error : no {\"head\":\"{file.py:12}\"}",
            ),
            (
                "ERROR 2026-11-23 00:10:49,123 views 12 34 no",
                "2026-11-23T00:10:49.123Z error : views 12 34 no",
            ),
            (
                "2026-11-23 00:10:49,123 root ERROR no",
                "2026-11-23T00:10:49.123Z error root: no",
            ),
            (
                "ERROR:root:no",
                "2026-11-23T12:00:00Z error root: no {\"ts_inferred\":true}",
            ),
        ],
    );
}

#[test]
fn a_level_is_found_by_its_place_in_lines_of_go_erlang_and_net() {
    expect(
        "simple_timestamp",
        &[
            // Go: hclog, NATS, zerolog, logrus, charm; Elixir, RabbitMQ, Erlang; .NET, Serilog.
            (
                "2026-11-23T00:10:49.123Z [ERROR] agent: no",
                "2026-11-23T00:10:49.123Z error : agent: no",
            ),
            (
                "    2026/11/23 00:10:49 [ERR] consul: no",
                "2026-11-23T00:10:49Z error : consul: no",
            ),
            (
                "[12] 2026/11/23 00:10:49.123456 [WRN] slow",
                "2026-11-23T00:10:49.123456Z warn : slow {\"pid\":12}",
            ),
            (
                "2026-11-23T00:10:49Z ERR github.com/a/b.go:1 > no error=\"x\"",
                "2026-11-23T00:10:49Z error : github.com/a/b.go:1 > no error=\"x\"",
            ),
            (
                "2026-11-23T00:10:49Z FTL no",
                "2026-11-23T00:10:49Z error : no {\"severity\":\"FTL\"}",
            ),
            (
                "WARN[0012] low",
                "2026-11-23T12:00:00Z warn : low {\"ts_inferred\":true}",
            ),
            (
                "2026/11/23 00:10:49 ERRO no",
                "2026-11-23T00:10:49Z error : no",
            ),
            (
                "00:10:49.123 [error] no",
                "2026-11-23T12:00:00Z error : no {\"time_of_day\":\"00:10:49.123\",\"ts_inferred\":true}",
            ),
            (
                "00:10:49.123 request_id=abc [warning] no",
                "2026-11-23T12:00:00Z warn : no {\"head\":\"request_id=abc\",\"time_of_day\":\"00:10:49.123\",\"ts_inferred\":true}",
            ),
            (
                "00:10:49.123 [main] ERROR com.example.Bar -- no",
                "2026-11-23T12:00:00Z error com.example.Bar: no {\"thread_name\":\"main\",\"time_of_day\":\"00:10:49.123\",\"ts_inferred\":true}",
            ),
            (
                "2026-11-23 00:10:49.123456+00:00 [error] <0.123.0> no",
                "2026-11-23T00:10:49.123456Z error : <0.123.0> no",
            ),
            (
                "[00:10:49 ERR] no",
                "2026-11-23T12:00:00Z error : no {\"time_of_day\":\"00:10:49\",\"ts_inferred\":true}",
            ),
            (
                "2026-11-23 00:10:49.123 +00:00 [WRN] low",
                "2026-11-23T00:10:49.123Z warn : low",
            ),
            (
                "fail: Microsoft.Foo[0]\n      no",
                "2026-11-23T12:00:00Z error : Microsoft.Foo[0] {\"severity\":\"fail\",\"ts_inferred\":true,\"lines\":\"      no\"}",
            ),
        ],
    );
}

#[test]
fn a_level_is_found_by_its_place_in_lines_of_other_servers() {
    expect(
        "simple_timestamp",
        &[
            // Servers of other kinds.
            (
                "2026-11-23 00:10:49 host1 app[12]: error: no",
                "2026-11-23T00:10:49Z error app: no {\"head\":\"host1 app[12]:\"}",
            ),
            (
                "2026-11-23 00:10:49.123 | ERROR    | __main__:f:3 - no",
                "2026-11-23T00:10:49.123Z error : __main__:f:3 - no",
            ),
            (
                "2026-11-23 00:10:49 | warning | low",
                "2026-11-23T00:10:49Z warn : low",
            ),
            (
                "[00:10:49.123] ERROR (12): no",
                "2026-11-23T12:00:00Z error : (12): no {\"time_of_day\":\"00:10:49.123\",\"ts_inferred\":true}",
            ),
            (
                "23 Nov 2026 00:10:49 - ERROR - no",
                "2026-11-23T00:10:49Z error : no",
            ),
            (
                "[2026-11-23 00:10:49.123,  0] ../source3/smbd/server.c:12(main)",
                "2026-11-23T00:10:49.123Z info : ../source3/smbd/server.c:12(main) {\"head\":\"0\"}",
            ),
            (
                "2026-11-23 00:10:49 [password=S3cretValue] ERROR no",
                "2026-11-23T00:10:49Z error : no {\"thread_name\":\"password=…\"}",
            ),
            (
                "[INFO] [2026-11-23 00:10:49] up",
                "2026-11-23T00:10:49Z info : up",
            ),
            (
                "WARNING: 2026/11/23 00:10:49 main.go:12: low",
                "2026-11-23T00:10:49Z warn : main.go:12: low",
            ),
            (
                "23-Nov-2026 00:10:49.123 general: error: no",
                "2026-11-23T00:10:49.123Z error general: no",
            ),
            (
                "2026/11/23 00:10:49 kid1| WARNING: low",
                "2026-11-23T00:10:49Z warn kid1: low",
            ),
            (
                "2026.11.23 00:10:49.123456 [ 12 ] {abc-1} <Error> Foo: no",
                "2026-11-23T00:10:49.123456Z error : Foo: no {\"pid\":12,\"head\":\"[ 12 ] {abc-1}\"}",
            ),
            (
                "[error] 2026-11-23T00:10:49.123456Z a@b <0.1.0> -------- no",
                "2026-11-23T00:10:49.123456Z error : a@b <0.1.0> -------- no",
            ),
            (
                "2026-11-23T00:10:49.123Z|00012|vswitchd|ERR|no",
                "2026-11-23T00:10:49.123Z error vswitchd: no {\"thread\":12}",
            ),
            (
                "2026-11-23 00:10:49.12 spid12s     Error: 18456, Severity: 14",
                "2026-11-23T00:10:49.12Z error spid12s: 18456, Severity: 14",
            ),
            (
                "Nov 23 00:10:49 imap-login: Error: no",
                "2026-11-23T00:10:49Z error imap-login: no",
            ),
            (
                "[1795392649] unbound[12:0] error: no",
                "2026-11-23T00:10:49Z info : unbound[12:0] error: no",
            ),
            (
                "1795392649: Warning: low",
                "2026-11-23T00:10:49Z warn : low",
            ),
            (
                "Mon Nov 23 00:10:49 2026 -> ERROR: no",
                "2026-11-23T00:10:49Z error : no",
            ),
            (
                "2026-11-23T00:10:49.123Z warning vpxd[12] [Originator@1 sub=x] low",
                "2026-11-23T00:10:49.123Z warn : vpxd[12] [Originator@1 sub=x] low",
            ),
            (
                "[00:10:49] [Server thread/WARN]: low",
                "2026-11-23T12:00:00Z warn Server thread: low {\"time_of_day\":\"00:10:49\",\"ts_inferred\":true}",
            ),
            (
                "  1234:20261123:001049.123 cannot connect",
                "2026-11-23T00:10:49.123Z info : cannot connect {\"pid\":1234}",
            ),
            (
                "type=AVC msg=audit(1795392649.123:7): avc:  denied",
                "2026-11-23T00:10:49.123Z info AVC: avc:  denied {\"serial\":7}",
            ),
            (
                "<3>it broke",
                "2026-11-23T12:00:00Z error : it broke {\"ts_inferred\":true}",
            ),
            (
                "<4>[   12.345678] EXT4-fs (sda1): x",
                "2026-11-23T12:00:00Z warn kernel: EXT4-fs (sda1): x {\"uptime\":\"12.345678\",\"ts_inferred\":true}",
            ),
            (
                "[   12.345678] Buffer I/O error on dev sda1, logical block 0",
                "2026-11-23T12:00:00Z error kernel: Buffer I/O error on dev sda1, logical block 0 {\"uptime\":\"12.345678\",\"ts_inferred\":true}",
            ),
            (
                "[    12.345] (EE) no screens",
                "2026-11-23T12:00:00Z error : (EE) no screens {\"uptime\":\"12.345\",\"ts_inferred\":true}",
            ),
            (
                "[ERROR] plugin/errors: 2 example.com. A: read udp",
                "2026-11-23T12:00:00Z error : plugin/errors: 2 example.com. A: read udp {\"ts_inferred\":true}",
            ),
        ],
    );
}
