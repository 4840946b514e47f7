//! What a peer sends, as it is read: for tests that feed these readers with anything.

use config::RecordType;
use rustls::pki_types::CertificateDer;
use schema::Timestamp;

/// Returns the answers in a resolver's message to a question, as text.
///
/// # Errors
/// What is wrong with it, or what it states.
pub fn dns_answers(message: &[u8], name: &str, record: RecordType) -> Result<Vec<String>, String> {
    crate::name::read(message, &crate::name::query(name, record), record).map_err(|failure| {
        let (crate::Failure::Down(text) | crate::Failure::Unknown(text)) = failure;
        text
    })
}

/// Returns when the first certificate of a chain expires.
#[must_use]
pub fn chain_expiry(presented: &[&[u8]]) -> Option<Timestamp> {
    let presented: Vec<CertificateDer<'_>> = presented
        .iter()
        .map(|der| CertificateDer::from(*der))
        .collect();
    crate::certificate::first_expiry(&presented)
}
