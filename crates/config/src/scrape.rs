//! `[scrape]`: the endpoints of the API and the proxy.

use crate::secret::Secret;
use crate::section::section;
use crate::url::HttpUrl;

section! {
    /// Endpoints of the API and the proxy. An empty address turns the scrape off.
    pub struct Scrape = "scrape" {
        /// Metrics of the API, as JSON.
        api_metrics_url: Option<HttpUrl> = loopback(3003, "/metrics") => env("API_METRICS_URL") live();
        /// Metrics of the proxy, as JSON.
        proxy_metrics_url: Option<HttpUrl> = loopback(8082, "/metrics/json") => env("PROXY_METRICS_URL") live();
        /// Bearer token of the proxy's admin port; sent to `proxy_metrics_url` and nowhere else.
        proxy_admin_token: Secret = Secret::default() => env("PROXY_ADMIN_TOKEN") with(printable) live();
    }
}

/// A token travels in a header: blanks and control characters cannot be part of it.
fn printable(value: &crate::key::Value) -> Result<(), crate::key::Problem> {
    match value {
        crate::key::Value::Secret(token)
            if !token.expose().bytes().all(|byte| byte.is_ascii_graphic()) =>
        {
            Err(crate::key::Problem::new(
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
