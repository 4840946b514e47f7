//! Failed logins in a log with notes of which lines are some: the lines, and the findings that come of them.
//!
//! A log is a file of syslog, or what `journalctl` writes: JSON, its export format, or text, whose lines
//! may lack their time (`host sshd[7]: …`), as logs that were taken apart for tests have them.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::Context;
use logs::event::Event;
use logs::parse::{ParserKind, ParserOptions, Reader};
use logs::security::Watch;
use logs::source::Entry;
use schema::micros::DAY;
use schema::{Severity, Timestamp};
use serde_json::{Map, Value};

use super::csv;

/// What counts as now for times without a year. It decides nothing here but that.
const NOW: Timestamp = Timestamp(1_767_225_600_000_000);

pub(super) fn run(
    log: &Path,
    out: &Path,
    findings: Option<&Path>,
    is_journal: bool,
) -> anyhow::Result<()> {
    let text = fs::read(log).with_context(|| format!("reading {}", log.display()))?;
    let (parser, events) = if is_journal {
        journal(&text)?
    } else {
        ("syslog", syslog(&text, false)?)
    };
    let write = |path: &Path, text: String| {
        fs::write(path, text).with_context(|| format!("writing {}", path.display()))
    };
    let lines = lines(parser, &events);
    let count = |kind: &str| lines.values().filter(|(of, _)| *of == kind).count();
    println!(
        "of {} lines {} are failed logins and {} probes",
        events.len(),
        count("attempt"),
        count("probe")
    );
    let mut answer = String::from("line_no,ip,kind\n");
    for (number, (kind, address)) in &lines {
        let _written = writeln!(answer, "{number},{address},{kind}");
    }
    write(out, answer)?;
    let found = found(parser, &events);
    println!("{} findings", found.len());
    if let Some(path) = findings {
        let mut answer = String::from("type,ip,user,count,first_ms,last_ms,severity\n");
        for ((kind, address, user), one) in &found {
            let _written = writeln!(
                answer,
                "{kind},{address},{},{},{},{},{}",
                csv::quote(user),
                one.count,
                one.first.as_millis(),
                one.last.as_millis(),
                one.severity.as_str()
            );
        }
        write(path, answer)?;
    }
    Ok(())
}

/// Returns the lines that count, by number: kind and address. What a PAM module reports of a login that succeeds in
/// the end is none.
fn lines(parser: &str, events: &[Event]) -> BTreeMap<u64, (&'static str, String)> {
    let mut watch = Watch::default();
    let mut lines = BTreeMap::new();
    let mut modules: HashMap<Option<u32>, Vec<u64>> = HashMap::new();
    for event in events {
        let Some(counted) = watch.counted(parser, "log", event) else {
            continue;
        };
        let kind = match counted.kind {
            "accepted" => {
                for number in modules.remove(&event.pid).unwrap_or_default() {
                    lines.remove(&number);
                }
                continue;
            }
            "module" => {
                modules.entry(event.pid).or_default().push(event.at);
                "attempt"
            }
            kind => kind,
        };
        lines.insert(event.at, (kind, counted.address.unwrap_or_default()));
    }
    lines
}

/// Sum of the rows of one type and target.
struct FoundRows {
    count: i64,
    first: Timestamp,
    last: Timestamp,
    severity: Severity,
}

/// Returns the findings, by type, address and account.
fn found(parser: &str, events: &[Event]) -> BTreeMap<(String, String, String), FoundRows> {
    let mut watch = Watch::default();
    let mut rows = Vec::new();
    for event in events {
        watch.observe(parser, "log", event, event.ts, &mut rows);
    }
    let end = events.iter().map(|event| event.ts.0).max().unwrap_or(0);
    watch.elapse(Timestamp(end.saturating_add(DAY)), &mut rows);
    let mut found: BTreeMap<_, FoundRows> = BTreeMap::new();
    for (last, row) in rows {
        let key = (
            row.event_type,
            row.source_ip.unwrap_or_default(),
            row.username.unwrap_or_default(),
        );
        let one = found.entry(key).or_insert_with(|| FoundRows {
            count: 0,
            first: row.first_ts,
            last,
            severity: row.severity,
        });
        one.count += row.count;
        one.first = one.first.min(row.first_ts);
        one.last = one.last.max(last);
    }
    found
}

/// Events of lines of syslog, numbered from 1; lines that begin with `#` are notes. With `timeless`, a line
/// may lack its time.
fn syslog(text: &[u8], timeless: bool) -> anyhow::Result<Vec<Event>> {
    let parser = ParserKind::parse("syslog").context("there is a parser called syslog")?;
    let mut reader = Reader::new(parser, ParserOptions::default());
    let mut events = Vec::new();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.starts_with(b"#") {
            continue;
        }
        let number = number as u64 + 1;
        let before = events.len();
        let mut read = |line: &[u8], events: &mut Vec<Event>| {
            reader.line(number, line, line.len() as u64, NOW, events);
            reader.flush(events);
        };
        read(line, &mut events);
        if timeless && events.len() > before && events[before].is_unread {
            events.truncate(before);
            let line = [b"2026-01-01T00:00:00Z ", line].concat();
            read(&line, &mut events);
        }
    }
    Ok(events)
}

