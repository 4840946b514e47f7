//! Counters are stepped, and thresholds held against values, in one place each.
//!
//! Every statement of the workspace is looked at: the `.sql` files, and the string literals of Rust sources.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use schema::{METRICS, Metric, Series};

/// Files that may compare a sample with the one before: the rule itself, and what only looks at instants.
const MAY_STEP: [&str; 1] = ["crates/store/src/series/steps.rs"];

/// Returns what a statement does by itself that has a place of its own.
fn faults(statement: &str) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(counter) = stepped(statement) {
        found.push(format!(
            "steps {counter} by itself: write {{step {counter}}}"
        ));
    }
    found.extend(thresholds(statement));
    found
}

/// Columns that count nothing: one may ask whether they changed.
const UNCOUNTED: [&str; 3] = ["ts", "severity", "state"];

/// Returns what a window function takes from another row, apart from what counts nothing.
fn stepped(statement: &str) -> Option<String> {
    for (at, _) in statement
        .match_indices("lag(")
        .chain(statement.match_indices("lead("))
    {
        let is_whole = !statement[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
        let rest = &statement[at..];
        let inner = &rest[rest.find('(')? + 1..];
        let end = closing(inner).unwrap_or(inner.len());
        let after = inner[end..].trim_start_matches(')');
        let is_window = after.trim_start().to_uppercase().starts_with("OVER");
        let first = inner[..end].split(',').next().unwrap_or_default().trim();
        // Of whatever table.
        let column = first.rsplit('.').next().unwrap_or_default();
        if is_whole && is_window && !UNCOUNTED.contains(&column) {
            return Some(first.to_owned());
        }
    }
    None
}

/// Returns where the bracket that was opened before `text` is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' if depth == 0 => return Some(at),
            ')' => depth -= 1,
            _ => {}
        }
        None
    })
}

/// Returns the comparisons of a column that a metric reads with a number that is a threshold of it.
fn thresholds(statement: &str) -> Vec<String> {
    let judged: Vec<&Metric> = METRICS
        .iter()
        .filter(|metric| {
            let table = metric.series.table();
            let names = [table.name, table.relation()].map(|name| format!("collector.{name}"));
            let words = words(statement);
            metric.levels.is_some() && names.iter().any(|name| words.contains(&name.as_str()))
        })
        .collect();
    let mut found = Vec::new();
    for (operands, text) in comparisons(statement) {
        for metric in &judged {
            let levels = metric.levels.unwrap();
            let levels = [levels.info, levels.warn, levels.critical];
            let is_level = |word: &&str| {
                let number: Option<f64> = word.parse().ok();
                number.is_some_and(|number| levels.contains(&Some(number)))
            };
            let reads = |word: &&str| {
                let column = word.rsplit('.').next().unwrap_or(word);
                column.parse::<f64>().is_err() && columns(metric).contains(&column)
            };
            if operands.iter().any(is_level) && operands.iter().any(reads) {
                found.push(format!("repeats a threshold of {}: {text}", metric.id()));
            }
        }
    }
    found
}

fn columns(metric: &Metric) -> Vec<&'static str> {
    match metric.series {
        Series::Level { expr, .. } | Series::Steps { expr, .. } => words(expr),
        Series::Share { part, whole, .. } => [words(part), words(whole)].concat(),
        Series::Elements { column, .. } => vec![column],
    }
}

/// Returns identifiers, with what they are qualified by, and numbers.
fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !c.is_alphanumeric() && !"_.$".contains(c))
        .filter(|word| !word.is_empty() && !word.starts_with('$'))
        .collect()
}

/// Returns the words on both sides of each comparison.
fn comparisons(statement: &str) -> Vec<(Vec<&str>, &str)> {
    const ENDS: [&str; 12] = [
        "WHEN", "AND", "OR", "WHERE", "THEN", "ELSE", "CASE", "END", "FILTER", "ON", "HAVING", ",",
    ];
    let mut found = Vec::new();
    for (at, _) in statement.match_indices(['<', '>']) {
        let before = &statement[..at];
        let after = statement[at + 1..].trim_start_matches(['=', '>', '<']);
        let start = ENDS
            .iter()
            .filter_map(|end| Some(before.rfind(end)? + end.len()))
            .max();
        let stop = ENDS.iter().filter_map(|end| after.find(end)).min();
        let left = &before[start.unwrap_or(0)..];
        let right = &after[..stop.unwrap_or(after.len())];
        let from = statement.len() - after.len() + right.len();
        let operands = [words(left), words(right)].concat();
        found.push((operands, statement[at - left.len()..from].trim()));
    }
    found
}

