//! Real programs, where they are installed: what the rows report is what was asked of them, and neither our
//! scrapes nor health checks are part of it. One that is not installed is skipped, and the test reports it.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod application_support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use application_support::{Peer, cell, ok, target, tick};
use collect::application::{Application, News};
use config::{Format, HttpUrl, Mapping};
use schema::Cell;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A program while it runs.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Where a program is installed.
fn installed(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut dirs: Vec<PathBuf> = std::env::split_paths(&path).collect();
    dirs.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let found = dirs
        .into_iter()
        .map(|dir| dir.join(name))
        .find(|file| file.is_file());
    if found.is_none() {
        eprintln!("SKIPPED: {name} is not installed, so nothing was tried with it");
    }
    found
}

/// Ports that nobody listens at, each another one.
fn free_ports<const N: usize>() -> [u16; N] {
    let mut taken = Vec::new();
    [(); N].map(|()| {
        let mut free = || testkit::free_port().unwrap();
        let port = std::iter::repeat_with(&mut free).find(|port| !taken.contains(port));
        taken.extend(port);
        port.unwrap()
    })
}

fn run(program: &Path, args: &[&str], dir: &Path) -> Running {
    let child = Command::new(program)
        .args(args)
        .current_dir(dir)
        .env("HOME", dir)
        .env("XDG_CONFIG_HOME", dir)
        .env("XDG_DATA_HOME", dir)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Running(child)
}

/// Status of one request; 0 when there was no answer.
async fn get(port: u16, host: &str, path: &str) -> u16 {
    let asking = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
        let head = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.ok()?;
        answer.split(' ').nth(1)?.parse().ok()
    };
    asking.await.unwrap_or(0)
}

