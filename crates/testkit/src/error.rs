//! What can go wrong while a test is set up.

use std::path::PathBuf;

/// The surroundings of a test could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum TestkitError {
    /// No PostgreSQL was found.
    #[error(
        "found no PostgreSQL server: install postgresql, or set TESTKIT_PG_BIN to the directory \
         that holds initdb and postgres"
    )]
    NoServer,

    /// This process is root and there is no other user to run a server as.
    #[error("running as root, and /etc/passwd has neither postgres nor nobody to run a server as")]
    NoUser,

    /// The file system or a process failed.
    #[error("cannot {what} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },

    /// A program ended with a failure.
    #[error("{program} failed: {output}")]
    Program {
        /// Which one.
        program: String,
        /// What it printed last.
        output: String,
    },

    /// The server did not start or stop.
    #[error("the server did not {what}: {log}")]
    Server {
        /// `start` or `stop`.
        what: &'static str,
        /// End of its log.
        log: String,
    },

    /// No session or a failed statement.
    #[error(transparent)]
    Pg(#[from] pg::PgError),

    /// No certificate could be made.
    #[error(transparent)]
    Certificate(#[from] rcgen::Error),

    /// The template of a database could not be prepared.
    #[error("cannot prepare the template {name}: {problem}")]
    Template {
        /// Its name.
        name: String,
        /// Why not.
        problem: String,
    },
}

impl TestkitError {
    pub(crate) fn io(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}
