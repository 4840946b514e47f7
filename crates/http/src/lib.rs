//! One HTTP/1.1 exchange with a peer that may be broken or hostile.
//!
//! [`connect`], [`secure`] and [`exchange`] are the steps; who calls them puts a deadline around the whole. Head and body
//! are bounded in bytes. Redirects are not followed and no proxy of the environment is used, so that what a
//! request holds goes to the named host alone. The host is resolved anew for each connection, and the address that is
//! connected to is the one that was looked at. Over TLS, certificate and name are verified, or nothing is sent.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::sync::Arc;

use config::HttpUrl;
use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Bytes of the head of an answer: what nginx and others allow for a head of their own.
const HEAD_BYTES: usize = 16 * 1024;

/// Lookups at once. The system's resolver blocks a thread, for half a minute where no server answers, and the caller's deadline
/// does not end it; whoever sets the number of blocking threads leaves so many to it.
pub const LOOKUPS_AT_ONCE: usize = 2;
static LOOKUPS: Semaphore = Semaphore::const_new(LOOKUPS_AT_ONCE);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address has no meaning here: not to be resolved, or one that is never asked.
    #[error("{host}: {problem}")]
    Address {
        /// Host of the peer.
        host: String,
        /// The problem.
        problem: String,
    },
    /// The connection was not accepted.
    #[error("cannot connect to {address}: {source}")]
    Connect {
        /// Host and port.
        address: String,
        /// The kernel's error.
        source: std::io::Error,
    },
    /// The certificate is not valid, or cannot be checked.
    #[error("cannot speak TLS with {address}: {problem}")]
    Tls {
        /// Host and port.
        address: String,
        /// The problem.
        problem: String,
    },
    /// The answer is not HTTP/1.1, or ended early.
    #[error("{address} gave no whole answer: {problem}")]
    Answer {
        /// Host and port.
        address: String,
        /// The problem.
        problem: String,
    },
    /// More than is read.
    #[error("{address} answers with more than {limit} bytes")]
    TooLarge {
        /// Host and port.
        address: String,
        /// Bytes read at most.
        limit: usize,
    },
}

/// The received part of an answer, complete or not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Received {
    /// Its status.
    pub status: Option<u16>,
    /// Bytes of its body so far.
    pub bytes: Option<usize>,
}

/// Formats `HOST:PORT`, with brackets around an IPv6 address.
#[must_use]
pub fn address(host: &str, port: u16) -> String {
    if host.contains(':') {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    }
}

/// Returns the header `Host` for an address: without the port where it is the usual one.
#[must_use]
pub fn host_header(url: &HttpUrl) -> String {
    let whole = address(&url.host, url.port);
    let usual = if url.tls { ":443" } else { ":80" };
    whole
        .strip_suffix(usual)
        .map_or(whole.clone(), str::to_owned)
}

/// Resolves a host. `localhost` is never left to a resolver: plain text and tokens are let through for this machine.
///
/// # Errors
/// [`HttpError::Address`] with the resolver's words.
pub async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, HttpError> {
    if host.eq_ignore_ascii_case("localhost") {
        let own = [
            IpAddr::V4(Ipv4Addr::LOCALHOST),
            IpAddr::V6(Ipv6Addr::LOCALHOST),
        ];
        return Ok(own.map(|ip| SocketAddr::new(ip, port)).to_vec());
    }
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let unresolved = |problem: String| HttpError::Address {
        host: host.to_owned(),
        problem,
    };
    let permit = LOOKUPS.acquire().await;
    let permit = permit.map_err(|error| unresolved(error.to_string()))?;
    let name = host.to_owned();
    let found = tokio::task::spawn_blocking(move || {
        let _held = permit;
        (name.as_str(), port).to_socket_addrs()
    });
    let found = found
        .await
        .map_err(|error| unresolved(error.to_string()))?
        .map_err(|error| unresolved(error.to_string()))?;
    Ok(found.collect())
}

