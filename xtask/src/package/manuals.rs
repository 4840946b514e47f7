//! Manuals and completions, from the declarations of the command lines and of the settings.

use anyhow::Context as _;
use clap::Command;
use clap_complete::Shell;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Writes the manuals of every program, that of the settings, and the completions of the operator's command.
pub(super) fn write(into: &Path) -> anyhow::Result<()> {
    for command in [
        pqcrypta_collector::command(),
        pqcrypta_monitor::command(),
        pqcrypta_analytics::command(),
        pqcrypta_health_check::command(),
        pqcrypta::command(),
    ] {
        // Help has its own page nowhere else.
        let command = command.disable_help_subcommand(true);
        clap_mangen::generate_to(command, into).context("cannot write manuals")?;
    }
    let mut command: Command = pqcrypta::command();
    for shell in [Shell::Bash, Shell::Zsh, Shell::Fish] {
        clap_complete::generate_to(shell, &mut command, "pqcrypta", into)
            .context("cannot write completions")?;
    }
    fs::write(into.join("collector.toml.5"), settings_manual())
        .context("cannot write the manual of the settings")
}

/// Returns collector.toml(5).
fn settings_manual() -> String {
    let mut page = format!(
        ".TH COLLECTOR.TOML 5 \"\" \"pqcrypta {}\"\n.SH NAME\ncollector.toml \\- settings of pqcrypta\n.SH DESCRIPTION\n{}\n",
        env!("CARGO_PKG_VERSION"),
        escaped(
            "The programs read one TOML file: the one named by --config, else by the variable COLLECTOR_CONFIG, else \
             /etc/pqcrypta/collector.toml. Every key has a default, and an empty variable counts as not set. A file is taken whole \
             or not at all; `pqcrypta check-config` prints each value in use and where it comes from."
        )
    );
    for section in config::reference() {
        let _infallible = write!(
            page,
            ".SH {}\n{}\n",
            quoted(&section.header),
            escaped(&section.meaning)
        );
        for key in section.keys {
            let _infallible = write!(
                page,
                ".TP\n.B {}\n{}\n.br\nValues: {}. Default: {}.{} A change takes effect {}.\n",
                quoted(key.name),
                escaped(&key.meaning),
                escaped(&key.values),
                escaped(key.default.as_deref().unwrap_or("none")),
                key.variable
                    .map(|name| format!(" Variable: {}.", escaped(name)))
                    .unwrap_or_default(),
                if key.is_live {
                    "at once"
                } else {
                    "with the next start"
                },
            );
        }
    }
    page.push_str(
        ".SH SEE ALSO\n.BR pqcrypta (1),\n.BR pqcrypta-collector (1),\n.BR pqcrypta-monitor (1),\n.BR pqcrypta-analytics (1)\n",
    );
    page
}

/// Returns a text that roff sets as it is: groff_char(7) for the characters that it would change.
fn escaped(text: &str) -> String {
    let text = text
        .replace('\\', "\\e")
        .replace('-', "\\-")
        .replace('`', "");
    match text.starts_with(['.', '\'']) {
        true => format!("\\&{text}"),
        false => text,
    }
}

/// Returns a text as one argument of a request.
fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text).replace('"', "\\(dq"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roff_takes_no_request_from_a_text() {
        for (text, expected) in [
            (".SH x", "\\&.SH x"),
            ("'br", "\\&'br"),
            ("a\\n--b", "a\\en\\-\\-b"),
            ("`auto` speaks", "auto speaks"),
        ] {
            assert_eq!(escaped(text), expected);
        }
        assert_eq!(quoted("[[a\"b]]"), "\"[[a\\(dqb]]\"");
    }

    #[test]
    fn every_program_and_subcommand_has_a_manual() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path()).unwrap();
        for name in [
            "pqcrypta.1",
            "pqcrypta-status.1",
            "pqcrypta-collector.1",
            "pqcrypta-monitor.1",
            "pqcrypta-analytics.1",
            "pqcrypta-health-check.1",
            "collector.toml.5",
            "pqcrypta.bash",
            "_pqcrypta",
            "pqcrypta.fish",
        ] {
            assert!(folder.path().join(name).exists(), "{name}");
        }
        let settings = fs::read_to_string(folder.path().join("collector.toml.5")).unwrap();
        assert!(settings.contains(".B \"queue_max_mb\""), "{settings}");
    }
}
