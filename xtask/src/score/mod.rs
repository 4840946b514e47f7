//! Scoring: the product's own code over labelled data, into files that a scoring script reads.

mod csv;
mod logs;
mod security;

use std::path::PathBuf;

use clap::Subcommand;

/// A scoring task.
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
    /// resulting findings. Lines that begin with `#` are comments.
    Security {
        /// The log is output of `journalctl`: `-o json`, `-o export`, or text, with or without times.
        #[arg(long)]
        journal: bool,
        /// File of the findings: `type,ip,user,count,first_ms,last_ms,severity`.
        #[arg(long)]
        findings: Option<PathBuf>,
        /// The log.
        log: PathBuf,
        /// File of the answers.
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
