//! Applications: asked for their metrics over HTTP.
//!
//! ```text
//! client ─ bytes ─┬─ json: names as data ───────────────┬─ reading ─ rows
//!                 └─ exposition ─ evaluate: expressions ─┘
//! ```
//!
//! An [`Application`] is one target. Every tick gives one `target_metrics_raw` row, which says
//! whether it answered and what is wrong otherwise; when it did, one row of `api_metrics_raw` or
//! `proxy_metrics_raw`, and what there is of buckets, endpoints and failures. What a target does
//! not tell is NULL. Counters are stored as told: after a restart of the target they begin anew,
//! which whoever reads their steps sees.
//!
//! A target is not trusted: see the client, and the bounds in each part. One that refuses the token
//! is left alone for a minute, so that it does not lock us out.

mod client;
mod error;
mod evaluate;
mod exposition;
mod json;
mod mapping;
mod reading;

use std::mem::Discriminant;
use std::time::Duration;

use config::{Format, ScrapeTarget, TargetKind};
use schema::tables::TargetSample;
use schema::{Row, Sample};

use crate::Moment;
use client::{Answer, Client, Seen};
pub use error::ScrapeError;
use evaluate::Memory;
use exposition::Exposition;
use json::Names;
use reading::{Reading, Told};

/// One target.
#[derive(Debug)]
pub struct Application {
    name: String,
    kind: TargetKind,
    client: Client,
    reader: Reader,
    told: Told,
    /// Whether it ever did.
    answered: bool,
    /// Until when on the monotonic clock it is left alone, and why.
    denied: Option<(Duration, Trouble)>,
    /// What kind of thing was wrong at the last tick: its words may differ from tick to tick.
    trouble: Option<Discriminant<ScrapeError>>,
}

/// Why it gave nothing.
type Trouble = (Discriminant<ScrapeError>, String);

/// How its body is read.
#[derive(Debug)]
enum Reader {
    Json(Names),
    Prometheus(mapping::Columns, Memory),
}

/// What is new about a target, for the log: said once, until something else is wrong.
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
    /// A target of the settings.
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
            told: Told::default(),
            answered: false,
            denied: None,
            trouble: None,
        })
    }

    /// The same with another deadline for the exchange as a whole than three seconds.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.client.deadline = deadline;
        self
    }

    /// Its name in the settings.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it has answered since it was made.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.answered
    }

    /// Asks it once and appends its rows; within the deadline, whatever it does.
    pub async fn collect(&mut self, at: &Moment, out: &mut Vec<Row>) -> News {
        let started = tokio::time::Instant::now();
        let mut seen = Seen::default();
        let mut values = Vec::new();
        let result = self.ask(at, &mut seen, &mut values).await;
        let (trouble, bad, error) = match result {
            Ok((bad, notes)) => (None, bad, (!notes.is_empty()).then(|| notes.join("; "))),
            Err((trouble, text)) => (Some(trouble), 0, Some(text)),
        };
        self.answered |= trouble.is_none();
        out.push(
            TargetSample {
                target: self.name.clone(),
                kind: self.kind.as_str().to_owned(),
                up: trouble.is_none(),
                duration_ms: started.elapsed().as_secs_f64() * 1000.0,
                http_status: seen.status.map(i32::from),
                bytes: seen.bytes.and_then(|bytes| i64::try_from(bytes).ok()),
                bad_values: i64::try_from(bad).unwrap_or(i64::MAX),
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

    /// Number of bad values and what was left out, or why there is nothing.
    async fn ask(
        &mut self,
        at: &Moment,
        seen: &mut Seen,
        out: &mut Vec<Row>,
    ) -> Result<(usize, Vec<String>), Trouble> {
        if let Some((until, why)) = &self.denied {
            if at.monotonic < *until {
                return Err(why.clone());
            }
            self.denied = None;
        }
        let told = |error: &ScrapeError| (std::mem::discriminant(error), error.to_string());
        let answer = self.client.get(seen).await.map_err(|error| {
            let trouble = told(&error);
            if let ScrapeError::Denied { pause, .. } = error {
                self.denied = Some((at.monotonic + pause, trouble.clone()));
            }
            trouble
        })?;
        let reading = self.read(&answer, at).map_err(|error| told(&error))?;
        Ok(reading.into_rows(&self.name, self.kind, at.ts, &mut self.told, out))
    }

    fn read(&mut self, answer: &Answer, at: &Moment) -> Result<Reading, ScrapeError> {
        let address = self.client.address();
        match &mut self.reader {
            Reader::Json(names) => names
                .read(&answer.body)
                .map_err(|problem| ScrapeError::Body {
                    address,
                    format: "JSON",
                    problem,
                }),
            Reader::Prometheus(columns, memory) => {
                let body = Exposition::parse(&answer.body, answer.open_metrics, |name| {
                    columns.needs(name)
                })
                .map_err(|problem| ScrapeError::Body {
                    address,
                    format: "Prometheus text",
                    problem,
                })?;
                Ok(evaluate::read(columns.expressions(), &body, at, memory))
            }
        }
    }
}
