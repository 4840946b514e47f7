//! One GET request of a target that may be broken or hostile.
//!
//! Everything is bounded: the exchange as a whole by a deadline, the head and the body in bytes (see the crate
//! `http`). A compressed body is refused, so that no small answer grows.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::{Format, HttpUrl, Secret};
use http::Received;
use hyper::body::Incoming;
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST,
    HeaderValue, USER_AGENT,
};
use hyper::{Request, Response, StatusCode};
use rustls::ClientConfig;
use tokio::io::{AsyncRead, AsyncWrite};

use super::error::ScrapeError;

/// Bytes of a body: ten thousand series or so, and a thousandth of what an agent must not grow by.
pub(crate) const BODY_BYTES: usize = 1024 * 1024;

/// Pause before a target that requires another token is asked again.
pub(crate) const DENIED_PAUSE: Duration = Duration::from_secs(60);

/// A whole answer with status 200.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// Whether it declares OpenMetrics, which has a mark at its end.
    pub(crate) open_metrics: bool,
}

/// Asks one address.
#[derive(Debug)]
pub(crate) struct Client {
    url: HttpUrl,
    token: Secret,
    format: Format,
    tls: Option<Arc<ClientConfig>>,
    pub(crate) deadline: Duration,
}

impl Client {
    pub(crate) fn new(
        url: HttpUrl,
        token: Secret,
        format: Format,
        root_cert: Option<&Path>,
    ) -> Result<Self, ScrapeError> {
        let tls = if url.tls {
            let made = pg::client_config(root_cert);
            Some(Arc::new(made.map_err(|error| ScrapeError::Tls {
                address: http::address(&url.host, url.port),
                problem: match error {
                    pg::PgError::RootCert { path, problem } => {
                        format!("the certificates in {}: {problem}", path.display())
                    }
                    error => error.to_string(),
                },
            })?))
        } else {
            None
        };
        Ok(Self {
            url,
            token,
            format,
            tls,
            // Well within the shortest interval that makes sense, and a quarter of the default one.
            deadline: Duration::from_secs(3),
        })
    }

    /// Returns host and port, for messages: a query may hold secrets.
    pub(crate) fn address(&self) -> String {
        http::address(&self.url.host, self.url.port)
    }

    /// Asks once.
    pub(crate) async fn get(&self, received: &mut Received) -> Result<Answer, ScrapeError> {
        match tokio::time::timeout(self.deadline, self.exchange(received)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(ScrapeError::Deadline {
                address: self.address(),
                deadline: self.deadline,
            }),
        }
    }

    async fn exchange(&self, received: &mut Received) -> Result<Answer, ScrapeError> {
        let (host, port) = (self.url.host.as_str(), self.url.port);
        let stream = http::connect(host, port).await?;
        match &self.tls {
            None => self.request_over(stream, received).await,
            Some(tls) => {
                let stream = http::secure(stream, host, port, tls).await?;
                self.request_over(stream, received).await
            }
        }
    }

    async fn request_over<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        received: &mut Received,
    ) -> Result<Answer, ScrapeError> {
        let address = self.address();
        let request = self.request().map_err(|problem| ScrapeError::Answer {
            address: address.clone(),
            problem: format!("the request cannot be written ({problem})"),
        })?;
        let check = |response: &Response<Incoming>| {
            self.check(response)?;
            Ok(header(response, &CONTENT_TYPE)
                .is_some_and(|kind| kind.starts_with("application/openmetrics-text")))
        };
        let (open_metrics, body) =
            http::exchange(stream, &address, request, BODY_BYTES, received, check)
                .await
                .map_err(|error: ScrapeError| error)?;
        Ok(Answer { body, open_metrics })
    }

    fn request(&self) -> Result<Request<String>, hyper::http::Error> {
        let url = &self.url;
        let accept = match self.format {
            Format::Json => "application/json",
            Format::Prometheus => {
                "text/plain;version=0.0.4, application/openmetrics-text;version=1.0.0;q=0.8"
            }
        };
        let mut request = Request::get(url.path.as_str())
            .header(HOST, http::host_header(url))
            .header(ACCEPT, accept)
            .header(ACCEPT_ENCODING, "identity")
            .header(CONNECTION, "close")
            .header(USER_AGENT, "pqcrypta-collector");
        if !self.token.is_empty() {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", self.token.expose()))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.body(String::new())
    }

    /// Checks whether the head promises a body that can be read.
    fn check(&self, response: &Response<Incoming>) -> Result<(), ScrapeError> {
        let address = self.address();
        match response.status() {
            StatusCode::OK => {}
            status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                return Err(ScrapeError::Denied {
                    address,
                    status: status.as_u16(),
                    pause: DENIED_PAUSE,
                });
            }
            status => {
                return Err(ScrapeError::Status {
                    address,
                    status: status.as_u16(),
                });
            }
        }
        if let Some(encoding) = header(response, &CONTENT_ENCODING)
            && !encoding.eq_ignore_ascii_case("identity")
        {
            return Err(ScrapeError::Encoding {
                address,
                encoding: encoding.chars().take(40).collect(),
            });
        }
        Ok(())
    }
}

fn header<'a>(
    response: &'a Response<Incoming>,
    name: &hyper::header::HeaderName,
) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}
