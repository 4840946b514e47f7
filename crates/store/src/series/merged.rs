//! Buckets of whole hours of all keys: what is rolled up is added up by the server, the hour that is open is folded here.
//!
//! The statements sort the samples of the open hour, whatever the range: 108,000 of 300 processes, which takes them 150 ms at the end of an hour. Amounts
//! are left to them: how long any key covers a bucket is known when all of its partials are.

use schema::Timestamp;
use schema::micros::HOUR;
use tokio_postgres::Client;

use super::ReadError;
use super::added::Added;
use super::buckets::{self, Answer, Fault, Pick, RangeQuery};
use super::fold::Folded;
use super::folded::{Cut, read_table, tables};
use super::history::History;
use super::pieces::{Form, Piece};
use super::scan::{Kind, Scan, group};
use super::sql::Source;
use super::value::Instant;

/// Samples of more time are added up by the server, microseconds: an hour that is over is rolled up within minutes, and each sample is sent.
const MOST: i64 = 3 * HOUR;

/// Answers a query of all keys whose buckets are whole hours, as [`buckets`](super::buckets()) does.
pub(super) async fn read(client: &Client, ask: &RangeQuery) -> Answer {
    let history = match History::read(client, ask).await {
        Ok(history) => history,
        // The statements fail as well, or tell.
        Err(_) => return super::buckets(client, ask).await,
    };
    let Some((history, pieces)) = history
        .as_ref()
        .and_then(|history| Some((history, Pieces::of(history, ask)?)))
    else {
        return buckets::answer(client, ask, history.as_ref()).await;
    };
    let only = |picks: Vec<Pick>| RangeQuery {
        picks,
        ..ask.clone()
    };
    let (mine, mut others): (Vec<Pick>, Vec<Pick>) = ask.picks.iter().cloned().partition(|pick| {
        let scan = Scan::of(pick.metric);
        scan.kind != Kind::Amounts && history.serves(&scan)
    });
    let mine = only(mine);
    let mut found = Added::new(&mine);
    let mut answer = Answer::default();
    let (scans, _) = group(mine.picks.iter().map(|pick| (pick.metric, ())));
    let scans: Vec<Scan> = scans.into_iter().map(|(scan, ())| scan).collect();
    for table in tables(scans.iter(), |scan| scan) {
        let metrics = || {
            let scans = table.iter().flatten();
            scans.flat_map(|scan| scan.metrics.iter().copied())
        };
        match add(client, ask, history, &pieces, &table, &mut found).await {
            Ok(true) => {}
            // The last values are not those of an open hour.
            Ok(false) => others.extend(metrics().map(|metric| Pick { metric, key: None })),
            Err(error) => answer.faults.push(Fault {
                metrics: metrics().collect(),
                error,
            }),
        }
    }
    let is_mine = |metric| !others.iter().any(|pick| pick.metric == metric);
    let mut series = found.series();
    series.retain(|one| is_mine(one.metric));
    answer.series = series;
    if !others.is_empty() {
        let mut more = buckets::answer(client, &only(others), Some(history)).await;
        answer.series.append(&mut more.series);
        answer.faults.append(&mut more.faults);
    }
    answer
}

/// The pieces of a range.
struct Pieces {
    stored: Vec<Piece>,
    sampled: Vec<Piece>,
}

impl Pieces {
    /// Returns the pieces of the range of a query; `None` where there are no samples among them, not at its end though its last values are
    /// wanted, or too many.
    fn of(history: &History, ask: &RangeQuery) -> Option<Self> {
        let pieces = history.pieces_of_hours(ask.give_from.max(ask.from), ask.to)?;
        if ask.last && pieces.last()?.form != Form::Raw {
            return None;
        }
        let (sampled, stored): (Vec<Piece>, Vec<Piece>) = pieces
            .into_iter()
            .partition(|piece| piece.form == Form::Raw);
        let length: i64 = sampled.iter().map(|piece| piece.to - piece.from).sum();
        (length > 0 && length <= MOST).then_some(Self { stored, sampled })
    }
}

/// Adds what the groups of a table make. Returns whether the last values are known, where they are wanted.
async fn add(
    client: &Client,
    ask: &RangeQuery,
    history: &History,
    pieces: &Pieces,
    table: &[Vec<&Scan>],
    found: &mut Added,
) -> Result<bool, ReadError> {
    let source = Source {
        host_id: ask.host_id,
        interval: ask.interval,
        keys: None,
    };
    let cut = Cut {
        length: HOUR,
        of_metrics: true,
    };
    let mut is_known = !ask.last;
    for (nth, piece) in pieces.sampled.iter().enumerate() {
        let is_last = ask.last && nth + 1 == pieces.sampled.len();
        let span = (Timestamp(piece.from), Timestamp(piece.to));
        let wholes = read_table(client, table, &source, span, cut).await?;
        is_known |= is_last && wholes.iter().any(|whole| whole.is_sampled);
        for (group, whole) in table.iter().zip(wholes) {
            for key in whole.keys {
                add_folded(group, key, piece.from, is_last, found);
            }
        }
    }
    if !is_known {
        return Ok(false);
    }
    for scan in table.iter().flatten().filter(|_| !pieces.stored.is_empty()) {
        add_stored(client, ask, history, &pieces.stored, scan, found).await?;
    }
    Ok(true)
}

/// Adds what samples of a key make from an instant on.
fn add_folded(group: &[&Scan], key: Folded, from: i64, is_last: bool, found: &mut Added) {
    let Folded {
        name,
        figures,
        slices,
    } = key;
    let metrics = group.iter().flat_map(|scan| scan.metrics.iter().copied());
    for (metric, (figures, hours)) in metrics.zip(figures.into_iter().zip(slices)) {
        let Some(place) = found.place(metric) else {
            continue;
        };
        for (nth, four) in (0..).zip(hours) {
            let bucket = found.nth(from + nth * HOUR);
            if let Some(sums) = found.buckets(place, name.clone()).get_mut(bucket) {
                sums.add(four);
            }
        }
        if is_last {
            found.end(place, name.clone(), figures[4]);
        }
    }
}

/// Adds what is stored of a scan.
async fn add_stored(
    client: &Client,
    ask: &RangeQuery,
    history: &History,
    pieces: &[Piece],
    scan: &Scan,
    found: &mut Added,
) -> Result<(), ReadError> {
    let what = scan.table.name;
    let fault = |source| ReadError::new(what, source);
    let source = Source {
        host_id: ask.host_id,
        interval: ask.interval,
        keys: None,
    };
    let sql = history.sums_statement(scan, &source, pieces.to_vec(), ask.step);
    let places: Vec<Option<usize>> = scan.metrics.iter().map(|one| found.place(one)).collect();
    for row in sql.query(client, what).await? {
        let at: Instant = row.try_get(0).map_err(fault)?;
        let key: Option<String> = row.try_get(1).map_err(fault)?;
        let bucket = found.nth(at.0.as_micros());
        for (nth, place) in places.iter().enumerate() {
            let mut four = [None; 4];
            for (figure, column) in four.iter_mut().zip(2 + 4 * nth..) {
                *figure = row.try_get(column).map_err(fault)?;
            }
            let Some(place) = *place else { continue };
            if let Some(sums) = found.buckets(place, key.clone()).get_mut(bucket) {
                sums.add(four);
            }
        }
    }
    Ok(())
}
