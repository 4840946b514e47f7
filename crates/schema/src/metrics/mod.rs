//! One file per domain; [`METRICS`] is the catalogue.

mod collector;
mod disk;
mod mount;
mod network;
mod process;
mod system;

use crate::Metric;

/// Every metric, in the order of the pages.
pub const METRICS: &[Metric] = &concat();

const PARTS: &[&[Metric]] = &[
    system::METRICS,
    network::METRICS,
    mount::METRICS,
    disk::METRICS,
    process::METRICS,
    process::ONE,
    collector::METRICS,
];

const COUNT: usize = {
    let mut count = 0;
    let mut part = 0;
    while part < PARTS.len() {
        count += PARTS[part].len();
        part += 1;
    }
    count
};

const fn concat() -> [Metric; COUNT] {
    let mut all = [PARTS[0][0]; COUNT];
    let (mut at, mut part) = (0, 0);
    while part < PARTS.len() {
        let mut i = 0;
        while i < PARTS[part].len() {
            all[at] = PARTS[part][i];
            at += 1;
            i += 1;
        }
        part += 1;
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Better, Role, Series};
    use std::collections::HashSet;

    /// Identifiers in an SQL expression that are neither functions, casts nor words of SQL.
    fn identifiers(expr: &str) -> Vec<String> {
        const WORDS: &[&str] = &[
            "case", "when", "then", "else", "end", "and", "or", "not", "null", "is", "float8",
            "int", "text", "int8", "epoch",
        ];
        let mut found = Vec::new();
        let mut chars = expr.char_indices().peekable();
        let mut quoted = false;
        while let Some((start, c)) = chars.next() {
            if c == '\'' {
                quoted = !quoted;
            } else if !quoted && (c.is_ascii_lowercase() || c == '_') {
                let mut end = start + 1;
                while let Some(&(at, c)) = chars.peek() {
                    if c.is_ascii_alphanumeric() || c == '_' {
                        end = at + 1;
                        chars.next();
                    } else {
                        break;
                    }
                }
                let word = &expr[start..end];
                if !expr[end..].starts_with('(') && !WORDS.contains(&word) {
                    found.push(word.to_owned());
                }
            }
        }
        found
    }

    #[test]
    fn identifiers_are_unique() {
        let mut seen = HashSet::new();
        for metric in METRICS {
            assert!(
                seen.insert(metric.id()),
                "{} is declared twice",
                metric.id()
            );
            assert_eq!(crate::metric(&metric.id()), Some(metric));
        }
    }

    #[test]
    fn expressions_read_columns_of_their_table_by_their_role() {
        for metric in METRICS {
            let table = metric.series.table();
            match metric.series {
                Series::Level { expr, .. } => {
                    for name in identifiers(expr) {
                        let column = table
                            .column(&name)
                            .unwrap_or_else(|| panic!("{}: {name}", metric.id()));
                        assert_ne!(
                            column.role,
                            Role::Counter,
                            "{}: {name} is a counter",
                            metric.id()
                        );
                    }
                }
                Series::Steps { expr, identity, .. } => {
                    for name in identifiers(expr) {
                        let column = table
                            .column(&name)
                            .unwrap_or_else(|| panic!("{}: {name}", metric.id()));
                        assert_eq!(
                            column.role,
                            Role::Counter,
                            "{}: {name} is no counter",
                            metric.id()
                        );
                    }
                    for name in identifiers(identity) {
                        assert!(table.column(&name).is_some(), "{}: {name}", metric.id());
                    }
                }
                Series::Elements { column, .. } => {
                    assert!(table.column(column).is_some(), "{}: {column}", metric.id());
                }
            }
            if !matches!(metric.series, Series::Elements { .. }) {
                for name in identifiers(metric.key.unwrap_or_default()) {
                    let column = table
                        .column(&name)
                        .unwrap_or_else(|| panic!("{}: {name}", metric.id()));
                    assert_eq!(column.role, Role::Key, "{}: key {name}", metric.id());
                }
            }
        }
    }

    #[test]
    fn the_guard_sees_a_column_that_does_not_exist() {
        assert_eq!(
            identifiers("100.0 * mem_used / nullif(mem_totl, 0)"),
            ["mem_used", "mem_totl"]
        );
    }

    #[test]
    fn thresholds_are_ordered_and_explained() {
        for metric in METRICS {
            let Some(levels) = metric.levels else {
                assert_eq!(
                    metric.judged_over_secs,
                    0,
                    "{} is judged by nothing",
                    metric.id()
                );
                continue;
            };
            assert_ne!(metric.better, Better::Neither, "{}", metric.id());
            let present: Vec<f64> = [levels.info, levels.warn, levels.crit]
                .into_iter()
                .flatten()
                .collect();
            assert!(!present.is_empty(), "{}", metric.id());
            assert!(
                present.windows(2).all(|pair| match metric.better {
                    Better::Higher => pair[0] > pair[1],
                    _ => pair[0] < pair[1],
                }),
                "{}: {levels:?}",
                metric.id()
            );
            assert!(
                !metric.fix.is_empty(),
                "{} has thresholds and no remedy",
                metric.id()
            );
        }
    }

    #[test]
    fn words_are_there_and_short() {
        for metric in METRICS {
            for text in [metric.label, metric.what, metric.how] {
                assert!(!text.is_empty(), "{}", metric.id());
            }
            let words = [metric.what, metric.how, metric.fix]
                .iter()
                .map(|t| t.split_whitespace().count())
                .sum::<usize>();
            assert!(
                words <= 60,
                "{}: {words} words do not fit a tooltip",
                metric.id()
            );
        }
    }
}