/// Returns the parser's name and the events of what `journalctl` writes.
fn journal(text: &[u8]) -> anyhow::Result<(&'static str, Vec<Event>)> {
    let first = text
        .split(|byte| *byte == b'\n')
        .find(|line| !line.is_empty() && !line.starts_with(b"#"))
        .unwrap_or_default();
    let entries = if first.starts_with(b"{") {
        json(text)?
    } else if first.starts_with(b"__") {
        export(text)
    } else {
        return Ok(("syslog", syslog(text, true)?));
    };
    let mut reader = Reader::new(ParserKind::JOURNAL, ParserOptions::default());
    let mut events = Vec::new();
    for (number, mut entry) in entries {
        // Events are known by the number of their entry, which is that of its line here.
        let cursor = Value::from(format!("s=0;i={number:x};b=0"));
        entry.insert("__CURSOR".to_owned(), cursor);
        let entry = Entry::parse(Value::Object(entry).to_string().as_bytes())
            .with_context(|| format!("reading the entry of line {number}"))?;
        reader.entry(&entry, NOW, &mut events);
    }
    reader.flush(&mut events);
    Ok((ParserKind::JOURNAL.name(), events))
}

type Entries = Vec<(u64, Map<String, Value>)>;

/// Entries of `journalctl -o json`, one a line.
fn json(text: &[u8]) -> anyhow::Result<Entries> {
    let mut entries = Vec::new();
    for (number, line) in text.split(|byte| *byte == b'\n').enumerate() {
        if line.trim_ascii().is_empty() || line.starts_with(b"#") {
            continue;
        }
        let number = number as u64 + 1;
        let entry = serde_json::from_slice(line)
            .with_context(|| format!("line {number} is not a JSON object"))?;
        entries.push((number, entry));
    }
    Ok(entries)
}

/// Entries of `journalctl -o export`: `NAME=text` on a line, or `NAME` with its length in eight bytes and its
/// bytes; an empty line ends an entry.
fn export(text: &[u8]) -> Entries {
    let mut entries = Vec::new();
    let mut entry = Map::new();
    let (mut rest, mut number, mut begun) = (text, 1, 1);
    while !rest.is_empty() {
        let end = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .unwrap_or(rest.len());
        let (line, after) = (&rest[..end], rest.get(end + 1..).unwrap_or_default());
        rest = after;
        number += 1;
        if line.is_empty() {
            if !entry.is_empty() {
                entries.push((begun, std::mem::take(&mut entry)));
            }
            begun = number;
            continue;
        }
        let (name, value) = match line.iter().position(|byte| *byte == b'=') {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => {
                let Some((length, bytes)) = rest.split_first_chunk::<8>() else {
                    break;
                };
                let length = usize::try_from(u64::from_le_bytes(*length)).unwrap_or(usize::MAX);
                let Some(value) = bytes.get(..length) else {
                    break;
                };
                rest = bytes.get(length + 1..).unwrap_or_default();
                number += 1 + value.iter().filter(|byte| **byte == b'\n').count() as u64;
                (line, value)
            }
        };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        entry.insert(text(name), Value::from(text(value)));
    }
    if !entry.is_empty() {
        entries.push((begun, entry));
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAILED: &str = "Failed password for root from 192.0.2.7 port 4 ssh2";

    #[test]
    fn each_format_of_the_journal_is_read() {
        let json = format!(
            "# a note\n{{\"__REALTIME_TIMESTAMP\":\"1767225600000000\",\"_PID\":\"7\",\"SYSLOG_IDENTIFIER\":\"sshd-session\",\"MESSAGE\":\"{FAILED}\"}}\n"
        );
        let length = (FAILED.len() as u64).to_le_bytes();
        let export = [
            b"__CURSOR=s=1;i=7\n__REALTIME_TIMESTAMP=1767225600000000\n_PID=7\nSYSLOG_IDENTIFIER=sshd\nMESSAGE\n",
            length.as_slice(),
            FAILED.as_bytes(),
            b"\n\n",
        ]
        .concat();
        let text = format!("# a note\nhost sshd[7]: {FAILED}\n");
        let dated = format!("# a note\nNov 29 06:57:00 host sshd[7]: {FAILED}\n");
        for (given, number) in [
            (json.as_bytes(), 2),
            (&export, 1),
            (text.as_bytes(), 2),
            (dated.as_bytes(), 2),
        ] {
            let (parser, events) = journal(given).unwrap();
            let lines = lines(parser, &events);
            let expected = (number, ("attempt", "192.0.2.7".to_owned()));
            assert_eq!(lines.into_iter().collect::<Vec<_>>(), [expected]);
        }
    }

    #[test]
    fn findings_count_attempts_and_lines_of_a_login_that_succeeds_are_none() {
        let module = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.8  user=ann";
        let mut log: String = (0..30)
            .map(|n| format!("Nov 29 06:57:{n:02} host sshd[{n}]: {FAILED}\n"))
            .collect();
        for n in 0..30 {
            let _written = write!(
                log,
                "Nov 29 06:58:{n:02} host sshd[1{n}]: {module}\nNov 29 06:58:{n:02} host sshd[1{n}]: Accepted password for ann from 192.0.2.8 port 4 ssh2\n"
            );
        }
        let events = syslog(log.as_bytes(), false).unwrap();
        let lines = lines("syslog", &events);
        assert_eq!(lines.len(), 30);
        assert!(
            lines
                .values()
                .all(|(kind, ip)| *kind == "attempt" && ip == "192.0.2.7")
        );
        let found = found("syslog", &events);
        let findings: Vec<_> = found
            .iter()
            .map(|((kind, ip, _), one)| (kind.as_str(), ip.as_str(), one.count))
            .collect();
        assert_eq!(findings, [("ssh_brute_force", "192.0.2.7", 30)]);
    }
}
