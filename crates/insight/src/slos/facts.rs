//! What objectives are judged by: their periods since the hour before, and their counted hours.

use super::counting::{self, OfHour, minutes};
use super::definition::{self, Fault, Slo};
use crate::live::Intervals;
use schema::micros::{HOUR, MINUTE};
use schema::{Metric, Timestamp};
use stats::burn::{Tally, Window};
use std::collections::{BTreeMap, BTreeSet};
use store::series::ReadError;
use store::series::tallies::{self, Tallied, Wanted};
use store::slos::{self, Counted, DueHour, Hour};
use tokio_postgres::Client;

/// Days of the window of an objective.
pub(super) const DAYS: i64 = 30;
/// Long windows, microseconds: they begin with a whole hour, so that they are up to an hour longer.
const LONG: [i64; 3] = [DAYS * 24 * HOUR, 72 * HOUR, 6 * HOUR];
/// Most hours of objectives that are counted in one run: those of the window for a dozen.
const MOST_DUE: i64 = 10_000;
/// Most hours that are read from samples in one run, as their greatest and least values do not tell. An hour costs the
/// server a millisecond or two.
const MOST_MIXED: usize = 12;
/// Most keys of an objective. More are hardly objectives; the first ones by name are judged.
const MOST_KEYS: usize = 20;

/// How one key of an objective stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The objective.
    pub slo: Slo,
    /// The key; empty for a single series.
    pub key: String,
    /// The last 5 minutes.
    pub five: Window,
    /// The last 30 minutes.
    pub half_hour: Window,
    /// The last hour.
    pub hour: Window,
    /// Six hours.
    pub six_hours: Window,
    /// Three days.
    pub three_days: Window,
    /// The 30 days of the objective.
    pub month: Window,
    /// The mean of the metric over the judged minutes of the 30 days.
    pub mean: Option<f64>,
    /// The periods of the last hour in which something was bad, oldest first.
    pub bad_at: Vec<Timestamp>,
    /// For how long there was nothing to judge although there was an answer, minutes; `None`: there was.
    pub absent_minutes: Option<f64>,
}

/// What the judge of objectives looks at.
#[derive(Clone, Debug, Default)]
pub struct SloFacts {
    /// How each objective and key stands.
    pub standings: Vec<Standing>,
    /// Rows that cannot be judged.
    pub faults: Vec<Fault>,
    /// Names of the objectives that are judged.
    pub names: BTreeSet<String>,
}

/// A period of a series.
#[derive(Clone, Copy, Debug)]
struct Period {
    at: i64,
    step: i64,
    counted: Counted,
}

/// Reads how objectives stand at `at`, and stores what their closed hours counted.
///
/// # Errors
/// What the server reported.
pub(super) async fn fetch(
    client: &Client,
    host_id: i32,
    intervals: Intervals,
    at: Timestamp,
) -> Result<SloFacts, ReadError> {
    let mut facts = SloFacts::default();
    let mut all = Vec::new();
    for row in slos::definitions(client, host_id).await? {
        match Slo::new(&row) {
            Ok(slo) => all.push(slo),
            Err(fault) => facts.faults.push(fault),
        }
    }
    facts.names = all.iter().map(|slo| slo.name.clone()).collect();
    if all.is_empty() {
        return Ok(facts);
    }
    let reader = Reader {
        client,
        host_id,
        intervals,
    };
    let hour = at.as_micros().div_euclid(HOUR) * HOUR;
    let recent_from = Timestamp(hour - HOUR);
    let from = LONG.map(|long| Timestamp(hour - long));
    reader.count_hours(&all, (from[0], recent_from)).await?;
    let judged = judged(&all);
    let sums = slos::sums(client, host_id, &judged, &from, recent_from).await?;
    let periods = reader.periods(&all, recent_from, at).await?;
    for slo in all {
        let of_slo = |name: &str| name == slo.name;
        let mut keys: BTreeSet<&str> = periods
            .series
            .keys()
            .filter(|(name, _)| of_slo(name))
            .map(|(_, key)| key.as_str())
            .collect();
        let counted = sums.iter().filter(|sum| of_slo(&sum.slo_name));
        let has_data = |sum: &&slos::Sums| sum.counted[0].judged > 0.0 || sum.counted[0].down > 0.0;
        keys.extend(counted.filter(has_data).map(|sum| sum.metric_key.as_str()));
        for key in keys.into_iter().take(MOST_KEYS) {
            let sum = sums
                .iter()
                .find(|sum| of_slo(&sum.slo_name) && sum.metric_key == key);
            facts
                .standings
                .push(standing(&slo, key, sum, &periods, at, from));
        }
    }
    Ok(facts)
}

