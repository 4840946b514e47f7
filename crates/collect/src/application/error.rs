//! Errors of reading a target.

use std::time::Duration;

use http::HttpError;

/// Why a target has no values. No variant holds a token, a path with its
/// query or any part of a body.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeError {
    /// The address has no meaning here: not to be resolved, or one that is never asked.
    #[error("cannot ask {host}: {problem}; name the host that serves the metrics")]
    Address {
        /// Host of the target.
        host: String,
        /// The problem.
        problem: String,
    },
    /// The connection was not accepted.
    #[error("cannot connect to {address}: {source}; start the application or correct its url")]
    Connect {
        /// Host and port.
        address: String,
        /// The kernel's error.
        source: std::io::Error,
    },
    /// The certificate is not valid, or cannot be checked.
    #[error(
        "cannot speak TLS with {address}: {problem}; renew its certificate, or name in root_cert who signed it"
    )]
    Tls {
        /// Host and port.
        address: String,
        /// The problem.
        problem: String,
    },
    /// The answer is not HTTP/1.1, or ended early.
    #[error(
        "{address} gave no whole answer: {problem}; see whether the url is that of its metrics"
    )]
    Answer {
        /// Host and port.
        address: String,
        /// The problem.
        problem: String,
    },
    /// It took too long, from the first byte sent to the last one read.
    #[error("{address} gave no whole answer within {} ms; see what it is busy with", deadline.as_millis())]
    Deadline {
        /// Host and port.
        address: String,
        /// The time it had.
        deadline: Duration,
    },
    /// The token is missing, or not the right one.
    #[error("{address} answers {status}: it requires another token; set token_file. Asked again in {} s", pause.as_secs())]
    Denied {
        /// Host and port.
        address: String,
        /// 401 or 403.
        status: u16,
        /// Pause before it is asked again.
        pause: Duration,
    },
    /// Any other status than 200. Redirects are not followed: they could lead anywhere.
    #[error("{address} answers {status} instead of 200; correct the path of its url")]
    Status {
        /// Host and port.
        address: String,
        /// The status.
        status: u16,
    },
    /// It is compressed although that was not asked for.
    #[error(
        "{address} answers in the encoding {encoding}, which was not asked for; switch compression off there"
    )]
    Encoding {
        /// Host and port.
        address: String,
        /// As in its header.
        encoding: String,
    },
    /// More than is read.
    #[error("{address} answers with more than {limit} bytes; let it serve fewer series")]
    TooLarge {
        /// Host and port.
        address: String,
        /// Bytes read at most.
        limit: usize,
    },
    /// The body is not in its format.
    #[error("{address} does not answer with {format}: {problem}; correct its url or format")]
    Body {
        /// Host and port.
        address: String,
        /// `JSON` or `Prometheus text`.
        format: &'static str,
        /// The problem and its place.
        problem: String,
    },
    /// An exporter answers for a program that does not.
    #[error(
        "{address} answers, but its program does not: {series}; start {program}, or correct the address that the exporter asks"
    )]
    ProgramDown {
        /// Host and port.
        address: String,
        /// The series that reports it.
        series: String,
        /// The program.
        program: String,
    },
    /// None of the expected series is there: another program, or metrics that are switched off there.
    #[error(
        "{address} answers with series of which none is looked for, as {looked_for}; correct its mapping or its url"
    )]
    Unfit {
        /// Host and port.
        address: String,
        /// Some of the expected names.
        looked_for: String,
    },
    /// An expression that the settings should not have let through.
    #[error("cannot map {column} of target {target}: {problem}; correct [scrape.target.map]")]
    Mapping {
        /// Name of the target.
        target: String,
        /// The column.
        column: String,
        /// The problem.
        problem: String,
    },
}

impl From<HttpError> for ScrapeError {
    fn from(error: HttpError) -> Self {
        match error {
            HttpError::Address { host, problem } => Self::Address { host, problem },
            HttpError::Connect { address, source } => Self::Connect { address, source },
            HttpError::Tls { address, problem } => Self::Tls { address, problem },
            HttpError::Answer { address, problem } => Self::Answer { address, problem },
            HttpError::TooLarge { address, limit } => Self::TooLarge { address, limit },
        }
    }
}
