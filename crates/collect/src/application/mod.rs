//! Applications: their metrics over HTTP.
//!
//! ```text
//! client ─ bytes ─┬─ json: names as data ───────────────┬─ reading ─ rows
//!                 └─ exposition ─ evaluate: expressions ─┘
//! ```
//!
//! An [`Application`] is one target. Every tick gives one `target_metrics_raw` row, which states
//! whether it answered, and the error otherwise; when it did, one row of `api_metrics_raw` or
//! `proxy_metrics_raw`, and rows of its buckets, endpoints and failures. A value that a target does
//! not report is NULL. An answer that can be read need not be understood: a target without any of the expected
//! series is not up, nor is an exporter that reports its program as down, and each row has the number of
//! columns that were never found (`understood.rs`). Counters are stored as reported: after a restart of the
//! target they begin at 0 again, which readers of their steps take into account.
//!
//! A target is not trusted: see the client, and the bounds in each part. One that refuses the token
//! is not asked for a minute, so that it does not lock us out.

mod caddy;
pub(crate) mod client;
mod error;
mod evaluate;
pub(crate) mod exposition;
mod json;
mod mapping;
mod reading;
mod understood;

use std::cell::Cell;
use std::collections::BTreeSet;
use std::mem::Discriminant;
use std::time::Duration;

use config::{Format, Mapping, ScrapeTarget, TargetKind};
use schema::tables::TargetSample;
use schema::{Row, Sample};

use crate::Moment;
use client::Client;
pub use error::ScrapeError;
use evaluate::Memory;
use exposition::Exposition;
use http::Received;
use json::Names;
use reading::{KnownFailures, Reading};
pub use understood::Understood;

/// One target.
#[derive(Debug)]
pub struct Application {
    name: String,
    kind: TargetKind,
    client: Client,
    reader: Reader,
    known_failures: KnownFailures,
    /// Columns that were ever found.
    found: BTreeSet<&'static str>,
    /// Whether it ever did.
    answered: bool,
    /// Until when on the monotonic clock it is not asked, and why.
    denied: Option<(Duration, Trouble)>,
    /// Kind of error at the last tick; its text may differ from tick to tick.
    trouble: Option<Discriminant<ScrapeError>>,
}

/// Why it returned no values.
type Trouble = (Discriminant<ScrapeError>, String);

/// Reader of its body.
#[derive(Debug)]
enum Reader {
    Json(Names),
    Prometheus(mapping::Columns, Memory),
}

/// Change of a target's state, for the log: reported once, until another error occurs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// As at the last tick.
    Nothing,
    /// It answers again.
    Up,
    /// It does not answer, or not as it should, for this cause.
    Down(String),
}

impl Application {
    /// Returns a target of the settings.
    ///
    /// # Errors
    /// [`ScrapeError::Address`] without a url, [`ScrapeError::Tls`] when the trusted certificates
    /// cannot be read, [`ScrapeError::Mapping`] for an expression that cannot be.
    pub fn new(target: ScrapeTarget) -> Result<Self, ScrapeError> {
        let unmapped = |(column, problem)| ScrapeError::Mapping {
            target: target.name.clone(),
            column,
            problem,
        };
        let reader = match target.format {
            Format::Json => Reader::Json(Names::of(target.kind, &target.map).map_err(unmapped)?),
            Format::Prometheus => Reader::Prometheus(
                mapping::columns(&target).map_err(unmapped)?,
                Memory::default(),
            ),
        };
        let url = target.url.ok_or_else(|| ScrapeError::Address {
            host: target.name.clone(),
            problem: "the target has no url".to_owned(),
        })?;
        let root_cert = target.root_cert.as_deref();
        Ok(Self {
            client: Client::new(url, target.token, target.format, root_cert)?,
            name: target.name,
            kind: target.kind,
            reader,
            known_failures: KnownFailures::default(),
            found: BTreeSet::new(),
            answered: false,
            denied: None,
            trouble: None,
        })
    }

