//! Errors, classified by their remedy.

use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::error::SqlState;

/// A failure to connect or to run a statement.
#[derive(Debug, thiserror::Error)]
pub enum PgError {
    /// The address of a server could not be understood. The text is not repeated: it may hold a
    /// password.
    #[error("the address of the database is not understood: {problem}")]
    Address {
        /// The problem.
        problem: String,
    },

    /// Another machine was to be reached without encryption.
    #[error(
        "refused to connect to {host} without TLS: it is another machine; \
         set database.sslmode to auto or verify-full"
    )]
    Plaintext {
        /// The host.
        host: String,
    },

    /// The file with the trusted certificates is of no use.
    #[error(
        "cannot read trusted certificates from {}: {problem}; name a PEM file in \
         database.ssl_root_cert",
        path.display()
    )]
    RootCert {
        /// The file.
        path: PathBuf,
        /// The problem.
        problem: String,
    },

    /// The TLS library refused its own settings.
    #[error("cannot set up TLS")]
    Tls(#[source] rustls::Error),

    /// No session came about.
    #[error("cannot connect to {target}: {}", cause(source))]
    Connect {
        /// Where to, without a password.
        target: String,
        /// The driver's error.
        source: tokio_postgres::Error,
    },

    /// No session came about in time.
    #[error("cannot connect to {target}: no answer within {after:?}")]
    ConnectTimeout {
        /// Where to, without a password.
        target: String,
        /// Time that was waited.
        after: Duration,
    },

    /// A statement failed.
    #[error("cannot {what}: {}", cause(source))]
    Query {
        /// The attempt, e.g. `read the watermark`.
        what: String,
        /// The driver's error.
        source: tokio_postgres::Error,
    },

    /// A statement took too long. Whether it was committed is unknown.
    #[error("cannot {what}: no answer within {after:?}; the session is given up")]
    Timeout {
        /// The attempt.
        what: String,
        /// Time that was waited.
        after: Duration,
    },

    /// The session was given up earlier or its link is gone.
    #[error("cannot {what}: the session with the database is gone")]
    Gone {
        /// The attempt.
        what: String,
    },

    /// The server answered something that is not understood.
    #[error("cannot {what}: unexpected answer: {answer}")]
    Answer {
        /// The attempt.
        what: String,
        /// The unexpected part of the answer.
        answer: String,
    },
}

/// Class of a failure, by its remedy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Transient: wait and try the same again, on a new session if the link is gone.
    Retry,
    /// The data cannot be stored: find the row and dead-letter it, the rest is fine.
    Poison,
    /// A right, a table or a login is missing: a person must act.
    Refused,
    /// The server takes no writes, e.g. a standby.
    ReadOnly,
    /// The link is gone or given up; whether the last work was committed is unknown.
    Gone,
    /// Anything else.
    Other,
}

/// SQLSTATE prefixes and their classes; the longest that matches counts.
/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const CLASSES: &[(&str, Class)] = &[
    ("08", Class::Retry),   // connection exceptions
    ("0A", Class::Refused), // not supported by this server
    ("0P", Class::Refused), // invalid role
    ("22", Class::Poison),  // data exceptions
    ("23", Class::Poison),  // constraints
    ("25006", Class::ReadOnly),
    ("25P03", Class::Retry), // idle_in_transaction_session_timeout
    ("25P04", Class::Retry), // transaction_timeout
    ("28", Class::Refused),  // login
    ("3D", Class::Refused),  // no such database
    ("3F", Class::Refused),  // no such schema
    ("40", Class::Retry),    // serialisation, deadlock
    ("42", Class::Refused),  // missing right, table, column or function
    ("53", Class::Retry),    // out of memory, disk or connections
    ("54", Class::Poison),   // beyond a limit of the server
    ("55006", Class::Retry), // object in use
    ("55P03", Class::Retry), // lock_timeout
    ("57014", Class::Retry), // statement_timeout or cancelled; rolled back for sure
    ("57P0", Class::Retry),  // shutting down, starting up
    ("58", Class::Retry),    // I/O error of the server
];

