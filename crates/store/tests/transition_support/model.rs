//! What follows from a history, one row after the other: the rules of `collector.apply_transitions` without SQL.

use schema::tables::FindingTransition;
use schema::{Json, Sample, Severity, Timestamp, Transition};
use std::collections::BTreeMap;
use testkit::{Database, Dice};
use tokio_postgres::Client;

/// A transition and its instant.
pub type Told = (Timestamp, FindingTransition);
type Key = (String, String);

pub const KEYS: [(&str, &str); 4] = [
    ("disk_full", "/"),
    ("disk_full", "/home"),
    ("lock_wait", ""),
    ("lock_wait", "/"),
];
const SEVERITIES: [Severity; 3] = [Severity::Info, Severity::Warn, Severity::Critical];

/// A finding as the table has it.
#[derive(Clone, Debug, PartialEq)]
struct Life {
    shown: Told,
    opened_at: Timestamp,
    confirmed_at: Option<Timestamp>,
    worst: Severity,
    occurrences: i64,
    has_ended: bool,
    /// `opened_at` of the newest row.
    newest: Timestamp,
}

impl Life {
    fn begin(told: &Told) -> Self {
        let mut life = Self {
            shown: told.clone(),
            opened_at: told.1.opened_at,
            confirmed_at: None,
            worst: Severity::Ok,
            occurrences: 0,
            has_ended: false,
            newest: told.1.opened_at,
        };
        life.take(told);
        life
    }

    fn take(&mut self, told: &Told) {
        let row = &told.1;
        self.shown = told.clone();
        self.has_ended = row.transition == "resolved";
        self.opened_at = self.opened_at.min(row.opened_at);
        self.confirmed_at = [self.confirmed_at, row.confirmed_at]
            .into_iter()
            .flatten()
            .min();
        self.worst = self.worst.max(row.worst).max(row.severity);
        self.occurrences = self.occurrences.max(row.occurrences);
        self.newest = row.opened_at;
    }

    /// Returns one line, as [`FINDINGS`] formats it.
    fn line(&self) -> String {
        let (ts, row) = &self.shown;
        let instant =
            |ts: Option<Timestamp>| ts.map_or("-".to_owned(), |ts| ts.as_micros().to_string());
        let ended = self.has_ended.then(|| row.resolved_at.unwrap_or(*ts));
        [
            row.rule.clone(),
            row.target.clone(),
            row.severity.as_str().to_owned(),
            self.worst.as_str().to_owned(),
            row.title.clone(),
            instant(Some(self.opened_at)),
            instant(self.confirmed_at),
            instant(Some(row.seen_at)),
            instant(row.unknown_since),
            instant(ended),
            instant(Some(*ts)),
            self.occurrences.to_string(),
        ]
        .join("|")
    }
}

/// The table of findings, in the columns of [`Life::line`].
const FINDINGS: &str = "
    SELECT concat_ws('|', rule, target, severity, worst, title, m(opened_at), m(confirmed_at), m(seen_at), m(unknown_since),
                     m(resolved_at), m(transition_at), occurrences)
    FROM collector.findings WHERE host_id = 1";
const HISTORY: &str = "
    SELECT concat_ws('|', rule, target, m(ts), title, transition) FROM collector.finding_transitions_raw WHERE host_id = 1";
