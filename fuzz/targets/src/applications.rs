//! Answers of scraped targets: Prometheus text, OpenMetrics, JSON.

use crate::seeds::{choosing, files};
use collect::Moment;
use collect::application::Application;
use config::{Format, HttpUrl, Mapping, ScrapeTarget, TargetKind};
use schema::Timestamp;
use std::time::Duration;

use Format::{Json, Prometheus};
use TargetKind::{Api, Proxy};

/// Ways of reading an answer, and how the recorded answers begin that are read so; longer names first.
const READINGS: &[(Format, TargetKind, Mapping, &str)] = &[
    (Json, Api, Mapping::Custom, "api"),
    (Json, Proxy, Mapping::Custom, "proxy"),
    (Prometheus, Proxy, Mapping::Caddy, "caddy"),
    (Prometheus, Proxy, Mapping::Envoy, "envoy"),
    (Prometheus, Proxy, Mapping::Haproxy, "haproxy"),
    (Prometheus, Proxy, Mapping::NginxVts, "nginx-vts"),
    (Prometheus, Proxy, Mapping::Nginxlog, "nginxlog"),
    (Prometheus, Proxy, Mapping::Nginx, "nginx"),
    (Prometheus, Proxy, Mapping::Traefik, "traefik"),
];

/// Reads the input twice, as two answers in a row.
pub(crate) fn run(input: &[u8]) {
    let Some((choice, body)) = input.split_first() else {
        return;
    };
    let (format, kind, mapping, name) = READINGS[usize::from(*choice & 0x7f) % READINGS.len()];
    let open_metrics = *choice & 0x80 != 0;
    let target = ScrapeTarget {
        name: name.to_owned(),
        url: HttpUrl::parse("http://127.0.0.1:1/metrics").ok(),
        format,
        kind,
        mapping,
        ..ScrapeTarget::default()
    };
    let mut application = Application::new(target).expect("a target");
    for tick in 0..2 {
        let at = Moment {
            ts: Timestamp::from_millis(1_795_935_600_000 + tick * 10_000),
            monotonic: Duration::from_secs(tick.unsigned_abs() * 10),
        };
        let mut rows = Vec::new();
        let result = application.take(body, open_metrics, &at, &mut rows);
        assert!(result.is_ok() || rows.is_empty());
        // What is read can be queued.
        drop(store::tuple::encode(&rows));
    }
}

/// Returns recorded answers.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut seeds = Vec::new();
    for (path, content) in files("application", "") {
        let file = path.file_name().unwrap_or_default().to_string_lossy();
        let fits = |reading: &(_, _, _, &str)| file.starts_with(reading.3);
        if let Some(choice) = READINGS.iter().position(fits) {
            seeds.push(choosing(choice, &content));
        }
    }
    seeds.push(choosing(
        0x80 + 2,
        b"# TYPE a counter\na_total{x=\"1\"} 3 # {trace=\"7\"} 1\n# EOF\n",
    ));
    seeds
}
