//! Pages over HTTP, and the ingest of web analytics.

use config::{HealthCheck, HttpUrl};
use hyper::body::Incoming;
use hyper::header::{ACCEPT_ENCODING, CONNECTION, CONTENT_TYPE, HOST, LOCATION, USER_AGENT};
use hyper::{Request, Response};

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

/// Checks that the ingest accepts an event of the site: 202 states that it is stored durably. The event is one of a program, which
/// the ingest counts by its reason and never as a visit.
pub(crate) async fn ingest(
    check: &HealthCheck,
    url: &HttpUrl,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let site = check.site.replace(['"', '\\'], "");
    let body = format!(
        r#"{{"v":1,"site":"{site}","url":"https://{site}/health-check","width":0,"view":"{:016x}","events":[{{"type":"view"}}]}}"#,
        crate::name::random()
    );
    let path = format!("{}/e", url.path.trim_end_matches('/'));
    let request = Request::post(path)
        .header(CONTENT_TYPE, "text/plain")
        .header("origin", format!("https://{site}"));
    let end = ask(check, url, request, body, facts).await?;
    match (facts.status, end) {
        (Some(202), Ok(_)) => Ok(()),
        (status, _) => Err(Failure::Down(format!(
            "the ingest answers {} instead of 202",
            status.unwrap_or_default()
        ))),
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
