//! How far logs are read, and how many lines they have.

use super::Area;
use super::random::{Counter, count};
use super::state::State;
use crate::Dice;
use schema::tables::LogSource;
use schema::{Row, Sample};

/// Bytes of a line.
const LINE: f64 = 140.0;

/// Counters since the collector's start.
#[derive(Clone, Copy, Debug, Default)]
struct Lines {
    info: Counter,
    warn: Counter,
    error: Counter,
}

#[derive(Debug)]
pub(super) struct Logs {
    dice: Dice,
    sources: Vec<Lines>,
}

impl Logs {
    pub(super) fn new(number: usize, dice: Dice) -> Self {
        Self {
            dice,
            sources: vec![Lines::default(); number],
        }
    }
}

impl Area for Logs {
    fn sample(&mut self, state: &State, rows: &mut Vec<Row>) {
        if state.collector.is_new() {
            self.sources.fill(Lines::default());
        }
        let Self { dice, sources } = self;
        for (nth, lines) in sources.iter_mut().enumerate() {
            // One is busy, the others less and less.
            #[expect(clippy::cast_precision_loss, reason = "few sources")]
            let new = 20.0 * state.traffic * state.secs / (1.0 + nth as f64);
            let is_denied = state.log_denied && nth == 0;
            let new = if is_denied { 0.0 } else { new };
            let info = lines.info.add(new, dice);
            let sample = LogSource {
                source: format!("log{nth}"),
                kind: "file".to_owned(),
                place: format!("/var/log/log{nth}.log"),
                parser: "syslog".to_owned(),
                status: if is_denied { "denied" } else { "ok" }.to_owned(),
                error: is_denied.then(|| "Permission denied".to_owned()),
                debug_lines: 0,
                info_lines: info,
                warn_lines: lines.warn.add(0.01 * new, dice),
                error_lines: lines
                    .error
                    .add((0.001 + state.error_share) * new * 0.1, dice),
                bytes: count(lines.info.total() * LINE),
                backlog_bytes: Some(count(new * LINE * dice.unit())),
                unread_lines: Some(0),
                configured_parser: Some("auto".to_owned()),
                ..LogSource::default()
            };
            rows.push(sample.into_row(state.ts));
        }
    }
}