/// Waits until a port answers.
async fn answering(port: u16, path: &str) {
    for _ in 0..500 {
        if get(port, "localhost", path).await != 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody answers at {port}");
}

fn scraped(port: u16, mapping: Mapping) -> Application {
    let mut target = target(port);
    target.url = Some(HttpUrl::parse(&format!("http://127.0.0.1:{port}/metrics")).unwrap());
    target.format = Format::Prometheus;
    target.mapping = mapping;
    Application::new(target).unwrap()
}

/// The number in a column at a tick.
async fn number(application: &mut Application, at: u64, column: &str) -> i64 {
    let (rows, news) = tick(application, at).await;
    assert!(!matches!(news, News::Down(_)), "{news:?}");
    match cell(&rows[1], column) {
        Cell::Int(value) => value,
        other => panic!("{column}: {other:?}"),
    }
}

/// An origin that answers everything.
async fn origin() -> Peer {
    Peer::canned(vec![ok("text/plain", b"hello")]).await
}

#[tokio::test]
async fn haproxy_reports_what_it_served() {
    let Some(haproxy) = installed("haproxy") else {
        return;
    };
    let (dir, origin) = (tempfile::tempdir().unwrap(), origin().await);
    let [web, stats, health] = free_ports();
    let config = format!(
        "defaults\n mode http\n timeout connect 2s\n timeout client 5s\n timeout server 5s\n\
         frontend www\n bind 127.0.0.1:{web}\n http-request redirect location / if {{ path /old }}\n default_backend app\n\
         frontend stats\n bind 127.0.0.1:{stats}\n http-request use-service prometheus-exporter if {{ path /metrics }}\n stats enable\n stats uri /stats\n\
         frontend health_check\n bind 127.0.0.1:{health}\n monitor-uri /healthz\n\
         backend app\n server a 127.0.0.1:{}\n",
        origin.port
    );
    let file = dir.path().join("haproxy.cfg");
    std::fs::write(&file, config).unwrap();
    let _running = run(&haproxy, &["-db", "-f", file.to_str().unwrap()], dir.path());
    answering(stats, "/metrics").await;
    let mut application = scraped(stats, Mapping::Haproxy);
    assert_eq!(number(&mut application, 0, "request_total").await, 0);
    for _ in 0..7 {
        assert_eq!(get(web, "a.test", "/a").await, 200);
        assert_eq!(get(health, "a.test", "/healthz").await, 200);
        assert_eq!(get(stats, "a.test", "/stats").await, 200);
    }
    assert_eq!(get(web, "a.test", "/old").await, 302);
    assert_eq!(number(&mut application, 1, "request_total").await, 8);
    assert_eq!(number(&mut application, 2, "request_success").await, 8);
    assert!(!application.understood().lacks_most());
}

#[tokio::test]
async fn caddy_reports_what_it_served_with_and_without_host_names() {
    let Some(caddy) = installed("caddy") else {
        return;
    };
    let (dir, origin) = (tempfile::tempdir().unwrap(), origin().await);
    let [open, named, admin] = free_ports();
    let file = dir.path().join("Caddyfile");
    // The option moved in 2.10; the older place is still taken.
    let config = format!(
        "{{\n admin 127.0.0.1:{admin}\n auto_https off\n servers {{\n metrics\n }}\n}}\n\
         :{open} {{\n header X-A b\n respond /health 200\n reverse_proxy 127.0.0.1:{}\n}}\n\
         http://one.test:{named} {{\n handle /api/* {{\n respond \"a\"\n }}\n handle {{\n respond \"b\" 404\n }}\n}}\n",
        origin.port
    );
    std::fs::write(&file, config).unwrap();
    let args = [
        "run",
        "--adapter",
        "caddyfile",
        "--config",
        file.to_str().unwrap(),
    ];
    let _running = run(&caddy, &args, dir.path());
    answering(admin, "/metrics").await;
    let mut application = scraped(admin, Mapping::Caddy);
    let (rows, _) = tick(&mut application, 0).await;
    assert_eq!(
        cell(&rows[0], "up"),
        Cell::Bool(true),
        "it had no request so far"
    );
    assert_eq!(
        cell(&rows[1], "request_total"),
        Cell::Null,
        "unknown is not zero"
    );
    for _ in 0..5 {
        assert_eq!(get(open, "localhost", "/a").await, 200);
        assert_eq!(get(open, "localhost", "/health").await, 200);
        assert_eq!(get(named, "one.test", "/api/x").await, 200);
        assert_eq!(get(named, "one.test", "/other").await, 404);
    }
    assert_eq!(number(&mut application, 1, "request_total").await, 20);
    assert_eq!(number(&mut application, 2, "request_success").await, 15);
    assert_eq!(
        number(&mut application, 3, "request_client_errors").await,
        5
    );
}

#[tokio::test]
async fn nginx_is_down_when_its_exporter_reports_it() {
    let Some((nginx, exporter)) = installed("nginx").zip(installed("prometheus-nginx-exporter"))
    else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    let [web, metrics] = free_ports();
    let here = dir.path().display();
    let config = format!(
        "daemon off; master_process off; pid {here}/pid; error_log {here}/errors; events {{}}\n\
         http {{ access_log off; client_body_temp_path {here}/a; proxy_temp_path {here}/b; fastcgi_temp_path {here}/c;\n\
         uwsgi_temp_path {here}/d; scgi_temp_path {here}/e;\n\
         server {{ listen 127.0.0.1:{web}; location / {{ return 200 x; }} location /stub {{ stub_status; }} }} }}\n"
    );
    let file = dir.path().join("nginx.conf");
    std::fs::write(&file, config).unwrap();
    let server = run(
        &nginx,
        &[
            "-c",
            file.to_str().unwrap(),
            "-p",
            dir.path().to_str().unwrap(),
        ],
        dir.path(),
    );
    answering(web, "/").await;
    let args = [
        format!("-nginx.scrape-uri=http://127.0.0.1:{web}/stub"),
        format!("-web.listen-address=127.0.0.1:{metrics}"),
    ];
    let _exporter = run(&exporter, &args.each_ref().map(String::as_str), dir.path());
    answering(metrics, "/").await;
    let mut application = scraped(metrics, Mapping::Nginx);
    let before = number(&mut application, 0, "request_total").await;
    for _ in 0..9 {
        assert_eq!(get(web, "localhost", "/").await, 200);
    }
    // The exporter asks once for each scrape.
    assert_eq!(
        number(&mut application, 1, "request_total").await,
        before + 10
    );
    assert_eq!(number(&mut application, 2, "requests_in_progress").await, 0);
    let (rows, _) = tick(&mut application, 3).await;
    assert_eq!(cell(&rows[1], "conn_active"), Cell::Int(0), "ours is none");
    drop(server);
    let (rows, news) = tick(&mut application, 4).await;
    let News::Down(cause) = news else {
        panic!("{news:?}")
    };
    assert!(cause.contains("nginx_up is 0"), "{cause}");
    assert_eq!(cell(&rows[0], "up"), Cell::Bool(false));
}
