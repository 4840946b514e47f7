//! `pqcrypta check-config`: every setting in use and where it comes from.

use std::process::ExitCode;

use anyhow::Result;
use config::{Loaded, Origin};

use crate::settings::{Source, refuse};

/// Check the settings and print every value with its source
///
/// Exit status 0 when the settings are good, 78 when they are not; every fault is named with its
/// line, key and remedy. Secrets are masked.
#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    #[command(flatten)]
    source: Source,
}

/// Prints them.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    match options.source.load() {
        Ok(loaded) => {
            for warning in &loaded.warnings {
                crate::say(&format!("warning: {warning}"));
            }
            crate::print(&table(&loaded))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => Ok(refuse(&faults)),
    }
}

/// `key  value  # source`, in columns; a key that needs a restart says so.
fn table(loaded: &Loaded) -> String {
    let widest = |length: fn(&config::Setting) -> usize| loaded.effective.iter().map(length).max();
    let key_width = widest(|setting| setting.key.len()).unwrap_or(0);
    let value_width = widest(|setting| setting.value.chars().count())
        .unwrap_or(0)
        .min(44);
    loaded
        .effective
        .iter()
        .map(|setting| {
            let source = match &setting.origin {
                Origin::Default => "default".to_owned(),
                Origin::File(line) => format!("{}:{line}", loaded.path.display()),
                Origin::Variable(name) => format!("${name}"),
                Origin::Credential(path) => path.display().to_string(),
            };
            let when = if setting.live {
                ""
            } else {
                ", needs a restart"
            };
            let value = if setting.value.is_empty() {
                "-"
            } else {
                &setting.value
            };
            format!(
                "{:key_width$}  {value:value_width$}  # {source}{when}\n",
                setting.key
            )
        })
        .collect()
}
