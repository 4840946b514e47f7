//! Failed logins, on a system log with notes of which lines are some.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;
use logs::parse::{ParserKind, ParserOptions, Reader};
use logs::security::Watch;
use schema::Timestamp;

/// What counts as now for times without a year. It decides nothing here but that.
const NOW: Timestamp = Timestamp(1_767_225_600_000_000);

pub(super) fn run(log: &Path, out: &Path) -> anyhow::Result<()> {
    let text = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let parser = ParserKind::parse("syslog").context("there is a parser called syslog")?;
    let mut reader = Reader::new(parser, ParserOptions::default());
    let mut events = Vec::new();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if !line.starts_with(b"#") {
            reader.line(number as u64 + 1, line, line.len() as u64, NOW, &mut events);
        }
    }
    reader.flush(&mut events);
    let mut watch = Watch::default();
    let mut answer = String::from("line_no,ip\n");
    let mut lines = 0;
    for event in &events {
        if let Some(address) = watch.counted(parser.name(), "log", event) {
            let _written = writeln!(answer, "{},{}", event.at, address.unwrap_or_default());
            lines += 1;
        }
    }
    fs::write(out, answer).with_context(|| format!("writing {}", out.display()))?;
    println!(
        "{lines} of {} lines are failed logins or knocks",
        events.len()
    );
    Ok(())
}
