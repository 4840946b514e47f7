//! Whether a port accepts, and whether its certificate is trusted.

use std::path::Path;
use std::sync::Arc;

use config::HealthCheck;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::{Facts, Failure, certificate};

/// Bytes of a banner: longer than any greeting of SMTP, SSH or FTP.
const BANNER_BYTES: usize = 1024;

/// Connects, noting when the address is known.
pub(crate) async fn connect(
    host: &str,
    port: u16,
    facts: &mut Facts,
) -> Result<TcpStream, Failure> {
    let addresses = http::resolve(host, port).await;
    let addresses = addresses.map_err(|error| Failure::of(&error))?;
    facts.is_resolved = true;
    let stream = http::connect_to(host, port, addresses).await;
    stream.map_err(|error| Failure::of(&error))
}

/// Speaks TLS over a connection and notes when its certificates expire.
pub(crate) async fn secure(
    stream: TcpStream,
    host: &str,
    port: u16,
    root_cert: Option<&Path>,
    facts: &mut Facts,
) -> Result<TlsStream<TcpStream>, Failure> {
    // Our own certificates cannot be read: nothing is learnt of the service.
    let tls = pg::client_config(root_cert).map_err(|error| Failure::Unknown(error.to_string()))?;
    let stream = http::secure(stream, host, port, &Arc::new(tls)).await;
    let stream = stream.map_err(|error| Failure::of(&error))?;
    let presented = stream.get_ref().1.peer_certificates().unwrap_or_default();
    facts.expires_at = certificate::first_expiry(presented);
    Ok(stream)
}

/// Checks that a port accepts and, where a text is expected, that its banner contains it.
pub(crate) async fn accepts(
    check: &HealthCheck,
    host: &str,
    port: u16,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let mut stream = connect(host, port, facts).await?;
    if check.contains.is_empty() {
        return Ok(());
    }
    let mut banner = Vec::new();
    let mut buffer = [0; 256];
    while banner.len() < BANNER_BYTES {
        let read = stream.read(&mut buffer).await;
        let read =
            read.map_err(|error| Failure::Down(format!("its banner cannot be read: {error}")))?;
        if read == 0 {
            break;
        }
        banner.extend_from_slice(&buffer[..read]);
        if contains(&banner, &check.contains) {
            return Ok(());
        }
    }
    Err(Failure::Down(format!(
        "its banner does not contain {:?}",
        check.contains
    )))
}

/// Checks that a certificate is trusted and valid for the host.
pub(crate) async fn is_trusted(
    check: &HealthCheck,
    host: &str,
    port: u16,
    facts: &mut Facts,
) -> Result<(), Failure> {
    let stream = connect(host, port, facts).await?;
    let trusted = secure(stream, host, port, check.root_cert.as_deref(), facts).await;
    trusted.map(|_stream| ())
}

/// Returns whether bytes contain a text.
pub(crate) fn contains(bytes: &[u8], text: &str) -> bool {
    text.is_empty()
        || bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
}
