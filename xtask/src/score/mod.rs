//! Scoring: the product's own code over labelled data, into files that a scoring script reads.

mod csv;
mod forecast;
mod logs;
mod nab;
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
    /// Judges the points of `ROOT/data/<category>/<name>.csv` (`timestamp,value`): a row
    /// `file,timestamp,score` for each, with score 0 where an anomaly goes on.
    Nab {
        /// Directory of the series.
        root: PathBuf,
        /// File of the answers.
        out: PathBuf,
    },
    /// Forecasts hourly series: for each `series,origin,horizon` of TASKS a row
    /// `series,origin,horizon,forecast,lo,hi` from the values up to the origin, `lo` and `hi` being the
    /// ends of the 80 % band.
    Forecast {
        /// File of the series, one a line: `id,v0,v1,…`.
        series: PathBuf,
        /// File of the tasks.
        tasks: PathBuf,
        /// File of the answers.
        out: PathBuf,
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
            Self::Nab { root, out } => nab::run(root, out),
            Self::Forecast { series, tasks, out } => forecast::run(series, tasks, out),
            Self::Security {
                journal,
                findings,
                log,
                out,
            } => security::run(log, out, findings.as_deref(), *journal),
        }
    }
}
