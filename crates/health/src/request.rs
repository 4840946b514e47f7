//! Pages over HTTP, and the ingest of web analytics.

use config::{HealthCheck, HttpUrl};
use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response};
use std::time::Duration;
use tokio::time::Instant;

use crate::port::{connect, contains, secure};
use crate::{Facts, Failure};

/// Redirects that are followed: more is a loop.
const REDIRECTS: usize = 5;

/// Bytes of a body.
const BODY_BYTES: usize = 1024 * 1024;

const AGENT: &str = "pqcrypta-health-check";

/// How an exchange ends.
enum End {
    /// With an error.
    Failed(http::HttpError),
    /// With another address; its body is not read.
    Elsewhere(String),
}

impl From<http::HttpError> for End {
    fn from(error: http::HttpError) -> Self {
        Self::Failed(error)
    }
}

/// Checks that a page has its status, contains what it must and lacks what it must not contain.
pub(crate) async fn page(
    check: &HealthCheck,
    url: &HttpUrl,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let mut url = url.clone();
    let mut expires_at = None;
    for _ in 0..=REDIRECTS {
        let end = ask(
            check,
            &url,
            Request::get(url.path.as_str()),
            String::new(),
            facts,
        )
        .await?;
        // Every certificate on the way has to be valid; the first to expire counts.
        expires_at = expires_at.into_iter().chain(facts.expires_at).min();
        facts.expires_at = expires_at;
        let body = match end {
            Ok(body) => body,
            Err(location) => {
                url = followed(&url, &location)?;
                continue;
            }
        };
        if facts.status != Some(check.status) {
            let status = facts.status.unwrap_or_default();
            return Err(Failure::Down(format!(
                "status {status} instead of {}",
                check.status
            )));
        }
        if !contains(&body, &check.contains) {
            return Err(Failure::Down(format!(
                "the answer does not contain {:?}",
                check.contains
            )));
        }
        if !check.lacks.is_empty() && contains(&body, &check.lacks) {
            return Err(Failure::Down(format!(
                "the answer contains {:?}",
                check.lacks
            )));
        }
        return Ok(());
    }
    Err(Failure::Down(format!(
        "more than {REDIRECTS} redirects, the last one to {url}"
    )))
}

/// How often the ingest is asked whether an event is stored: it stores once a second.
const ASK_EVERY: Duration = Duration::from_millis(250);

/// Checks that an event of the site arrives: 202 states that it is on the ingest's disk, and a moment later it must be in the database.
/// The event is marked as one of a health check, so it counts nowhere. Its time is that of the first answer.
pub(crate) async fn ingest(
    check: &HealthCheck,
    url: &HttpUrl,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let started = Instant::now();
    let site = check.site.replace(['"', '\\'], "");
    let view = crate::name::random();
    let body = format!(
        r#"{{"v":1,"site":"{site}","url":"https://{site}/health-check","view":"{view:016x}","synthetic":true,"events":[{{"type":"view"}}]}}"#,
    );
    let base = url.path.trim_end_matches('/');
    let request = Request::post(format!("{base}/e"))
        .header(CONTENT_TYPE, "text/plain")
        .header("origin", format!("https://{site}"));
    let answer = ask(check, url, request, body, facts).await?;
    if (facts.status, answer.is_ok()) != (Some(202), true) {
        return Err(Failure::Down(format!(
            "the ingest answers {} instead of 202",
            facts.status.unwrap_or_default()
        )));
    }
    facts.answered = Some(Instant::now());
    // Before the attempt ends, so that its failure says what is missing.
    let patience = Duration::from_secs(check.timeout_secs).mul_f64(0.8);
    loop {
        let request = Request::get(format!("{base}/stored?view={view:016x}"));
        let answer = ask(check, url, request, String::new(), facts).await?;
        match (facts.status, answer.as_deref()) {
            (Some(200), Ok(b"stored")) => {
                facts.status = Some(202);
                return Ok(());
            }
            (Some(200), Ok(b"waiting")) => {}
            (status, _) => {
                return Err(Failure::Down(format!(
                    "the ingest accepts an event, but answers {} when asked whether it is stored",
                    status.unwrap_or_default()
                )));
            }
        }
        if started.elapsed() + ASK_EVERY > patience {
            return Err(Failure::Down(format!(
                "an event is accepted, but not in the database after {:.0} s: the ingest does not deliver",
                started.elapsed().as_secs_f64()
            )));
        }
        tokio::time::sleep(ASK_EVERY).await;
    }
}