/// Microseconds since the epoch, as text.
const MICROS: &str = "
    CREATE OR REPLACE FUNCTION public.m(ts timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT coalesce((extract(epoch FROM ts) * 1000000)::bigint::text, '-') $$;
    SET search_path = public";

/// Findings and history as lines, each in order.
#[derive(Debug, PartialEq)]
pub struct Lines {
    findings: Vec<String>,
    history: Vec<String>,
}

impl Lines {
    /// Returns what follows from these rows.
    pub fn of(told: &[Told]) -> Self {
        let mut by_key: BTreeMap<Key, Vec<Told>> = BTreeMap::new();
        for one in told {
            let key = (one.1.rule.clone(), one.1.target.clone());
            by_key.entry(key).or_default().push(one.clone());
        }
        let (mut findings, mut history) = (Vec::new(), Vec::new());
        for rows in by_key.values_mut() {
            rows.sort_by_key(|(ts, row)| (*ts, row.opened_at, rank(&row.transition)));
            let mut lives: Vec<Life> = Vec::new();
            for told in rows.iter() {
                let mut word = told.1.transition.as_str();
                let is_end = word == "resolved";
                let is_first = lives.is_empty();
                match lives.last_mut() {
                    Some(life) if !life.has_ended => {
                        life.take(told);
                        if word == "opened" {
                            word = "refreshed";
                        }
                    }
                    // It repeats the end.
                    Some(life) if is_end && life.newest == told.1.opened_at => {}
                    _ => {
                        lives.push(Life::begin(told));
                        if word == "refreshed" && !is_first {
                            word = "opened";
                        }
                    }
                }
                history.push(format!(
                    "{}|{}|{}|{}|{word}",
                    told.1.rule,
                    told.1.target,
                    told.0.as_micros(),
                    told.1.title
                ));
            }
            findings.extend(lives.iter().map(Life::line));
        }
        findings.sort();
        history.sort();
        Self { findings, history }
    }

    /// Returns what the database has.
    pub async fn stored(database: &Database) -> Self {
        let session = database.connect().await.unwrap();
        Self::read(&session.client).await
    }

    /// Returns what the database of a session has.
    pub async fn read(client: &Client) -> Self {
        client.batch_execute(MICROS).await.unwrap();
        let lines = async |sql: &str| {
            let mut lines = testkit::texts(client, sql).await.unwrap();
            lines.sort();
            lines
        };
        Self {
            findings: lines(FINDINGS).await,
            history: lines(HISTORY).await,
        }
    }

    /// Checks that each beginning of a rule and target has one end before the next, in a history without losses.
    pub fn check_pairs(&self, told: &[Told]) {
        for (rule, target) in KEYS {
            let mut rows: Vec<(i64, &str)> = Vec::new();
            for line in &self.history {
                let fields: Vec<&str> = line.split('|').collect();
                if (fields[0], fields[1]) == (rule, target) {
                    rows.push((fields[2].parse().unwrap(), fields[4]));
                }
            }
            rows.sort_unstable();
            // What was stored twice.
            rows.dedup();
            let marks: Vec<&str> = rows.into_iter().map(|(_, word)| word).collect();
            let marks: Vec<&str> = marks
                .into_iter()
                .filter(|word| ["opened", "resolved"].contains(word))
                .collect();
            for (at, word) in marks.iter().enumerate() {
                let expected = if at % 2 == 0 { "opened" } else { "resolved" };
                assert_eq!(*word, expected, "{rule} {target}: {marks:?} of {told:#?}");
            }
        }
    }
}

fn rank(word: &str) -> usize {
    let order = [
        "opened refreshed",
        "confirmed",
        "better",
        "worse",
        "unknown",
        "resolved",
    ];
    order.iter().position(|words| words.contains(word)).unwrap()
}

/// Writes the life of findings as a collector does.
pub struct Teller {
    dice: Dice,
    now: i64,
    rows: i64,
    /// Whether it also writes what a collector never does: any transition, about any life.
    is_wild: bool,
}

impl Teller {
    pub fn new(seed: u64, begin: Timestamp, is_wild: bool) -> Self {
        Self {
            dice: Dice::new(seed),
            now: begin.as_micros(),
            rows: 0,
            is_wild,
        }
    }

    /// Returns the history of all keys over so many evaluations.
    pub fn tell(&mut self, evaluations: usize) -> Vec<Told> {
        let mut open: BTreeMap<usize, FindingTransition> = BTreeMap::new();
        let mut told = Vec::new();
        for _ in 0..evaluations {
            self.now += 10_000_000;
            if self.dice.one_in(12) {
                // Restarted while the database is away.
                open.clear();
            }
            for key in 0..KEYS.len() {
                if self.dice.one_in(2) {
                    let state = open.remove(&key);
                    let next = self.next(key, state);
                    told.push((Timestamp(self.now), next.clone()));
                    if next.transition == "opened" && self.dice.one_in(4) {
                        let confirmed = self.step(next.clone(), Transition::Confirmed);
                        told.push((Timestamp(self.now), confirmed));
                    }
                    if next.resolved_at.is_none() || self.is_wild && self.dice.one_in(3) {
                        open.insert(key, next);
                    }
                }
            }
        }
        told
    }

    fn next(&mut self, key: usize, state: Option<FindingTransition>) -> FindingTransition {
        let transition = Transition::ALL[1 + self.dice.index(6)];
        match state {
            None if self.is_wild && self.dice.one_in(4) => {
                let opened = self.open(key);
                self.step(opened, transition)
            }
            None => self.open(key),
            Some(mut state) => {
                state.resolved_at = None;
                self.step(state, transition)
            }
        }
    }

    fn open(&mut self, key: usize) -> FindingTransition {
        let (rule, target) = KEYS[key];
        let now = Timestamp(self.now);
        let severity = SEVERITIES[self.dice.index(3)];
        let row = FindingTransition {
            rule: rule.to_owned(),
            target: target.to_owned(),
            kind: "alert".to_owned(),
            domain: "host".to_owned(),
            severity,
            worst: severity,
            message: "It is.".to_owned(),
            steps: Json(r#"["Do this.", "Then that."]"#.to_owned()),
            opened_at: Timestamp(now.as_micros() - 1_000_000 * i64::from(self.dice.byte() % 3)),
            seen_at: now,
            ..FindingTransition::default()
        };
        self.step(row, Transition::Opened)
    }

    fn step(&mut self, mut row: FindingTransition, transition: Transition) -> FindingTransition {
        let now = Timestamp(self.now);
        self.rows += 1;
        row.title = format!("Row {}", self.rows);
        row.transition = transition.as_str().to_owned();
        row.occurrences += 1;
        row.seen_at = now;
        row.unknown_since = None;
        match transition {
            Transition::Confirmed => row.confirmed_at = row.confirmed_at.or(Some(now)),
            Transition::Worse | Transition::Better => row.severity = SEVERITIES[self.dice.index(3)],
            Transition::Unknown => row.unknown_since = Some(now),
            Transition::Resolved => row.resolved_at = Some(now),
            Transition::Opened | Transition::Refreshed => {}
        }
        row.worst = row.worst.max(row.severity);
        row
    }
}

/// Returns the statement that stores rows as the writer does.
pub fn insert(told: &[Told]) -> String {
    let mut sql = String::new();
    for (ts, row) in told {
        let mut names = String::from("ts, host_id");
        let instant = |ts: &Timestamp| {
            format!(
                "timestamptz 'epoch' + {} * interval '1 microsecond'",
                ts.as_micros()
            )
        };
        let mut values = format!("{}, 1", instant(ts));
        let row = row.clone().into_row(*ts);
        for (column, cell) in row.table.columns.iter().zip(row.cells.iter()) {
            let value = match cell {
                schema::Cell::Null => continue,
                schema::Cell::Float(value) => value.to_string(),
                schema::Cell::Int(value) => value.to_string(),
                schema::Cell::Bool(value) => value.to_string(),
                schema::Cell::Text(text) | schema::Cell::Json(text) => format!("'{text}'"),
                schema::Cell::Time(ts) => instant(ts),
            };
            names.push_str(&format!(", {}", column.name));
            values.push_str(&format!(", {value}"));
        }
        sql.push_str(&format!(
            "INSERT INTO collector.finding_transitions_raw ({names}) VALUES ({values});\n"
        ));
    }
    sql
}

/// Returns the statement by which findings follow rows.
pub fn apply(told: &[Told]) -> String {
    let instants: Vec<String> = told
        .iter()
        .map(|(ts, _)| {
            format!(
                "timestamptz 'epoch' + {} * interval '1 microsecond'",
                ts.as_micros()
            )
        })
        .collect();
    format!(
        "SELECT collector.apply_transitions(1, ARRAY[{}]::timestamptz[]);\n",
        instants.join(", ")
    )
}
