//! One GET request of a target that may be broken or hostile.
//!
//! Everything is bounded: the exchange as a whole by a deadline, the head and the body in bytes. A
//! compressed body is refused, so that no small answer grows. Redirects are not followed and no
//! proxy of the environment is used, so that the token goes to the configured host alone. The host
//! is resolved anew for each request, and the address that is connected to is the one that was
//! looked at. Over TLS, certificate and name are verified, or nothing is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use config::{Format, HttpUrl, Secret};
use hyper::body::{Body, Incoming};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HOST,
    HeaderValue, USER_AGENT,
};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::error::ScrapeError;

/// Bytes of the head of an answer: what nginx and others allow for a head of their own.
const HEAD_BYTES: usize = 16 * 1024;

/// Bytes of a body: ten thousand series or so, and a thousandth of what an agent must not grow by.
pub(super) const BODY_BYTES: usize = 1024 * 1024;

/// Pause before a target that requires another token is asked again.
pub(super) const DENIED_PAUSE: Duration = Duration::from_secs(60);

/// The received part of an answer, complete or not.
#[derive(Debug, Default)]
pub(super) struct Received {
    pub(super) status: Option<u16>,
    pub(super) bytes: Option<usize>,
}

/// A whole answer with status 200.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) body: Vec<u8>,
    /// Whether it declares OpenMetrics, which has a mark at its end.
    pub(super) open_metrics: bool,
}

/// Asks one address.
#[derive(Debug)]
pub(super) struct Client {
    url: HttpUrl,
    token: Secret,
    format: Format,
    tls: Option<Arc<ClientConfig>>,
    pub(super) deadline: Duration,
}

impl Client {
    pub(super) fn new(
        url: HttpUrl,
        token: Secret,
        format: Format,
        root_cert: Option<&Path>,
    ) -> Result<Self, ScrapeError> {
        let tls = if url.tls {
            let made = pg::client_config(root_cert);
            Some(Arc::new(made.map_err(|error| ScrapeError::Tls {
                address: address(&url),
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
    pub(super) fn address(&self) -> String {
        address(&self.url)
    }

    /// Asks once.
    pub(super) async fn get(&self, received: &mut Received) -> Result<Answer, ScrapeError> {
        match tokio::time::timeout(self.deadline, self.exchange(received)).await {
            Ok(result) => result,
            Err(_elapsed) => Err(ScrapeError::Deadline {
                address: self.address(),
                deadline: self.deadline,
            }),
        }
    }

    async fn exchange(&self, received: &mut Received) -> Result<Answer, ScrapeError> {
        let stream = self.connect().await?;
        let Some(tls) = &self.tls else {
            return self.request_over(stream, received).await;
        };
        let refused = |problem: String| ScrapeError::Tls {
            address: self.address(),
            problem,
        };
        let name = ServerName::try_from(self.url.host.clone())
            .map_err(|error| refused(error.to_string()))?;
        let stream = TlsConnector::from(Arc::clone(tls))
            .connect(name, stream)
            .await
            .map_err(|error| refused(error.to_string()))?;
        self.request_over(stream, received).await
    }

    async fn connect(&self) -> Result<TcpStream, ScrapeError> {
        let unresolved = |problem: String| ScrapeError::Address {
            host: self.url.host.clone(),
            problem,
        };
        let (host, port) = (self.url.host.as_str(), self.url.port);
        let addresses: Vec<SocketAddr> = if host.eq_ignore_ascii_case("localhost") {
            // Never left to a resolver: plain text and tokens are let through for this machine.
            [
                IpAddr::V4(Ipv4Addr::LOCALHOST),
                IpAddr::V6(Ipv6Addr::LOCALHOST),
            ]
            .map(|ip| SocketAddr::new(ip, port))
            .to_vec()
        } else {
            let found = tokio::net::lookup_host((host, port)).await;
            found
                .map_err(|error| unresolved(error.to_string()))?
                .collect()
        };
        let mut last = unresolved("it has no address".to_owned());
        for address in addresses {
            if let Some(why) = config::url::refused(address.ip()) {
                last = unresolved(format!("{} {why}", address.ip()));
                continue;
            }
            match TcpStream::connect(address).await {
                Ok(stream) => return Ok(stream),
                Err(source) => {
                    last = ScrapeError::Connect {
                        address: self.address(),
                        source,
                    };
                }
            }
        }
        Err(last)
    }

    async fn request_over<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        received: &mut Received,
    ) -> Result<Answer, ScrapeError> {
        let broken = |error: hyper::Error| ScrapeError::Answer {
            address: self.address(),
            problem: deepest(&error),
        };
        let request = self.request().map_err(|problem| ScrapeError::Answer {
            address: self.address(),
            problem: format!("the request cannot be written ({problem})"),
        })?;
        let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
            .max_buf_size(HEAD_BYTES)
            .handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let talk = async {
            let response = sender.send_request(request).await.map_err(broken)?;
            received.status = Some(response.status().as_u16());
            self.check(&response)?;
            let open_metrics = header(&response, &CONTENT_TYPE)
                .is_some_and(|kind| kind.starts_with("application/openmetrics-text"));
            let body = self.body(response.into_body(), received).await?;
            Ok(Answer { body, open_metrics })
        };
        // The connection only drives the exchange; the result is in the exchange.
        let mut connection = pin!(connection);
        let mut talk = pin!(talk);
        tokio::select! {
            answer = &mut talk => return answer,
            _ended = &mut connection => {}
        }
        talk.await
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
            .header(HOST, host_header(url))
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
        if response.body().size_hint().lower() > BODY_BYTES as u64 {
            return Err(self.too_large());
        }
        Ok(())
    }

    async fn body(&self, body: Incoming, received: &mut Received) -> Result<Vec<u8>, ScrapeError> {
        let mut body = pin!(body);
        let mut bytes = Vec::new();
        while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
            let frame = frame.map_err(|error| ScrapeError::Answer {
                address: self.address(),
                problem: deepest(&error),
            })?;
            // Trailers are not used.
            let Ok(data) = frame.into_data() else {
                continue;
            };
            received.bytes = Some(bytes.len() + data.len());
            if bytes.len() + data.len() > BODY_BYTES {
                return Err(self.too_large());
            }
            bytes.extend_from_slice(&data);
        }
        received.bytes = Some(bytes.len());
        Ok(bytes)
    }

    fn too_large(&self) -> ScrapeError {
        ScrapeError::TooLarge {
            address: self.address(),
            limit: BODY_BYTES,
        }
    }
}

fn header<'a>(
    response: &'a Response<Incoming>,
    name: &hyper::header::HeaderName,
) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// Formats `HOST:PORT`, with brackets around an IPv6 address.
fn address(url: &HttpUrl) -> String {
    if url.host.contains(':') {
        format!("[{}]:{}", url.host, url.port)
    } else {
        format!("{}:{}", url.host, url.port)
    }
}

fn host_header(url: &HttpUrl) -> String {
    let whole = address(url);
    let usual = if url.tls { ":443" } else { ":80" };
    whole
        .strip_suffix(usual)
        .map_or(whole.clone(), str::to_owned)
}

/// Returns the cause at the bottom: the layers above only state that something failed.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