/// Sends one request; returns the body, or where the answer points instead.
async fn ask(
    check: &HealthCheck,
    url: &HttpUrl,
    request: hyper::http::request::Builder,
    body: String,
    facts: &mut Facts,
) -> Result<Result<Vec<u8>, String>, Failure> {
    let request = request
        .header(HOST, http::host_header(url))
        .header(ACCEPT_ENCODING, "identity")
        .header(CONNECTION, "close")
        .header(USER_AGENT, AGENT)
        .body(body)
        .map_err(|error| Failure::Down(format!("the request cannot be written ({error})")))?;
    let (host, port) = (url.host.as_str(), url.port);
    let stream = connect(host, port, facts).await?;
    let address = http::address(host, port);
    let expected = check.status;
    let redirects = |response: &Response<Incoming>| {
        let status = response.status();
        let location = response.headers().get(LOCATION);
        match location.and_then(|value| value.to_str().ok()) {
            Some(to) if status.is_redirection() && status.as_u16() != expected => {
                Err(End::Elsewhere(to.to_owned()))
            }
            _ => Ok(()),
        }
    };
    let mut received = http::Received::default();
    let result = if url.tls {
        let stream = secure(stream, host, port, check.root_cert.as_deref(), facts).await?;
        http::exchange(
            stream,
            &address,
            request,
            BODY_BYTES,
            &mut received,
            redirects,
        )
        .await
    } else {
        http::exchange(
            stream,
            &address,
            request,
            BODY_BYTES,
            &mut received,
            redirects,
        )
        .await
    };
    facts.status = received.status;
    match result {
        Ok(((), body)) => Ok(Ok(body)),
        Err(End::Elsewhere(location)) => Ok(Err(location)),
        Err(End::Failed(error)) => Err(Failure::of(&error)),
    }
}

/// Returns the address that a redirect leads to.
fn followed(from: &HttpUrl, location: &str) -> Result<HttpUrl, Failure> {
    let scheme = if from.tls { "https" } else { "http" };
    let base = format!("{scheme}://{}", http::address(&from.host, from.port));
    let whole = if location.contains("://") {
        location.to_owned()
    } else if let Some(rest) = location.strip_prefix("//") {
        format!("{scheme}://{rest}")
    } else if location.starts_with('/') {
        format!("{base}{location}")
    } else {
        let path = from.path.split('?').next().unwrap_or_default();
        let folder = path.rfind('/').map_or("/", |end| &path[..=end]);
        format!("{base}{folder}{location}")
    };
    let to = HttpUrl::parse(&whole).map_err(|problem| {
        Failure::Down(format!("it redirects to an address that {}", problem.text))
    })?;
    if from.tls && !to.tls {
        return Err(Failure::Down("it redirects to plain text".to_owned()));
    }
    Ok(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_where_a_browser_goes() {
        let from = HttpUrl::parse("https://shop.example:8443/a/b?x=1").unwrap();
        for (location, expected) in [
            (
                "https://other.example/c",
                Some("https://other.example:443/c"),
            ),
            ("//other.example/c", Some("https://other.example:443/c")),
            ("/c?y", Some("https://shop.example:8443/c?y")),
            ("c", Some("https://shop.example:8443/a/c")),
            ("http://shop.example/", None),
            ("ftp://shop.example/", None),
            ("https://169.254.169.254/latest", None),
            ("https://user:word@shop.example/", None),
        ] {
            let to = followed(&from, location).ok().map(|url| url.to_string());
            assert_eq!(to.as_deref(), expected, "{location}");
        }
    }
}