fn judged(all: &[Slo]) -> Vec<(String, String)> {
    all.iter()
        .map(|slo| (slo.name.clone(), slo.spec()))
        .collect()
}

/// A period of what an objective is about.
#[derive(Clone, Copy, Debug)]
struct Mark {
    at: i64,
    /// Minutes with an answer.
    up: f64,
    /// Minutes without one.
    down: f64,
}

/// Reads on behalf of one host.
struct Reader<'a> {
    client: &'a Client,
    host_id: i32,
    intervals: Intervals,
}

/// The periods of each objective and key, and the answers of what they are about.
#[derive(Default)]
struct Periods {
    series: BTreeMap<(String, String), Vec<Period>>,
    /// Whether there was an answer, by the metric that tells and its key.
    up: BTreeMap<(String, String), Vec<Mark>>,
}

impl Reader<'_> {
    fn wanted(&self, metric: &'static Metric, key: Option<String>) -> Wanted {
        let interval = self.intervals.of(metric.domain.is_of_service());
        Wanted {
            metric,
            key,
            interval,
            step: definition::step(metric, interval),
        }
    }

    /// Returns the metrics of these objectives with those that tell whether there is an answer.
    fn all_wanted<'s>(&self, all: impl Iterator<Item = &'s Slo>, only_down: bool) -> Vec<Wanted> {
        let mut wanted: Vec<Wanted> = Vec::new();
        for slo in all {
            let own = self.wanted(slo.metric, slo.key.clone());
            let up = slo.up().filter(|_| slo.counts_down || !only_down);
            for one in [Some(own), up.map(|up| self.wanted(up, None))]
                .into_iter()
                .flatten()
            {
                if !wanted.contains(&one) {
                    wanted.push(one);
                }
            }
        }
        wanted
    }

    /// Reads the periods of `from..to`.
    async fn periods(
        &self,
        all: &[Slo],
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Periods, ReadError> {
        let wanted = self.all_wanted(all.iter(), false);
        let found = tallies::minutes(self.client, self.host_id, &wanted, from, to).await?;
        let mut periods = Periods::default();
        let ups: Vec<&'static Metric> = all.iter().filter_map(Slo::up).collect();
        for one in found.iter().filter(|one| ups.contains(&one.metric)) {
            let step = self.wanted(one.metric, None).step;
            let down = counting::down_in_period(one, step);
            let of_key = (one.metric.id(), one.key.clone().unwrap_or_default());
            let marks = periods.up.entry(of_key).or_default();
            marks.push(Mark {
                at: one.at.as_micros(),
                up: minutes(step) - down,
                down,
            });
        }
        for slo in all {
            let step = self.wanted(slo.metric, None).step;
            let own = |one: &&Tallied| {
                one.metric == slo.metric && (slo.key.is_none() || slo.key == one.key)
            };
            for one in found.iter().filter(own) {
                let Some(counted) = counting::of_period(slo, one, step) else {
                    continue;
                };
                let key = (slo.name.clone(), one.key.clone().unwrap_or_default());
                let at = one.at.as_micros();
                let of_key = periods.series.entry(key).or_default();
                of_key.push(Period { at, step, counted });
            }
        }
        for of_key in periods.series.values_mut() {
            of_key.sort_by_key(|period| period.at);
        }
        Ok(periods)
    }

    /// Counts the hours that are rolled up and not counted yet, and stores them.
    async fn count_hours(
        &self,
        all: &[Slo],
        (from, to): (Timestamp, Timestamp),
    ) -> Result<(), ReadError> {
        let due = slos::due(
            self.client,
            self.host_id,
            &judged(all),
            (from, to),
            MOST_DUE,
        )
        .await?;
        let (Some(first), Some(last)) = (
            due.iter().map(|one| one.bucket).min(),
            due.iter().map(|one| one.bucket).max(),
        ) else {
            return Ok(());
        };
        let is_due = |slo: &&Slo| due.iter().any(|one| one.slo_name == slo.name);
        let wanted = self.all_wanted(all.iter().filter(is_due), true);
        let end = Timestamp(last.as_micros() + HOUR);
        let found = tallies::hours(self.client, self.host_id, &wanted, first, end).await?;
        let mut by_hour: BTreeMap<Timestamp, Vec<&Tallied>> = BTreeMap::new();
        for one in &found {
            by_hour.entry(one.at).or_default().push(one);
        }
        // A proxy that does not answer is not a silent API: what an objective is about had data once.
        let mut known: BTreeSet<(String, String)> = slos::keys(self.client, self.host_id)
            .await?
            .into_iter()
            .collect();
        for slo in all {
            let of_slo = found.iter().filter(|one| one.metric == slo.metric);
            known.extend(of_slo.filter_map(|one| Some((slo.name.clone(), one.key.clone()?))));
        }
        let (mut hours, mut mixed) = (Vec::new(), 0);
        for one in &due {
            let Some(slo) = all.iter().find(|slo| slo.name == one.slo_name) else {
                continue;
            };
            let of_hour = by_hour.get(&one.bucket).map_or(&[][..], Vec::as_slice);
            let is_over = mixed >= MOST_MIXED;
            let counted = self.count_hour(slo, one, of_hour, is_over, &mut mixed);
            let Some(mut keys) = counted.await? else {
                continue;
            };
            self.add_downtime(slo, of_hour, &known, &mut keys);
            let hour = |(key, counted): (String, Counted)| Hour {
                slo_name: slo.name.clone(),
                metric_key: key,
                bucket: one.bucket,
                spec: slo.spec(),
                version: one.version,
                counted,
            };
            hours.extend(keys.into_iter().map(hour));
        }
        slos::store(self.client, self.host_id, &hours).await
    }

    /// Counts one hour of an objective by key; the empty one tells that it was taken. `None`: it takes samples
    /// to tell, and enough were read in this run.
    async fn count_hour(
        &self,
        slo: &Slo,
        due: &DueHour,
        of_hour: &[&Tallied],
        is_over: bool,
        mixed: &mut usize,
    ) -> Result<Option<BTreeMap<String, Counted>>, ReadError> {
        let wanted = self.wanted(slo.metric, slo.key.clone());
        // Ticks are those of the host, whatever the interval of the metric is.
        let ticked = f64::from(due.ticks) * minutes(self.intervals.of(false));
        let mut keys = BTreeMap::from([(String::new(), Counted::default())]);
        let mut sampled: Option<Vec<Tallied>> = None;
        let own =
            |one: &&&Tallied| one.metric == slo.metric && (slo.key.is_none() || slo.key == one.key);
        for one in of_hour.iter().filter(own).take(MOST_KEYS) {
            let counted = match counting::of_hour(slo, one, ticked, wanted.interval) {
                OfHour::Counted(counted) => counted,
                OfHour::Absent => continue,
                OfHour::Mixed => {
                    if is_over {
                        return Ok(None);
                    }
                    if sampled.is_none() {
                        *mixed += 1;
                        let end = Timestamp(due.bucket.as_micros() + HOUR);
                        let wanted = std::slice::from_ref(&wanted);
                        let read =
                            tallies::minutes(self.client, self.host_id, wanted, due.bucket, end);
                        sampled = Some(read.await?);
                    }
                    let periods = sampled
                        .iter()
                        .flatten()
                        .filter(|period| period.key == one.key);
                    let mut sum = Counted::default();
                    for period in
                        periods.filter_map(|one| counting::of_period(slo, one, wanted.step))
                    {
                        counting::add(&mut sum, &period);
                    }
                    // Its samples are gone: the hour counts as its mean does.
                    match counting::of_whole_hour(slo, one, ticked, wanted.interval) {
                        OfHour::Counted(whole) if sum.judged == 0.0 => whole,
                        _ => sum,
                    }
                }
            };
            let key = one.key.clone().unwrap_or_default();
            counting::add(keys.entry(key).or_default(), &counted);
        }
        Ok(Some(keys))
    }

    /// Adds the minutes of an hour in which there was no answer. Where there was none all the time, the hour has no row of
    /// the metric.
    fn add_downtime(
        &self,
        slo: &Slo,
        of_hour: &[&Tallied],
        known: &BTreeSet<(String, String)>,
        keys: &mut BTreeMap<String, Counted>,
    ) {
        let Some(up) = slo.up().filter(|_| slo.counts_down) else {
            return;
        };
        let interval = self.intervals.of(up.domain.is_of_service());
        for one in of_hour.iter().filter(|one| one.metric == up) {
            let subject = one.key.as_deref().unwrap_or_default();
            let down = counting::down_in_hour(one, interval);
            let of_slo = known.iter().filter(|(name, _)| *name == slo.name);
            for (_, key) in of_slo.filter(|(_, key)| !key.is_empty() && is_part(subject, key)) {
                let counted = keys.entry(key.clone()).or_default();
                counted.down += down;
                // Of events the hour tells how long the host was sampled, not that there was an answer.
                if slo.counts == definition::Counts::Events {
                    counted.judged = (counted.judged - down).max(0.0);
                }
            }
        }
    }
}

