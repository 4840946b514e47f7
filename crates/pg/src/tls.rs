//! TLS as PostgreSQL's `verify-full`: the certificate must be signed by a trusted one, be valid now
//! and carry the name of the host.

use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::PgError;

/// The bundle that Debian's `ca-certificates` keeps.
const SYSTEM_BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Returns a connector that trusts the certificates in `root_cert`, or else the system's.
pub(crate) fn connector(root_cert: Option<&Path>) -> Result<MakeRustlsConnect, PgError> {
    Ok(MakeRustlsConnect::new(client_config(root_cert)?))
}

/// Returns TLS settings that trust the certificates in `root_cert`, or else the system's, and nothing without a
/// valid one; also for what else is spoken to over TLS.
///
/// # Errors
/// [`PgError::RootCert`] when there is no usable certificate in the file.
pub fn client_config(root_cert: Option<&Path>) -> Result<ClientConfig, PgError> {
    let roots = trusted(root_cert.unwrap_or(Path::new(SYSTEM_BUNDLE)))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(PgError::Tls)?
        .with_root_certificates(roots)
        .with_no_client_auth())
}

fn trusted(path: &Path) -> Result<RootCertStore, PgError> {
    let refuse = |problem: String| PgError::RootCert {
        path: path.to_owned(),
        problem,
    };
    let mut roots = RootCertStore::empty();
    let certificates =
        CertificateDer::pem_file_iter(path).map_err(|error| refuse(error.to_string()))?;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
        // A bundle may hold a few that this library does not understand; the rest still count.
        if let Err(error) = roots.add(certificate) {
            tracing::debug!(path = %path.display(), %error, "passed over a trusted certificate");
        }
    }
    if roots.is_empty() {
        return Err(refuse("it holds no usable certificate".to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificates_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().join("empty.pem");
        std::fs::write(&empty, "nothing here\n").unwrap();
        for path in [empty, dir.path().join("missing.pem")] {
            let error = connector(Some(&path)).err().unwrap();
            let text = error.to_string();
            assert!(text.contains(&path.display().to_string()), "{text}");
            assert!(text.contains("database.ssl_root_cert"), "{text}");
        }
    }
}
