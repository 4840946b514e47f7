//! One file per domain; [`METRICS`] is the catalogue.

mod api;
mod check;
mod collector;
mod database;
mod db;
mod disk;
mod io;
mod log;
mod mount;
mod network;
mod process;
mod proxy;
mod relation;
mod replication;
mod statement;
mod system;
mod target;
mod traffic;
mod waiting;
mod writing;

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
    db::METRICS,
    writing::METRICS,
    waiting::METRICS,
    database::METRICS,
    relation::TABLE,
    relation::INDEX,
    replication::METRICS,
    statement::METRICS,
    io::METRICS,
    target::METRICS,
    api::METRICS,
    proxy::METRICS,
    check::METRICS,
    traffic::METRICS,
    log::METRICS,
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
    use crate::expr::columns;
    use crate::{Better, Every, Role, SLOW_SECS, Series};
    use std::collections::HashSet;

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

    /// Asserts that `exprs` read counters, identified by columns of the table.
    fn counted(metric: &Metric, exprs: &[&str], identity: &str) {
        let table = metric.series.table();
        let role = if table.has_amounts() {
            Role::Amount
        } else {
            Role::Counter
        };
        for name in exprs.iter().flat_map(|expr| columns(expr)) {
            let column = table.column(name);
            let column = column.unwrap_or_else(|| panic!("{}: {name}", metric.id()));
            assert_eq!(column.role, role, "{}: {name} is not counted", metric.id());
        }
        for name in columns(identity) {
            assert!(table.column(name).is_some(), "{}: {name}", metric.id());
        }
        // Where the collector stores an epoch of the counters, every metric has to use it.
        let has_epoch = table.column("epoch").is_some();
        let listens = identity.split(", ").any(|name| name == "epoch");
        assert_eq!(has_epoch, listens, "{}", metric.id());
    }

    #[test]
    fn what_is_sampled_slowly_is_evaluated_over_two_samples() {
        for metric in METRICS
            .iter()
            .filter(|metric| metric.every() == Every::Slow)
        {
            let window = metric.evaluated_over_secs;
            assert!(window == 0 || window >= 2 * SLOW_SECS, "{}", metric.id());
        }
    }

    #[test]
    fn expressions_read_columns_of_their_table_by_their_role() {
        for metric in METRICS {
            let table = metric.series.table();
            match metric.series {
                Series::Level { expr, .. } => {
                    for name in columns(expr) {
                        let column = table
                            .column(name)
                            .unwrap_or_else(|| panic!("{}: {name}", metric.id()));
                        assert_ne!(
                            column.role,
                            Role::Counter,
                            "{}: {name} is a counter",
                            metric.id()
                        );
                    }
                }
                Series::Steps { expr, identity, .. } => counted(metric, &[expr], identity),
                Series::Share {
                    part,
                    whole,
                    identity,
                    least,
                    ..
                } => {
                    counted(metric, &[part, whole], identity);
                    let is_evaluated = metric.evaluated_over_secs > 0;
                    assert_eq!(is_evaluated, least > 0.0, "{}: {least}", metric.id());
                }
                Series::Elements { column, .. } => {
                    assert!(table.column(column).is_some(), "{}: {column}", metric.id());
                }
            }
            if !matches!(metric.series, Series::Elements { .. }) {
                for name in columns(metric.key.unwrap_or_default()) {
                    let column = table
                        .column(name)
                        .unwrap_or_else(|| panic!("{}: {name}", metric.id()));
                    assert_eq!(column.role, Role::Key, "{}: key {name}", metric.id());
                }
            }
        }
    }

    #[test]
    fn thresholds_are_ordered_and_explained() {
        for metric in METRICS {
            let Some(levels) = metric.levels else {
                assert_eq!(
                    metric.evaluated_over_secs,
                    0,
                    "{} is evaluated by nothing",
                    metric.id()
                );
                continue;
            };
            assert_ne!(metric.better, Better::Neither, "{}", metric.id());
            let present: Vec<f64> = [levels.info, levels.warn, levels.critical]
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