/// Returns whether a key is of this subject: the subject, or a part of it.
fn is_part(subject: &str, key: &str) -> bool {
    key.strip_prefix(subject)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

fn standing(
    slo: &Slo,
    key: &str,
    sums: Option<&slos::Sums>,
    periods: &Periods,
    at: Timestamp,
    from: [Timestamp; 3],
) -> Standing {
    let now = at.as_micros();
    let of_key = (slo.name.clone(), key.to_owned());
    let recent = periods.series.get(&of_key).map_or(&[][..], Vec::as_slice);
    let ups: Vec<Mark> = slo
        .up()
        .into_iter()
        .flat_map(|up| periods.up.iter().filter(move |((id, _), _)| *id == up.id()))
        .filter(|((_, subject), _)| is_part(subject, key))
        .flat_map(|(_, marks)| marks.iter().copied())
        .collect();
    let step = recent.first().map_or(MINUTE, |period| period.step);
    let since = |since: i64, stored: Option<&Counted>| {
        let mut sum = stored.copied().unwrap_or_default();
        for period in recent.iter().filter(|period| period.at > since) {
            counting::add(&mut sum, &period.counted);
        }
        if slo.counts_down {
            let marks = ups.iter().filter(|mark| mark.at > since);
            sum.down += marks.map(|mark| mark.down).sum::<f64>();
        }
        sum
    };
    let window = |sum: &Counted, length: i64| {
        let tally = Tally {
            bad: sum.bad,
            total: sum.total,
            judged: sum.judged,
            down: sum.down,
        };
        let tally = if slo.counts_down {
            tally.with_downtime()
        } else {
            tally
        };
        Window {
            tally,
            minutes: minutes(length),
        }
    };
    // A period that is longer than a minute counts while its newest part lies in the window.
    let short = |length: i64| window(&since(now - length - (step - MINUTE), None), length);
    let long = |place: usize| {
        let stored = sums.map(|sums| &sums.counted[place]);
        let sum = since(from[place].as_micros() - 1, stored);
        (window(&sum, now - from[place].as_micros()), sum)
    };
    let (month, whole) = long(0);
    let bad_at = recent
        .iter()
        .filter(|period| period.at > now - HOUR && period.counted.bad > 0.0)
        .map(|period| Timestamp(period.at));
    Standing {
        slo: slo.clone(),
        key: key.to_owned(),
        five: short(5 * MINUTE),
        half_hour: short(30 * MINUTE),
        hour: short(HOUR),
        six_hours: long(2).0,
        three_days: long(1).0,
        month,
        mean: (whole.judged > 0.0).then(|| whole.value_sum / whole.judged),
        bad_at: bad_at.collect(),
        absent_minutes: absence(slo, sums, recent, &ups, now),
    }
}

/// Returns for how many minutes there has been nothing to judge although there was an answer, where that is longer than it
/// may be: as long as the shortest burn that is reported, plus two minutes, and three at least.
fn absence(
    slo: &Slo,
    sums: Option<&slos::Sums>,
    recent: &[Period],
    ups: &[Mark],
    now: i64,
) -> Option<f64> {
    let sums = sums?;
    let least = (14.4 * slo.tolerated * 60.0 + 2.0).clamp(3.0, 60.0);
    #[expect(clippy::cast_possible_truncation, reason = "an hour at most")]
    let since = now - (least * 60.0) as i64 * (MINUTE / 60);
    let has_something = |period: &Period| match slo.counts {
        definition::Counts::Events => period.counted.total > 0.0,
        definition::Counts::Minutes => period.counted.judged > 0.0,
    };
    let newest = recent.iter().rfind(|period| has_something(period));
    if newest.is_some_and(|period| period.at + period.step > since) {
        return None;
    }
    let answered: f64 = ups
        .iter()
        .filter(|mark| mark.at > since)
        .map(|mark| mark.up)
        .sum();
    let is_expected = match slo.counts {
        // Even the quietest hour of three days would have had so many in this time that none is no chance.
        definition::Counts::Events => sums
            .quietest
            .is_some_and(|events| events * least / 60.0 >= stats::burn::LEAST_EVENTS),
        definition::Counts::Minutes => sums.counted[1].judged > 0.0,
    };
    let last = newest.map_or(now - HOUR, |period| period.at + period.step);
    (is_expected && answered >= least / 2.0).then(|| minutes(now - last))
}
