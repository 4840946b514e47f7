//! Scores: our own code over data whose truth is known, in files that a scoring script reads.

mod csv;
mod logs;
mod security;

use std::path::PathBuf;

use clap::Subcommand;

/// What is scored.
#[derive(Debug, Subcommand)]
pub(crate) enum Score {
    /// Names the messages of logs whose templates are known: for each `ROOT/<Set>/*_structured*.csv`
    /// with the columns LineId and Content a file `OUTDIR/<Set>.csv` (`line_no,group_id,template`).
    Logs {
        /// Directory of the sets.
        root: PathBuf,
        /// Directory of the answers; made when it is missing.
        outdir: PathBuf,
    },
    /// Finds failed logins and probes in a system log: `line_no,ip,kind` for each line that counts, and the
    /// findings that come of them. Lines that begin with `#` are notes.
    Security {
        /// The log is what `journalctl` writes: `-o json`, `-o export`, or text, with or without times.
        #[arg(long)]
        journal: bool,
        /// Where the findings go: `type,ip,user,count,first_ms,last_ms,severity`.
        #[arg(long)]
        findings: Option<PathBuf>,
        /// The log.
        log: PathBuf,
        /// The answer.
        out: PathBuf,
    },
}

impl Score {
    pub(crate) fn run(&self) -> anyhow::Result<()> {
        match self {
            Self::Logs { root, outdir } => logs::run(root, outdir),
            Self::Security {
                journal,
                findings,
                log,
                out,
            } => security::run(log, out, findings.as_deref(), *journal),
        }
    }
}