/// Returns the string literals of a Rust source.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = source;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (before, from) = rest.split_at(at);
        let hashes = before.len() - before.trim_end_matches('#').len();
        let is_raw = before.trim_end_matches('#').ends_with('r');
        rest = if from.starts_with("//") {
            from.split_once('\n').map_or("", |(_, rest)| rest)
        } else if let Some(text) = from.strip_prefix('"') {
            let (text, rest) = if is_raw {
                let end = format!("\"{}", "#".repeat(hashes));
                text.split_once(&end).unwrap_or((text, ""))
            } else {
                let mut escaped = false;
                let end = text.find(|c: char| {
                    let ends = c == '"' && !escaped;
                    escaped = c == '\\' && !escaped;
                    ends
                });
                let end = end.unwrap_or(text.len());
                (&text[..end], text.get(end + 1..).unwrap_or_default())
            };
            found.push(text.replace("\\\n", " "));
            rest
        } else if from.starts_with("'\"'") || from.starts_with("'\\\"'") {
            &from[from[1..].find('\'').map_or(1, |end| end + 2)..]
        } else {
            &from[1..]
        };
    }
    found
}

fn statements(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    if path.extension().is_some_and(|end| end == "rs") {
        return literals(&text);
    }
    let lines = text
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default());
    vec![lines.collect::<Vec<_>>().join("\n")]
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            if !["target", "tests", "node_modules"].contains(&name) {
                files(&path, found);
            }
        } else if name.ends_with(".sql") || name.ends_with(".rs") {
            found.push(path);
        }
    }
}

#[test]
fn statements_use_the_rule_for_steps_and_take_thresholds_as_parameters() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = Vec::new();
    for folder in ["crates", "bins", "xtask"] {
        files(&root.join(folder), &mut all);
    }
    assert!(all.len() > 300, "{}", all.len());
    let mut found = Vec::new();
    for path in all {
        let place = path
            .strip_prefix(&root)
            .unwrap()
            .to_str()
            .unwrap()
            .to_owned();
        if MAY_STEP.contains(&place.as_str()) {
            continue;
        }
        for statement in statements(&path) {
            let faults = faults(&statement);
            found.extend(faults.into_iter().map(|fault| format!("{place} {fault}")));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_statement_with_rules_of_its_own_is_found() {
    for (statement, expected) in [
        (
            "SELECT responses - lag(responses) OVER w FROM t",
            "steps responses by itself: write {step responses}",
        ),
        (
            "SELECT a - lag((a + b), 1, 0)\n    over (ORDER BY ts) FROM t",
            "steps (a + b) by itself: write {step (a + b)}",
        ),
        (
            "SELECT CASE WHEN r.exec_ms >= 500 * r.calls THEN 1 END FROM collector.statement_metrics_raw r",
            "repeats a threshold of statement.mean_ms: r.exec_ms >= 500 * r.calls",
        ),
        (
            "SELECT 1 FROM collector.db_metrics_raw WHERE wraparound_pct > 25",
            "repeats a threshold of db.wraparound_pct: wraparound_pct > 25",
        ),
    ] {
        assert_eq!(faults(statement), [expected]);
    }
    for fine in [
        "SELECT ts - lag(ts) OVER w, t.ts - lag(t.ts) OVER w, {step a}, overlag(a) FROM t",
        "SELECT 1 FROM collector.statement_metrics_raw WHERE exec_ms >= $4 * calls",
        "SELECT 1 FROM collector.db_metrics_raw WHERE wraparound_pct > 26 AND conn_max > 25",
    ] {
        assert_eq!(faults(fine), Vec::<String>::new(), "{fine}");
    }
    let source =
        "// lag(a) OVER\nlet x = '\"'; f(\"lag(b) \\\n OVER w\"); g(r#\"lag(c) OVER \"w\"#);";
    let stepped: Vec<_> = literals(source)
        .iter()
        .filter_map(|text| stepped(text))
        .collect();
    assert_eq!(stepped, ["b", "c"]);
}
