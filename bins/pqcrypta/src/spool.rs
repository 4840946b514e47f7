//! `pqcrypta spool`: what waits in the queue on disk.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use serde_json::json;
use store::spool::{Kind, Reader};
use store::tuple;

use crate::print;
use crate::settings::{Source, refuse};

/// Look into the collector's queue on disk
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Print every intact record as JSON lines
    ///
    /// Changes nothing and takes no lock, so it works beside a running collector and on a damaged
    /// queue. Delivered records are printed too, until their file is removed.
    Export {
        /// Directory of the queue [default: collector.queue_dir of the settings]
        dir: Option<PathBuf>,
        #[command(flatten)]
        source: Source,
    },
}

/// Prints what is asked for.
///
/// # Errors
/// When the queue cannot be read.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let Action::Export { dir, source } = &options.action;
    let dir = match dir {
        Some(dir) => dir.clone(),
        None => match source.load() {
            Ok(loaded) => loaded.config.collector.queue_dir,
            Err(faults) => return Ok(refuse(&faults)),
        },
    };
    export(&dir)?;
    Ok(ExitCode::SUCCESS)
}

fn export(dir: &Path) -> Result<()> {
    if !schema::Class::ALL
        .iter()
        .all(|class| dir.join(class.as_str()).is_dir())
    {
        bail!("{} holds no queue of a collector", dir.display());
    }
    let reader =
        Reader::open_readonly(dir).with_context(|| format!("cannot read {}", dir.display()))?;
    for (class, record) in reader {
        let head =
            json!({"class": class.as_str(), "lsn": record.lsn, "ts_us": record.ts.as_micros()});
        match record.kind {
            Kind::Loss => {
                let loss = record.loss().map(|loss| {
                    json!({
                        "class": loss.class.as_str(), "reason": loss.reason.as_str(),
                        "from_us": loss.from_ts.as_micros(), "to_us": loss.to_ts.as_micros(),
                        "records": loss.records, "rows": loss.rows,
                    })
                });
                line(&head, "loss", loss.unwrap_or_default())?;
            }
            Kind::Rows => match tuple::decode(&record.payload.into()) {
                Ok(groups) => {
                    for group in groups {
                        for (row, ..) in group.rows_as_json() {
                            let row: serde_json::Value = serde_json::from_str(&row)?;
                            line(&head, &group.table, row)?;
                        }
                    }
                }
                Err(error) => line(&head, "error", error.to_string().into())?,
            },
        }
    }
    Ok(())
}

/// Formats one line: the record's head and, under `name`, what it holds.
fn line(head: &serde_json::Value, name: &str, content: serde_json::Value) -> Result<()> {
    let mut line = head.clone();
    line[name] = content;
    print(&format!("{line}\n"))
}
