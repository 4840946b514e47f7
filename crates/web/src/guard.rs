//! Requests that are refused before any handler sees them.
//!
//! A page of another site can make a browser send requests to this server under a foreign name
//! (DNS rebinding); so only names of this server are answered. Paths that a proxy in front might
//! read differently are refused, and so is every request that brings a body: none is needed.

use std::net::SocketAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::error::ApiError;

/// Longest path with query.
const LONGEST_URI: usize = 8 * 1024;

/// The names this server answers to.
#[derive(Clone, Debug)]
pub(crate) struct Names(Vec<String>);

impl Names {
    /// Collects `localhost`, the loopback addresses, the listen address and `further` names. A name
    /// with a port is accepted with and without it.
    #[must_use]
    pub(crate) fn new(listen: SocketAddr, further: &[String]) -> Self {
        let mut names: Vec<String> = ["localhost", "127.0.0.1", "[::1]"]
            .map(str::to_owned)
            .into();
        if !listen.ip().is_unspecified() {
            names.push(host_part(&listen.to_string()).to_owned());
        }
        names.extend(
            further
                .iter()
                .map(|name| host_part(name).to_ascii_lowercase()),
        );
        Self(names)
    }

    fn answers_to(&self, host: &str) -> bool {
        let name = host_part(host).to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        self.0.iter().any(|known| known == name)
    }
}

/// Returns a host without its port; `[::1]:80` gives `[::1]`.
fn host_part(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (!name.contains(':') || name.ends_with(']')) =>
        {
            name
        }
        _ => host,
    }
}

/// Passes valid requests on.
pub(crate) async fn check(State(names): State<Names>, request: Request, next: Next) -> Response {
    match check_request(&names, request.method(), request.uri(), request.headers()) {
        Ok(()) => next.run(request).await,
        Err(error) => error.into_response(),
    }
}

fn check_request(
    names: &Names,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<(), ApiError> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let named = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(|host| names.answers_to(host)),
        _ => false,
    };
    // A request in absolute form names the host once more.
    let absolute = uri
        .authority()
        .is_none_or(|host| names.answers_to(host.as_str()));
    if !named || !absolute {
        return Err(ApiError::ForeignHost);
    }
    if method != Method::GET && method != Method::HEAD {
        return Err(ApiError::Method);
    }
    let refuse = |problem: &str| Err(ApiError::BadRequest(problem.to_owned()));
    if uri
        .path_and_query()
        .is_some_and(|asked| asked.as_str().len() > LONGEST_URI)
    {
        return refuse("the address is too long");
    }
    let path = uri.path().to_ascii_lowercase();
    let is_ambiguous = path.contains("//")
        || path.contains('\\')
        || ["%00", "%2e", "%2f", "%5c"]
            .iter()
            .any(|code| path.contains(code))
        || path.split('/').any(|part| part == "." || part == "..");
    if is_ambiguous {
        return refuse("the path is not plain");
    }
    let empty = |length: &axum::http::HeaderValue| length.as_bytes() == b"0";
    if headers.contains_key(header::TRANSFER_ENCODING)
        || !headers.get_all(header::CONTENT_LENGTH).iter().all(empty)
    {
        return refuse("a request brings no body here");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(host: &str, path: &str) -> Result<(), ApiError> {
        let names = Names::new(
            "127.0.0.1:8088".parse().unwrap(),
            &["Status.example.org:443".to_owned()],
        );
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, host.parse().unwrap());
        check_request(&names, &Method::GET, &path.parse().unwrap(), &headers)
    }

    #[test]
    fn only_our_names_are_answered() {
        for host in [
            "localhost",
            "localhost:8088",
            "LOCALHOST",
            "localhost.",
            "127.0.0.1:1",
            "[::1]:8088",
            "[::1]",
            "status.example.org",
            "status.example.org:8443",
        ] {
            assert_eq!(ask(host, "/monitor/"), Ok(()), "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example",
            "",
            ":80",
            "[::2]",
            "127.0.0.1:80:80",
            "::1",
            "a@localhost",
            "localhost:evil",
        ] {
            assert_eq!(ask(host, "/monitor/"), Err(ApiError::ForeignHost), "{host}");
        }
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        for path in [
            "//evil.example/",
            "/monitor//",
            "/monitor/%00",
            "/monitor/%2e%2e/etc/passwd",
            "/monitor/%2E./x",
            "/monitor/../x",
            "/monitor/./x",
            "/monitor/a%2fb",
            "/monitor/a%5cb",
        ] {
            let refused = matches!(ask("localhost", path), Err(ApiError::BadRequest(_)));
            assert!(refused, "{path}");
        }
        assert_eq!(ask("localhost", "/monitor/api/v1/series?m=a%2Fb"), Ok(()));
        assert_eq!(ask("localhost", "/monitor/assets/index-1.2.js"), Ok(()));
        let long = format!("/monitor/?q={}", "a".repeat(LONGEST_URI));
        assert!(ask("localhost", &long).is_err());
    }
}
