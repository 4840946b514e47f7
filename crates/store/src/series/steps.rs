//! How a counter is read as steps: the one place that compares a sample of a counter with the one before.
//!
//! Generated statements call `previous`. Statements in `.sql` files write a fragment instead, which
//! [`expand`] replaces; it needs a window `w` that is partitioned by the source of the counter and
//! ordered by `ts`:
//!
//! * `{step EXPR}`: the increase since the previous sample. A step down is a reset and gives NULL, as the
//!   increase is unknown, both up to the reset and after it.
//! * `{step_from_zero EXPR}`: the same for counters that are known to begin at 0 after a reset, as those of
//!   Prometheus do: after a step down it is the value of the counter.
//!
//! Both are NULL for the first sample. A test finds statements that step by themselves.

use std::borrow::Cow;

/// A function from an expression to SQL.
type Fragment = fn(&str) -> String;

/// Fragments by their beginnings.
const FRAGMENTS: [(&str, Fragment); 2] = [("{step ", step), ("{step_from_zero ", step_from_zero)];

/// Returns SQL for the value of `expr` in the previous sample.
pub(super) fn previous(expr: &str) -> String {
    format!("lag({expr}) OVER w")
}

/// Returns SQL for the seconds that passed since the previous sample. `extract` computes them as `numeric`, which costs
/// more than the rest of a step.
pub(super) fn elapsed() -> String {
    format!("date_part('epoch', ts - {})", previous("ts"))
}

fn step(expr: &str) -> String {
    let before = previous(expr);
    format!("CASE WHEN {expr} >= {before} THEN {expr} - ({before}) END")
}

fn step_from_zero(expr: &str) -> String {
    let before = previous(expr);
    format!(
        "CASE WHEN {expr} >= {before} THEN {expr} - ({before}) WHEN {expr} < {before} THEN {expr} END"
    )
}

/// Replaces the fragments of a statement.
#[must_use]
pub fn expand(sql: &str) -> Cow<'_, str> {
    if !sql.contains("{step") {
        return Cow::Borrowed(sql);
    }
    let mut text = String::with_capacity(2 * sql.len());
    let mut rest = sql;
    while let Some(at) = rest.find("{step") {
        let (before, from) = rest.split_at(at);
        text.push_str(before);
        let found = FRAGMENTS.iter().find_map(|(begin, make)| {
            let (expr, after) = from.strip_prefix(begin)?.split_once('}')?;
            Some((make(&format!("({expr})")), after))
        });
        let Some((fragment, after)) = found else {
            // Not a fragment: the server will report it.
            text.push_str(from);
            return Cow::Owned(text);
        };
        text.push_str(&fragment);
        rest = after;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_are_replaced() {
        assert_eq!(
            expand("SELECT {step a + b} AS n, '{}' FROM t"),
            "SELECT CASE WHEN (a + b) >= lag((a + b)) OVER w THEN (a + b) - (lag((a + b)) OVER w) END AS n, '{}' FROM t"
        );
        assert_eq!(
            expand("{step_from_zero a}"),
            "CASE WHEN (a) >= lag((a)) OVER w THEN (a) - (lag((a)) OVER w) WHEN (a) < lag((a)) OVER w THEN (a) END"
        );
        for untouched in ["SELECT 1", "{steps a}", "{step a"] {
            assert_eq!(expand(untouched), untouched);
        }
    }
}
