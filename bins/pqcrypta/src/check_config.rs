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
    /// Print the description of every key instead, as Markdown
    #[arg(long)]
    reference: bool,
}

/// Prints them.
///
/// # Errors
/// When standard output cannot be written.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    if options.reference {
        crate::print(&config::reference_markdown())?;
        return Ok(ExitCode::SUCCESS);
    }
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

/// Formats `key  value  # source`, in columns; a key that needs a restart is marked.
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
                Origin::Default | Origin::Entry(_) => "default".to_owned(),
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

#[cfg(test)]
mod tests {
    /// The line after which docs/CONFIGURATION.md is generated.
    const MARK: &str = "<!-- below: pqcrypta check-config --reference -->\n\n";

    #[test]
    fn the_page_of_all_keys_is_true() {
        let page = include_str!("../../../docs/CONFIGURATION.md");
        let (_, keys) = page.split_once(MARK).expect("the mark is there");
        assert!(
            keys == config::reference_markdown(),
            "docs/CONFIGURATION.md is out of date: replace what follows its mark by the output of \
             `cargo run -p pqcrypta -- check-config --reference`"
        );
    }
}