    /// Replaces the deadline of the whole exchange, three seconds.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.client.deadline = deadline;
        self
    }

    /// Returns its name in the settings.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns whether it has answered since it was made.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.answered
    }

    /// Returns how many of the expected columns were ever found.
    #[must_use]
    pub fn understood(&self) -> Understood {
        let mapped: Vec<&'static str> = match &self.reader {
            Reader::Json(names) => names.promised.clone(),
            Reader::Prometheus(columns, _) => {
                let columns = columns.expressions().iter();
                columns.map(|(column, _)| *column).collect()
            }
        };
        Understood {
            filled: self.found.len(),
            mapped: mapped.len(),
            unfilled: mapped
                .into_iter()
                .filter(|column| !self.found.contains(column))
                .collect(),
        }
    }

    /// Asks it once and appends its rows, within the deadline in any case.
    pub async fn collect(&mut self, at: &Moment, out: &mut Vec<Row>) -> News {
        let started = tokio::time::Instant::now();
        let mut received = Received::default();
        let mut values = Vec::new();
        let result = self.ask(at, &mut received, &mut values).await;
        let (trouble, bad, error) = match result {
            Ok((bad, notes)) => (None, bad, (!notes.is_empty()).then(|| notes.join("; "))),
            Err((trouble, text)) => (Some(trouble), 0, Some(text)),
        };
        self.answered |= trouble.is_none();
        let understood = self.understood();
        let count = |columns: usize| i64::try_from(columns).ok();
        out.push(
            TargetSample {
                target: self.name.clone(),
                kind: self.kind.as_str().to_owned(),
                up: trouble.is_none(),
                duration_ms: started.elapsed().as_secs_f64() * 1000.0,
                http_status: received.status.map(i32::from),
                bytes: received.bytes.and_then(|bytes| i64::try_from(bytes).ok()),
                bad_values: i64::try_from(bad).unwrap_or(i64::MAX),
                // Before the first answer no column is known to be missing.
                mapped: count(understood.mapped).filter(|mapped| *mapped > 0 && self.answered),
                unfilled: count(understood.unfilled.len())
                    .filter(|_| understood.mapped > 0 && self.answered),
                error: error.clone(),
            }
            .into_row(at.ts),
        );
        out.append(&mut values);
        if std::mem::replace(&mut self.trouble, trouble) == trouble {
            return News::Nothing;
        }
        match trouble {
            Some(_) => News::Down(error.unwrap_or_default()),
            None => News::Up,
        }
    }

    /// Returns the number of bad values and notes about omissions, or the error.
    async fn ask(
        &mut self,
        at: &Moment,
        received: &mut Received,
        out: &mut Vec<Row>,
    ) -> Result<(usize, Vec<String>), Trouble> {
        if let Some((until, why)) = &self.denied {
            if at.monotonic < *until {
                return Err(why.clone());
            }
            self.denied = None;
        }
        let described = |error: &ScrapeError| (std::mem::discriminant(error), error.to_string());
        let answer = self.client.get(received).await.map_err(|error| {
            let trouble = described(&error);
            if let ScrapeError::Denied { pause, .. } = error {
                self.denied = Some((at.monotonic + pause, trouble.clone()));
            }
            trouble
        })?;
        self.take(&answer.body, answer.open_metrics, at, out)
            .map_err(|error| described(&error))
    }

    /// Reads the body of an answer, which is OpenMetrics or older text where it is not JSON, and appends its
    /// rows; returns the number of bad values and notes about omissions.
    ///
    /// # Errors
    /// When the body has no usable values.
    pub fn take(
        &mut self,
        body: &[u8],
        open_metrics: bool,
        at: &Moment,
        out: &mut Vec<Row>,
    ) -> Result<(usize, Vec<String>), ScrapeError> {
        let mut reading = self.read(body, open_metrics, at)?;
        self.found.extend(reading.found.iter().copied());
        let empty = self.understood().note();
        reading.notes.extend(empty);
        Ok(reading.into_rows(&self.name, self.kind, at.ts, &mut self.known_failures, out))
    }

    /// Reads the values of a body.
    fn read(
        &mut self,
        body: &[u8],
        open_metrics: bool,
        at: &Moment,
    ) -> Result<Reading, ScrapeError> {
        let address = self.client.address();
        match &mut self.reader {
            Reader::Json(names) => names.read(body).map_err(|problem| ScrapeError::Body {
                address,
                format: "JSON",
                problem,
            }),
            Reader::Prometheus(columns, memory) => {
                let is_program = Cell::new(false);
                let mut body = Exposition::parse(body, open_metrics, |name| {
                    is_program.set(is_program.get() || columns.is_of_program(name));
                    columns.needs(name) || understood::is_up_series(name)
                })
                .map_err(|problem| ScrapeError::Body {
                    address: address.clone(),
                    format: "Prometheus text",
                    problem,
                })?;
                if columns.mapping == Mapping::Caddy {
                    caddy::mark(&mut body);
                }
                let mut reading = evaluate::read(columns.expressions(), &body, at, memory);
                let fits = columns.shows_program(&reading.found);
                if let Some(down) = understood::down(&body) {
                    if !fits || down.program == columns.mapping.as_str() {
                        return Err(ScrapeError::ProgramDown {
                            address,
                            series: down.series,
                            program: down.program,
                        });
                    }
                    reading.notes.push(down.series);
                }
                if !fits && !is_program.get() && !columns.expressions().is_empty() {
                    return Err(ScrapeError::Unfit {
                        address,
                        looked_for: columns.examples(),
                    });
                }
                Ok(reading)
            }
        }
    }
}
