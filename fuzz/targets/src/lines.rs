//! Logs: lines of files, and entries of the journal.

use crate::seeds::{choosing, files};
use logs::event::Event;
use logs::parse::{PARSERS, ParserKind, ParserOptions, Reader};
use logs::source::Entry;
use schema::Timestamp;

/// 2026-11-29 07:00 UTC.
const NOW: Timestamp = Timestamp(1_795_935_600_000_000);

/// Reads the input as a file, by the parser that its first byte chooses: no line is lost or counted twice,
/// and events come out in the order in which they began.
pub(crate) fn parsers(input: &[u8]) {
    let Some((choice, text)) = input.split_first() else {
        return;
    };
    let parser = &PARSERS[usize::from(*choice) % PARSERS.len()];
    let kind = ParserKind::parse(parser.name).expect("a parser of the table");
    let mut reader = Reader::new(kind, ParserOptions::default());
    let (mut out, mut at) = (Vec::new(), 0);
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let bytes = line.strip_suffix(b"\n").unwrap_or(line);
        reader.line(at, bytes, bytes.len() as u64, NOW, &mut out);
        at += line.len() as u64;
    }
    finish(reader, &mut out);
}

/// Returns recorded logs, each for its own parser.
pub(crate) fn parser_seeds() -> Vec<Vec<u8>> {
    let of = |(choice, parser): (usize, &logs::parse::Parser)| {
        let folder = format!("logs/{}", parser.name);
        let found = files(&folder, ".log");
        found
            .into_iter()
            .map(move |(_, content)| choosing(choice, &content))
    };
    PARSERS.iter().enumerate().flat_map(of).collect()
}

/// Reads each line as an entry of the journal.
pub(crate) fn journal(input: &[u8]) {
    let mut reader = Reader::new(ParserKind::JOURNAL, ParserOptions::default());
    let mut out = Vec::new();
    for line in input.split(|byte| *byte == b'\n') {
        if let Ok(entry) = Entry::parse(line) {
            assert!(!entry.cursor.is_empty());
            let position = entry.position();
            assert_eq!(position.cursor, entry.cursor);
            reader.entry(&entry, NOW, &mut out);
        }
    }
    finish(reader, &mut out);
}

/// Returns recorded entries.
pub(crate) fn journal_seeds() -> Vec<Vec<u8>> {
    let found = files("logs/journalctl", ".json").into_iter();
    let recorded = found.filter(|(path, _)| !path.to_string_lossy().ends_with(".events.json"));
    let mut seeds: Vec<Vec<u8>> = recorded.map(|(_, content)| content).collect();
    seeds.extend([
        br#"{"__CURSOR":"s=a;i=1f;b=c","__REALTIME_TIMESTAMP":"1795935600000000","PRIORITY":"3","_SYSTEMD_UNIT":"api.service","_PID":"7","MESSAGE":"it failed"}"#.to_vec(),
        br#"{"__CURSOR":"s=a;i=20;b=c","__REALTIME_TIMESTAMP":"1795935601000000","_TRANSPORT":"kernel","MESSAGE":[105,116,32,255]}"#.to_vec(),
        br#"{"__CURSOR":"s=a;i=21;b=c","MESSAGE":["one","two"],"F_USER":"x","CODE_LINE":"7","ERRNO":"2"}"#.to_vec(),
    ]);
    seeds
}

fn finish(mut reader: Reader, out: &mut Vec<Event>) {
    reader.flush(out);
    let counts = reader.counts();
    assert_eq!(counts.begun, out.len() as u64, "{counts:?}");
    assert_eq!(
        counts.lines,
        counts.begun + counts.joined + counts.blank,
        "{counts:?}"
    );
    for event in out {
        assert!(!event.message.contains('\0'), "PostgreSQL takes no NUL");
    }
}
