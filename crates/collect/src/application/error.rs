//! Why a target gave nothing, or less than it has.

use std::time::Duration;

/// What failed on the way from a target to its values. No variant holds a token, a path with its
/// query or any part of a body.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeError {
    /// The address has no meaning here: not to be resolved, or one that is never asked.
    #[error("cannot ask {host}: {problem}; name the host that serves the metrics")]
    Address {
        /// Host of the target.
        host: String,
        /// What is wrong.
        problem: String,
    },
    /// Nobody accepted the connection.
    #[error("cannot connect to {address}: {source}; start the application or correct its url")]
    Connect {
        /// Host and port.
        address: String,
        /// What the kernel says.
        source: std::io::Error,
    },
    /// The certificate, or what is needed to check it, is not right.
    #[error(
        "cannot speak TLS with {address}: {problem}; renew its certificate, or name in root_cert who signed it"
    )]
    Tls {
        /// Host and port.
        address: String,
        /// What is wrong.
        problem: String,
    },
    /// What came is not HTTP/1.1, or ended early.
    #[error(
        "{address} gave no whole answer: {problem}; see whether the url is that of its metrics"
    )]
    Answer {
        /// Host and port.
        address: String,
        /// What is wrong.
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
    #[error("{address} answers {status}: it wants another token; set token_file. Asked again in {} s", pause.as_secs())]
    Denied {
        /// Host and port.
        address: String,
        /// 401 or 403.
        status: u16,
        /// How long it is left alone.
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
        /// As the header says.
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
    /// The body is not what the format says.
    #[error("{address} answers with what is no {format}: {problem}; correct its url or format")]
    Body {
        /// Host and port.
        address: String,
        /// `JSON` or `Prometheus text`.
        format: &'static str,
        /// What is wrong and where.
        problem: String,
    },
    /// An exporter answers for a program that does not.
    #[error(
        "{address} answers, but its program does not: {says}; start {program}, or correct the address that the exporter asks"
    )]
    ProgramDown {
        /// Host and port.
        address: String,
        /// The series that says so.
        says: String,
        /// The program.
        program: String,
    },
    /// Nothing of what is looked for is there: another program, or metrics that are switched off there.
    #[error(
        "{address} answers with series of which none is looked for, as {looked_for}; correct its mapping or its url"
    )]
    Unfit {
        /// Host and port.
        address: String,
        /// Some of what is looked for.
        looked_for: String,
    },
    /// An expression that the settings should not have let through.
    #[error("cannot map {column} of target {target}: {problem}; correct [scrape.target.map]")]
    Mapping {
        /// Name of the target.
        target: String,
        /// The column.
        column: String,
        /// What is wrong.
        problem: String,
    },
}
