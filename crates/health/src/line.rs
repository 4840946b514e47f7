//! Lines of the log, which the log source `health_check` reads:
//!
//! ```text
//! [2026-11-23 00:10:49] ERROR shop http https://shop.example/ down 10000 ms attempts=2: no answer
//! [2026-11-23 00:10:59] INFO 12 checks: 11 up, 0 slow, 1 down, 0 unknown in 10.4 s
//! ```
//!
//! A line is at most 1 KiB, so that one `write` appends it whole, and has no control character but its end.

use std::fmt::Write as _;
use std::time::Duration;

use crate::outcome::{Outcome, State};

/// Bytes of a line with its end; what other writers of the same file do cannot come in between up to a page.
const MOST_BYTES: usize = 1024;

/// Returns the line of a result; `at` is the time of the machine's zone, `YYYY-MM-DD HH:MM:SS`.
#[must_use]
pub fn text_of(outcome: &Outcome, at: &str) -> String {
    let level = match outcome.state {
        State::Up if outcome.is_expiring() => "WARN",
        State::Up => "INFO",
        State::Slow | State::Unknown => "WARN",
        State::Down => "ERROR",
    };
    let mut line = format!(
        "[{at}] {level} {} {} {} {}",
        outcome.name,
        outcome.kind.as_str(),
        outcome.target,
        outcome.state.as_str(),
    );
    // Writing to a text cannot fail.
    if let Some(ms) = outcome.answer_ms {
        write!(line, " {ms:.0} ms").unwrap_or_default();
    }
    if outcome.attempts > 1 {
        write!(line, " attempts={}", outcome.attempts).unwrap_or_default();
    }
    if let Some(days) = outcome.expires_days().filter(|_| outcome.is_expiring()) {
        write!(line, " certificate={days:.0}d").unwrap_or_default();
    }
    if let Some(error) = &outcome.error {
        write!(line, ": {error}").unwrap_or_default();
    }
    ended(line)
}

/// Returns the last line of a run.
#[must_use]
pub fn summary(outcomes: &[Outcome], took: Duration, at: &str) -> String {
    let counts = State::ALL.map(|state| {
        let count = outcomes.iter().filter(|one| one.state == state).count();
        format!("{count} {}", state.as_str())
    });
    let noun = if outcomes.len() == 1 {
        "check"
    } else {
        "checks"
    };
    ended(format!(
        "[{at}] INFO {} {noun}: {} in {:.1} s",
        outcomes.len(),
        counts.join(", "),
        took.as_secs_f64()
    ))
}

/// Cuts a line to what one write appends, and ends it.
fn ended(mut line: String) -> String {
    while line.len() >= MOST_BYTES {
        line.pop();
    }
    line.push('\n');
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use config::CheckKind;
    use schema::Timestamp;

    const AT: &str = "2026-11-23 00:10:49";

    fn outcome(state: State) -> Outcome {
        Outcome {
            name: "shop".to_owned(),
            kind: CheckKind::Http,
            target: "https://shop.example/".to_owned(),
            state,
            answer_ms: Some(123.4),
            attempts: 1,
            status: Some(200),
            expires_at: None,
            at: Timestamp(0),
            error: None,
        }
    }

    #[test]
    fn lines_have_the_form_of_the_log() {
        let down = Outcome {
            answer_ms: Some(10_000.2),
            attempts: 2,
            error: Some("no answer".to_owned()),
            ..outcome(State::Down)
        };
        let unknown = Outcome {
            answer_ms: None,
            error: Some("the resolver gives no answer".to_owned()),
            ..outcome(State::Unknown)
        };
        let expiring = Outcome {
            expires_at: Some(Timestamp(12 * 86_400_000_000)),
            ..outcome(State::Up)
        };
        for (outcome, expected) in [
            (
                outcome(State::Up),
                "INFO shop http https://shop.example/ up 123 ms",
            ),
            (
                outcome(State::Slow),
                "WARN shop http https://shop.example/ slow 123 ms",
            ),
            (
                down,
                "ERROR shop http https://shop.example/ down 10000 ms attempts=2: no answer",
            ),
            (
                unknown,
                "WARN shop http https://shop.example/ unknown: the resolver gives no answer",
            ),
            (
                expiring,
                "WARN shop http https://shop.example/ up 123 ms certificate=12d",
            ),
        ] {
            assert_eq!(text_of(&outcome, AT), format!("[{AT}] {expected}\n"));
        }
    }

    #[test]
    fn the_last_line_counts() {
        let outcomes = [State::Up, State::Up, State::Down].map(outcome);
        assert_eq!(
            summary(&outcomes, Duration::from_millis(10_430), AT),
            "[2026-11-23 00:10:49] INFO 3 checks: 2 up, 0 slow, 1 down, 0 unknown in 10.4 s\n"
        );
    }

    #[test]
    fn a_long_line_is_cut_within_one_write() {
        let long = Outcome {
            target: format!("https://shop.example/{}", "ü".repeat(2_000)),
            ..outcome(State::Up)
        };
        let line = text_of(&long, AT);
        assert!(
            line.len() <= MOST_BYTES && line.ends_with('\n'),
            "{}",
            line.len()
        );
        assert_eq!(line.matches('\n').count(), 1);
    }
}
