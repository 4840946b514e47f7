//! Grouping of messages, on logs whose templates people wrote down.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use logs::event::Level;
use logs::fingerprint::{BUDGET_PER_HOUR, Fingerprint, Fingerprints, News};
use schema::Timestamp;

use super::csv;

pub(super) fn run(root: &Path, outdir: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(outdir).with_context(|| format!("making {}", outdir.display()))?;
    let mut sets: Vec<_> = fs::read_dir(root)
        .with_context(|| format!("listing {}", root.display()))?
        .collect::<Result<_, _>>()?;
    sets.sort_by_key(fs::DirEntry::file_name);
    for set in sets {
        let name = set.file_name().to_string_lossy().into_owned();
        let Some(messages) = messages(&set.path())? else {
            continue;
        };
        let (answer, line) = name_all(&name, &messages);
        println!("{line}");
        let path = outdir.join(format!("{name}.csv"));
        fs::write(&path, answer).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Returns the number and text of each message of a set, in order; `None` when this is not a set.
fn messages(set: &Path) -> anyhow::Result<Option<Vec<(String, String)>>> {
    if !set.is_dir() {
        return Ok(None);
    }
    let mut files: Vec<_> = fs::read_dir(set)?
        .filter_map(|file| Some(file.ok()?.path()))
        .filter(|path| path.to_string_lossy().contains("_structured"))
        .collect();
    // What was corrected comes first.
    files.sort_by_key(|path| !path.to_string_lossy().contains("corrected"));
    let Some(file) = files.first() else {
        return Ok(None);
    };
    let bytes = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
    let mut rows = csv::rows(&String::from_utf8_lossy(&bytes)).into_iter();
    let head = rows.next().unwrap_or_default();
    let column = |name: &str| {
        let place = head.iter().position(|column| column == name);
        place.with_context(|| format!("{} has no column {name}", file.display()))
    };
    let (number, text) = (column("LineId")?, column("Content")?);
    let pair = |row: Vec<String>| Some((row.get(number)?.clone(), row.get(text)?.clone()));
    Ok(Some(rows.filter_map(pair).collect()))
}

/// Names of messages: as they are stored with each, and as the pattern table resolves them.
struct Named {
    names: Fingerprints,
    stored: Vec<Fingerprint>,
    resolved: Vec<Fingerprint>,
    news: News,
}

impl Named {
    fn of<'a>(set: &str, messages: impl Iterator<Item = &'a (String, String)>) -> Self {
        let mut names = Fingerprints::new(BUDGET_PER_HOUR);
        let stored: Vec<Fingerprint> = messages
            .map(|(_, message)| names.name(set, Level::Info, message, Timestamp(0)))
            .collect();
        let news = names.take_news();
        let aliases: HashMap<_, _> = news
            .merged
            .iter()
            .map(|merged| (merged.old, merged.into))
            .collect();
        let resolve = |mut name: Fingerprint| {
            while let Some(into) = aliases.get(&name) {
                name = *into;
            }
            name
        };
        let resolved = stored.iter().copied().map(resolve).collect();
        Self {
            names,
            stored,
            resolved,
            news,
        }
    }
}

/// Returns the answer for a set, and a line about it. Each message has the name its pattern has in the
/// end, as the pattern table shows it.
fn name_all(set: &str, messages: &[(String, String)]) -> (String, String) {
    let mut named = Named::of(set, messages.iter());
    let templates: HashMap<_, _> = named
        .news
        .patterns
        .iter()
        .map(|pattern| (pattern.fingerprint, pattern.template.as_str()))
        .collect();
    let mut answer = String::from("line_no,group_id,template\n");
    for ((number, _), name) in messages.iter().zip(&named.resolved) {
        let template = csv::quote(templates.get(name).copied().unwrap_or_default());
        let _written = writeln!(answer, "{number},{name},{template}");
    }
    let reversed = Named::of(set, messages.iter().rev());
    let line = format!(
        "{set}: {} messages, {} patterns, {}; of the reverse order {} stored and {} resolved names differ",
        messages.len(),
        patterns(&named.news),
        speed(&mut named.names, set, messages),
        differing(&named.stored, &reversed.stored),
        differing(&named.resolved, &reversed.resolved),
    );
    (answer, line)
}

/// Returns how many names are not those of the same messages in reverse order.
fn differing(names: &[Fingerprint], reversed: &[Fingerprint]) -> usize {
    let pairs = names.iter().zip(reversed.iter().rev());
    pairs.filter(|(one, other)| one != other).count()
}

fn patterns(news: &News) -> usize {
    let names: std::collections::HashSet<_> = news
        .patterns
        .iter()
        .map(|pattern| pattern.fingerprint)
        .collect();
    names.len() - news.merged.len()
}

/// Returns how long naming takes once the patterns are known.
fn speed(names: &mut Fingerprints, set: &str, messages: &[(String, String)]) -> String {
    const ROUNDS: usize = 20;
    let started = Instant::now();
    for _ in 0..ROUNDS {
        for (_, message) in messages {
            std::hint::black_box(names.name(set, Level::Info, message, Timestamp(0)));
        }
    }
    let lines = (messages.len() * ROUNDS).max(1) as u128;
    let bytes: usize = messages.iter().map(|(_, message)| message.len()).sum();
    let mean = bytes / messages.len().max(1);
    format!(
        "{} ns per message of {mean} bytes",
        started.elapsed().as_nanos() / lines
    )
}