/// Connects to the first of these addresses of a host that accepts.
///
/// # Errors
/// [`HttpError::Address`] without an address that may be asked, else [`HttpError::Connect`].
pub async fn connect_to(
    host: &str,
    port: u16,
    addresses: Vec<SocketAddr>,
) -> Result<TcpStream, HttpError> {
    let unresolved = |problem: String| HttpError::Address {
        host: host.to_owned(),
        problem,
    };
    let mut last = unresolved("it has no address".to_owned());
    for ip in addresses {
        if let Some(why) = config::url::refused(ip.ip()) {
            last = unresolved(format!("{} {why}", ip.ip()));
            continue;
        }
        match TcpStream::connect(ip).await {
            Ok(stream) => return Ok(stream),
            Err(source) => {
                last = HttpError::Connect {
                    address: address(host, port),
                    source,
                };
            }
        }
    }
    Err(last)
}

/// Resolves a host and connects to it.
///
/// # Errors
/// As [`resolve`] and [`connect_to`].
pub async fn connect(host: &str, port: u16) -> Result<TcpStream, HttpError> {
    connect_to(host, port, resolve(host, port).await?).await
}

/// Speaks TLS over a connection; the certificate has to be valid for `host`.
///
/// # Errors
/// [`HttpError::Tls`].
pub async fn secure(
    stream: TcpStream,
    host: &str,
    port: u16,
    tls: &Arc<ClientConfig>,
) -> Result<TlsStream<TcpStream>, HttpError> {
    let refused = |problem: String| HttpError::Tls {
        address: address(host, port),
        problem,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| refused(error.to_string()))?;
    TlsConnector::from(Arc::clone(tls))
        .connect(name, stream)
        .await
        .map_err(|error| refused(error.to_string()))
}

/// Sends a request over a connection to `address` and reads the whole answer, a body of at most `limit` bytes. `check` decides from
/// the head whether the body is read.
///
/// # Errors
/// [`HttpError::Answer`] and [`HttpError::TooLarge`], or what `check` returns.
pub async fn exchange<S, T, E>(
    stream: S,
    address: &str,
    request: Request<String>,
    limit: usize,
    received: &mut Received,
    check: impl FnOnce(&Response<Incoming>) -> Result<T, E>,
) -> Result<(T, Vec<u8>), E>
where
    S: AsyncRead + AsyncWrite + Unpin,
    E: From<HttpError>,
{
    let broken = |error: hyper::Error| HttpError::Answer {
        address: address.to_owned(),
        problem: deepest(&error),
    };
    let (mut sender, connection) = hyper::client::conn::http1::Builder::new()
        .max_buf_size(HEAD_BYTES)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(broken)?;
    let talk = async {
        let response = sender.send_request(request).await.map_err(broken)?;
        received.status = Some(response.status().as_u16());
        let kept = check(&response)?;
        let body = read_body(response.into_body(), address, limit, received).await?;
        Ok((kept, body))
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

async fn read_body(
    body: Incoming,
    address: &str,
    limit: usize,
    received: &mut Received,
) -> Result<Vec<u8>, HttpError> {
    let too_large = || HttpError::TooLarge {
        address: address.to_owned(),
        limit,
    };
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    let mut body = pin!(body);
    let mut bytes = Vec::new();
    while let Some(frame) = std::future::poll_fn(|cx| body.as_mut().poll_frame(cx)).await {
        let frame = frame.map_err(|error| HttpError::Answer {
            address: address.to_owned(),
            problem: deepest(&error),
        })?;
        // Trailers are not used.
        let Ok(data) = frame.into_data() else {
            continue;
        };
        received.bytes = Some(bytes.len() + data.len());
        if bytes.len() + data.len() > limit {
            return Err(too_large());
        }
        bytes.extend_from_slice(&data);
    }
    received.bytes = Some(bytes.len());
    Ok(bytes)
}

/// Returns the cause at the bottom: the layers above only state that something failed.
fn deepest(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
