//! Entry points that no visitor uses: those that serve statistics, metrics and health checks. They are
//! recognised by name, because programs do not report what an entry point is for.
//!
//! A name is internal when it consists of words for such a purpose and neutral words, with at least one of the
//! former: `stats`, `fe_stats_http`, `haproxy-exporter`, `/healthz`. Any other word makes it
//! somebody's: `statsd`, `metrics-api` and `healthcare-portal` are traffic.

/// Words for what only machines of the house ask for.
const INTERNAL: &[&str] = &[
    "alive",
    "exporter",
    "hastats",
    "haproxystats",
    "hc",
    "health",
    "healthcheck",
    "healthchecks",
    "healthy",
    "healthz",
    "heartbeat",
    "liveness",
    "livez",
    "metric",
    "metrics",
    "mon",
    "monit",
    "monitor",
    "monitoring",
    "nagios",
    "ping",
    "pong",
    "probe",
    "probes",
    "prom",
    "promex",
    "prometheus",
    "readiness",
    "ready",
    "readyz",
    "stat",
    "statistic",
    "statistics",
    "stats",
    "status",
    "stub",
    "zabbix",
];

/// Neutral words that go with them.
const NEUTRAL: &[&str] = &[
    "admin",
    "backend",
    "be",
    "bk",
    "check",
    "checks",
    "cluster",
    "endpoint",
    "envoy",
    "fe",
    "front",
    "frontend",
    "ft",
    "ha",
    "haproxy",
    "http",
    "https",
    "in",
    "internal",
    "json",
    "listen",
    "listener",
    "local",
    "localhost",
    "nginx",
    "page",
    "port",
    "proxy",
    "server",
    "service",
    "svc",
    "tcp",
    "traefik",
    "uri",
    "url",
];

/// Returns whether an entry point, a path or a service of this name is internal.
pub(super) fn is_internal(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_alphanumeric());
    let mut is_internal = false;
    for word in words.filter(|word| !word.is_empty()) {
        let plain = word.trim_end_matches(|c: char| c.is_ascii_digit());
        match plain {
            plain if INTERNAL.contains(&plain) => is_internal = true,
            plain if plain.is_empty() || NEUTRAL.contains(&plain) => {}
            _ => return false,
        }
    }
    is_internal
}

#[cfg(test)]
mod tests {
    use super::is_internal;

    #[test]
    fn names_of_the_house_and_names_of_visitors() {
        for name in [
            "stats",
            "Stats",
            "fe_stats_http",
            "http-stats",
            "stats_8404",
            "haproxy-exporter",
            "prometheus",
            "prom",
            "metrics",
            "metrics-in",
            "healthz",
            "health_check",
            "/healthz",
            "/metrics",
            "/stub_status",
            "ping",
            "status",
            "readyz",
            "frontend-monitor",
            "haproxy_stats",
            "nagios-check",
            "prometheus_stats",
        ] {
            assert!(is_internal(name), "{name}");
        }
        for name in [
            "",
            "web",
            "web_http",
            "www",
            "statsd",
            "metrics-api",
            "healthcare-portal",
            "admin",
            "internal",
            "api",
            "status-updates",
            "pingpong",
            "/health/insurance",
            "http",
            "8404",
            "metricstore",
            "prometheus.example.org",
        ] {
            assert!(!is_internal(name), "{name}");
        }
    }
}
