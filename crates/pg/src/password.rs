//! Passwords of roles, as a server keeps them.

/// Returns what a server keeps of a password (SCRAM-SHA-256, with a random salt): in place of the password in a statement, so that
/// neither the server's log nor its statistics get to know it.
#[must_use]
pub fn kept_password(password: &config::Secret) -> String {
    postgres_protocol::password::scram_sha_256(password.expose().as_bytes())
}
