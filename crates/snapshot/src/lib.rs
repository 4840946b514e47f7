//! What happened at an instant: everything stored about it, put together once.
//!
//! [`read`] assembles a [`Snapshot`] of a window around an instant; [`compare`] ranks what differs between two ranges. The
//! dashboard's page, its Markdown and its JSON file, and `pqcrypta explain` all show the same assembly.
//!
//! * [`readings`] reads every metric of the catalogue over the window and what it is compared with, through `store::series`,
//!   the only reader of samples; peaks, processes and changes follow from this one reading.
//! * [`changed`] ranks series by how far they are from before and from what is usual. Pure.
//! * `events` lists what happened: findings, lines of logs, changes of the host, gaps. `marks` has the changes.
//! * `render` makes Markdown and plain text of a snapshot, `evidence` a file that needs no server.
//!
//! A part that cannot be read is named in `notes`, and the others are there. Absent is not zero: a series without a value in the
//! window is listed as silent, never compared.

pub mod changed;
pub mod charts;
mod context;
mod events;
pub mod evidence;
pub mod marks;
pub mod model;
mod peaks;
pub mod readings;
pub mod render;
mod spans;
mod tops;

use schema::{Metric, Timestamp};
use store::series::ReadError;
use tokio_postgres::Client;

pub use model::{Comparison, Snapshot};
pub use readings::Share;
pub use spans::{LIMITS, MINUTES, Window};

use readings::Readings;

/// Whose data are read.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its number.
    pub id: i32,
    /// Its name.
    pub name: String,
    /// The interval at which it is sampled, microseconds.
    pub tick: i64,
    /// The greatest interval at which it and its services are sampled, microseconds.
    pub interval: i64,
    /// From when samples are kept; `None`: all are.
    pub raw_from: Option<Timestamp>,
    /// From when hours are kept; `None`: all are.
    pub hours_from: Option<Timestamp>,
}

/// What a snapshot is of.
#[derive(Clone, Debug)]
pub struct Question {
    /// The window around the instant.
    pub window: Window,
    /// The present: what is open is as of then.
    pub now: Timestamp,
    /// The finding that led there.
    pub finding: Option<i64>,
    /// The metric, with its key, of the chart that led there.
    pub metric: Option<(&'static Metric, Option<String>)>,
}

/// Reads a snapshot in one session.
///
/// # Errors
/// When the link to the database fails; a part that takes too long is named in the notes.
pub async fn read(
    client: &Client,
    host: &Host,
    question: &Question,
) -> Result<Snapshot, ReadError> {
    let first = parts(client, host, question).await?;
    let slow = bulk(client, host, question, Share::Slow).await?;
    let dense = bulk(client, host, question, Share::Dense).await?;
    Ok(assemble(host, question, first, slow.with(dense)))
}

/// What is read in the first of three sessions.
#[derive(Debug)]
pub struct Parts {
    readings: Readings,
    usual: changed::Usuals,
    finding: Option<model::Finding>,
    events: (Vec<model::Event>, usize),
    statements: Vec<model::TopStatement>,
    beside: (Option<model::Beside>, Option<model::Beside>),
    notes: Vec<String>,
}

/// Reads all but what [`bulk`] reads. The statements are sent at once; the server answers them one after another.
///
/// # Errors
/// When the link to the database fails; a part that takes too long is noted.
pub async fn parts(client: &Client, host: &Host, question: &Question) -> Result<Parts, ReadError> {
    let window = question.window;
    let spans = spans::around(window, host);
    let (readings, usual, finding, events, statements, beside) = futures_util::join!(
        Readings::read(client, host, &spans, &[Share::Plain]),
        changed::Usuals::read(client, host.id, window.at),
        context::finding(client, host.id, question.finding),
        events::events(client, host, window, question.now),
        tops::statements(client, host.id, window),
        events::beside(client, host.id, window.at),
    );
    let mut notes = Notes::default();
    Ok(Parts {
        readings: notes.part("Metrics", readings)?,
        usual: notes.part("What is usual", usual)?,
        finding: notes.part("The finding", finding)?,
        events: notes.part("What happened beside it", events)?,
        statements: notes.part("Statements", statements)?,
        beside: notes.part("Events before and after", beside)?,
        notes: notes.failed,
    })
}

/// Reads tables with many rows, of one share: each takes about as long as all other parts together.
///
/// # Errors
/// When the link to the database fails.
pub async fn bulk(
    client: &Client,
    host: &Host,
    question: &Question,
    share: Share,
) -> Result<Readings, ReadError> {
    let spans = spans::around(question.window, host);
    Readings::read(client, host, &spans, &[share]).await
}

/// Puts a snapshot together.
#[must_use]
pub fn assemble(host: &Host, question: &Question, first: Parts, second: Readings) -> Snapshot {
    let window = question.window;
    let spans = spans::around(window, host);
    let (readings, usual) = (first.readings.with(second), first.usual);
    let mut notes = first.notes;
    notes.extend(readings.failed());
    let at = |at: Timestamp| at.as_millis();
    let (previous, next) = first.beside;
    let (events, more_events) = first.events;
    Snapshot {
        host: host.name.clone(),
        at_ms: at(window.at),
        from_ms: at(window.from()),
        to_ms: at(window.to()),
        before_from_ms: at(spans.before.0),
        before_to_ms: at(spans.before.1),
        source: spans.source(),
        finding: first.finding,
        focus: question
            .metric
            .as_ref()
            .map(|(metric, key)| context::focus(metric, key.as_deref(), &readings, &usual, window)),
        peaks: peaks::peaks(&readings),
        changed: changed::rank(&readings, &usual, spans.step),
        charts: charts::charts(&readings),
        processes: tops::processes(&readings),
        statements: first.statements,
        events,
        more_events,
        previous,
        next,
        notes,
    }
}

/// Ranks what differs between two ranges, each `from <= ts < to`.
///
/// # Errors
/// When the link to the database fails.
pub async fn compare(
    client: &Client,
    host: &Host,
    range: (Timestamp, Timestamp),
    before: (Timestamp, Timestamp),
) -> Result<Comparison, ReadError> {
    let spans = spans::of_ranges(range, before, host);
    let mut notes = Notes::default();
    let read = Readings::read(
        client,
        host,
        &spans,
        &[Share::Plain, Share::Slow, Share::Dense],
    )
    .await;
    let readings = notes.part("Metrics", read)?;
    notes.failed.extend(readings.failed());
    let at = |at: Timestamp| at.as_millis();
    Ok(Comparison {
        from_ms: at(spans.window.0),
        to_ms: at(spans.window.1),
        before_from_ms: at(spans.before.0),
        before_to_ms: at(spans.before.1),
        source: spans.source(),
        changed: changed::rank(&readings, &changed::Usuals::default(), spans.step),
        notes: notes.failed,
    })
}

type Read<T> = Result<T, ReadError>;

/// What could not be read.
#[derive(Debug, Default)]
struct Notes {
    failed: Vec<String>,
}

impl Notes {
    /// Returns a part; one that took too long is empty and noted.
    fn part<T: Default>(&mut self, what: &str, read: Read<T>) -> Read<T> {
        match read {
            Err(error) if error.is_timeout() => {
                self.failed
                    .push(format!("{what}: the database took too long."));
                Ok(T::default())
            }
            read => read,
        }
    }
}