impl Class {
    /// Returns the class of a SQLSTATE.
    #[must_use]
    pub fn of(state: &str) -> Self {
        CLASSES
            .iter()
            .filter(|(prefix, _)| state.starts_with(prefix))
            .max_by_key(|(prefix, _)| prefix.len())
            .map_or(Self::Other, |(_, class)| *class)
    }

    /// Returns the class of a failure that the driver reported.
    #[must_use]
    pub fn of_error(error: &tokio_postgres::Error) -> Self {
        if let Some(state) = error.code() {
            return Self::of(state.code());
        }
        if error.is_closed() || is_io(error) {
            return Self::Gone;
        }
        Self::Other
    }
}

impl PgError {
    /// Returns its class.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Address { .. }
            | Self::Plaintext { .. }
            | Self::RootCert { .. }
            | Self::Tls(_) => Class::Refused,
            Self::Connect { source, .. } => match Class::of_error(source) {
                // Nothing was under way, so nothing is unknown.
                Class::Gone => Class::Retry,
                Class::Other => Class::Refused,
                class => class,
            },
            Self::ConnectTimeout { .. } => Class::Retry,
            Self::Query { source, .. } => Class::of_error(source),
            Self::Timeout { .. } | Self::Gone { .. } => Class::Gone,
            Self::Answer { .. } => Class::Other,
        }
    }

    /// Returns whether the server has no room for a session: a limit of the role, of the database or its own is reached.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.sql_state() == Some(&SqlState::TOO_MANY_CONNECTIONS)
    }

    /// Returns the SQLSTATE, when the server gave one.
    #[must_use]
    pub fn sql_state(&self) -> Option<&SqlState> {
        match self {
            Self::Connect { source, .. } | Self::Query { source, .. } => source.code(),
            _ => None,
        }
    }
}

/// Formats a driver's error with its reason, which the driver leaves to the sources of the error.
fn cause(error: &tokio_postgres::Error) -> String {
    if let Some(db) = error.as_db_error() {
        let hint = db
            .hint()
            .map(|hint| format!("; {hint}"))
            .unwrap_or_default();
        return format!("{} ({}){hint}", db.message(), db.code().code());
    }
    causes(error)
}

/// Returns an error with its causes in one line, without those that it repeats itself.
#[must_use]
pub fn causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        let cause = error.to_string();
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
        source = error.source();
    }
    text
}

/// Returns whether the failure is one of the link rather than of TLS, login or data.
fn is_io(error: &tokio_postgres::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if let Some(io) = error.downcast_ref::<std::io::Error>() {
            // A certificate that is not accepted arrives as invalid data and is permanent.
            return !matches!(
                io.kind(),
                std::io::ErrorKind::InvalidData | std::io::ErrorKind::InvalidInput
            );
        }
        source = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_codes_have_the_class_that_decides_what_to_do() {
        let cases = [
            ("08006", Class::Retry),
            ("57P01", Class::Retry),
            ("57P03", Class::Retry),
            ("57014", Class::Retry),
            ("53300", Class::Retry),
            ("53100", Class::Retry),
            ("40001", Class::Retry),
            ("40P01", Class::Retry),
            ("55P03", Class::Retry),
            ("25P03", Class::Retry),
            ("25P04", Class::Retry),
            ("22021", Class::Poison),
            ("22P05", Class::Poison),
            ("23505", Class::Poison),
            ("54000", Class::Poison),
            ("42501", Class::Refused),
            ("42P01", Class::Refused),
            ("3F000", Class::Refused),
            ("3D000", Class::Refused),
            ("28P01", Class::Refused),
            ("25006", Class::ReadOnly),
            ("25P02", Class::Other),
            ("XX000", Class::Other),
            ("", Class::Other),
        ];
        for (state, class) in cases {
            assert_eq!(Class::of(state), class, "{state}");
        }
    }
}
