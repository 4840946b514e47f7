//! `[scrape]` and `[[scrape.target]]`: the applications that are asked for their metrics.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schema::tables::{ApiSample, ProxySample};
use schema::{Column, Sample, TableDef};

use crate::field::choice;
use crate::key::{Problem, Value};
use crate::mapping::ROWS;
use crate::postgres::name;
use crate::secret::Secret;
use crate::section::section;
use crate::url::HttpUrl;

section! {
    /// Applications that are asked for their metrics. These three keys are short for a target named
    /// `api` and one named `proxy`, both with JSON; an empty address turns either off.
    pub struct Scrape = "scrape" {
        /// Metrics of the API, as JSON.
        api_metrics_url: Option<HttpUrl> = loopback(3003, "/metrics") => env("API_METRICS_URL") live();
        /// Metrics of the proxy, as JSON.
        proxy_metrics_url: Option<HttpUrl> = loopback(8082, "/metrics/json") => env("PROXY_METRICS_URL") live();
        /// Bearer token of the proxy's admin port; sent to `proxy_metrics_url` and nowhere else.
        proxy_admin_token: Secret = Secret::default() => env("PROXY_ADMIN_TOKEN") with(printable) live();
    } with {
        /// Further targets: `[[scrape.target]]`.
        target: Vec<ScrapeTarget>;
    }
}

section! {
    /// An application that is asked for its metrics, written once for each. One named `api` or
    /// `proxy` takes the place of the address of that name above.
    pub struct ScrapeTarget = ["scrape.target"] {
        /// Name of the target in every view; small letters, digits, `-` and `_`.
        name: String = String::new() => with(name) live();
        /// Which table and view its values belong in: `api` or `proxy`.
        kind: TargetKind = TargetKind::Api => live();
        /// Address of its metrics.
        url: Option<HttpUrl> = None => live();
        /// Bearer token; sent to this address and nowhere else. Better kept in `token_file`.
        token: Secret = Secret::default() => with(printable) live();
        /// File that holds the token and nothing else.
        token_file: Option<PathBuf> = None => with(crate::machine::absolute) live();
        /// File with the certificates that may have signed the target's; the bundle of the system when
        /// empty.
        root_cert: Option<PathBuf> = None => with(crate::machine::absolute) live();
        /// `json`, or `prometheus` for its text format and that of OpenMetrics.
        format: Format = Format::Json => live();
        /// Which program it is, for the names of its series: `caddy`, `traefik`, `haproxy`, `envoy`,
        /// `nginx` (with nginx-prometheus-exporter), `nginx-vts` (the module of that name),
        /// `nginxlog` (prometheus-nginxlog-exporter), or `custom`: only what `map` defines.
        mapping: Mapping = Mapping::Custom => live();
        /// Column of the table and the path or expression that it is had by; wins over `mapping` and
        /// over the names that are looked for in JSON. docs/TARGETS.md has the language.
        map: BTreeMap<String, String> = BTreeMap::new() => live();
    }
}

choice! {
    /// Which table and view the values of a target belong in.
    pub enum TargetKind {
        /// `collector.api_metrics_raw`.
        Api = "api",
        /// `collector.proxy_metrics_raw`.
        Proxy = "proxy",
    }
}

choice! {
    /// What a target answers with.
    pub enum Format {
        /// A JSON object.
        Json = "json",
        /// Prometheus text 0.0.4 or OpenMetrics 1.0.
        Prometheus = "prometheus",
    }
}

choice! {
    /// The program whose series a target serves.
    pub enum Mapping {
        /// None that is known: only what `map` defines.
        Custom = "custom",
        /// Caddy.
        Caddy = "caddy",
        /// Traefik.
        Traefik = "traefik",
        /// HAProxy with its own Prometheus endpoint.
        Haproxy = "haproxy",
        /// Envoy.
        Envoy = "envoy",
        /// nginx through nginx-prometheus-exporter.
        Nginx = "nginx",
        /// nginx with the module nginx-vts.
        NginxVts = "nginx-vts",
        /// nginx through prometheus-nginxlog-exporter.
        Nginxlog = "nginxlog",
    }
}

impl Scrape {
    /// Returns every target, in the order of the reference: `api`, `proxy`, then those of the list. Each has
    /// an address and a name of its own.
    #[must_use]
    pub fn targets(&self) -> Vec<ScrapeTarget> {
        let short = [
            (
                "api",
                TargetKind::Api,
                &self.api_metrics_url,
                Secret::default(),
            ),
            (
                "proxy",
                TargetKind::Proxy,
                &self.proxy_metrics_url,
                self.proxy_admin_token.clone(),
            ),
        ];
        short
            .into_iter()
            .filter(|(name, ..)| self.target.iter().all(|target| target.name != *name))
            .filter(|(_, _, url, _)| url.is_some())
            .map(|(name, kind, url, token)| ScrapeTarget {
                name: name.to_owned(),
                kind,
                url: url.clone(),
                token,
                ..ScrapeTarget::default()
            })
            .chain(self.target.iter().cloned())
            .collect()
    }

    /// Returns whether nobody named the target of this name: it is looked for at an address that applies
    /// without being written, so that nothing answers there is no fault.
    #[must_use]
    pub fn is_assumed(&self, name: &str) -> bool {
        let usual = Self::default();
        let is_usual = match name {
            "api" => self.api_metrics_url == usual.api_metrics_url,
            "proxy" => {
                self.proxy_metrics_url == usual.proxy_metrics_url
                    && self.proxy_admin_token.is_empty()
            }
            _ => false,
        };
        is_usual && self.target.iter().all(|target| target.name != name)
    }
}

impl TargetKind {
    /// Returns the table of its values.
    #[must_use]
    pub fn table(self) -> &'static TableDef {
        match self {
            Self::Api => ApiSample::TABLE,
            Self::Proxy => ProxySample::TABLE,
        }
    }

    /// Returns whether `map` may name this column.
    pub(crate) fn has(self, column: &str) -> bool {
        ROWS.contains(&column) || self.columns().any(|name| name == column)
    }

    /// Columns that `map` may name.
    pub(crate) fn columns(self) -> impl Iterator<Item = &'static str> {
        let columns = self
            .table()
            .columns
            .iter()
            .map(|column: &Column| column.name);
        columns.filter(|name| *name != "target")
    }
}

/// Returns a token travels in a header: blanks and control characters cannot be part of it.
pub(crate) fn printable(value: &Value) -> Result<(), Problem> {
    match value {
        Value::Secret(token) if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(Problem::new(
                "holds a blank, a control character or a letter outside ASCII",
                "copy the token without quotes and line breaks",
            ))
        }
        _ => Ok(()),
    }
}

fn loopback(port: u16, path: &str) -> Option<HttpUrl> {
    Some(HttpUrl {
        tls: false,
        host: "127.0.0.1".to_owned(),
        port,
        path: path.to_owned(),
    })
}
