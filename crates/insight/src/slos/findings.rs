//! What is found of objectives.

use super::definition::{Counts, Fault};
use super::facts::DAYS;
use super::{
    ABSENT, BURN, DEFINITION, EVENT, PAIRS, Pair, RULES, SloFacts, Standing, TRICKLE, VIOLATION,
};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::rule::Rule;
use schema::finding::Figures;
use schema::{Finding, Severity, Timestamp, Unit};
use serde_json::json;
use stats::burn::{self, Tally};
use words::{duration, value};

/// Fewest minutes with data of an objective that is reported as missed: a day has quiet and busy hours.
const LEAST_MINUTES: f64 = 24.0 * 60.0;
/// Few events are reported from so many on, where this share of them is bad.
const TRICKLE_EVENTS: f64 = 5.0;
const TRICKLE_SHARE: f64 = 0.5;

/// Evaluates the rules.
pub(super) fn evaluate(facts: &SloFacts, open: &Lifecycle) -> Evaluation {
    let mut found: Vec<Finding> = facts.faults.iter().map(defined).collect();
    for one in &facts.standings {
        let burns = burn(one);
        let trickles = if burns.is_none() { trickle(one) } else { None };
        let all = [burns, trickles, violation(one), event(one), absent(one)];
        found.extend(all.into_iter().flatten());
    }
    Evaluation {
        rules: RULES.iter().collect(),
        absent: unknown(facts, open),
        found,
        ..Evaluation::default()
    }
}

/// Returns the open findings of objectives for which there are no data now.
fn unknown(facts: &SloFacts, open: &Lifecycle) -> Vec<(&'static str, String)> {
    let mut absent = Vec::new();
    for rule in RULES {
        for target in open.targets(rule.id) {
            let standing = facts.standings.iter().find(|one| one.target() == target);
            let is_defined = facts.names.iter().any(|name| {
                let before = target.strip_suffix(name.as_str());
                before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
            });
            let is_unknown = standing.map_or(is_defined, |one| !one.is_known());
            if is_unknown {
                absent.push((rule.id, target.to_owned()));
            }
        }
    }
    absent
}

/// Returns a finding about an objective, with what all have in common.
fn about(rule: &Rule, one: &Standing, severity: Severity, what: &str, message: String) -> Finding {
    let slo = &one.slo;
    let name = if one.key.is_empty() {
        format!("Objective {}", slo.name)
    } else {
        format!("Objective {} of {}", slo.name, one.key)
    };
    // Lists show the message alone.
    let message = format!("{name}: {}", words::within_sentence(&message));
    let mut finding = rule.finding(&one.target(), severity, message);
    finding.domain = slo.metric.domain.as_str();
    finding.title = format!("{name}: {what}");
    finding.metric = Some(slo.metric.id());
    finding.metric_key = (!one.key.is_empty()).then(|| one.key.clone());
    if !slo.metric.fix.is_empty() {
        finding.steps.push(slo.metric.fix.to_owned());
    }
    finding.steps.push(format!(
        "See since when {} is bad in its chart, and what else changed then.",
        slo.metric.label
    ));
    finding.command = Some("pqcrypta slos".to_owned());
    finding.details = Some(
        json!({
            "slo": slo.name,
            "counted": slo.counts.as_str(),
            "target": slo.target,
            "target_pct": slo.target_pct,
            "good_pct": one.month.tally.bad_share().map(|bad| 100.0 * (1.0 - bad)),
            "budget_consumed": one.consumed().map(|share| 100.0 * share),
            "burn_1h": one.hour.tally.burn_rate(slo.tolerated),
            "burn_6h": one.six_hours.tally.burn_rate(slo.tolerated),
            "burn_3d": one.three_days.tally.burn_rate(slo.tolerated),
        })
        .to_string(),
    );
    finding
}

fn percent(share: f64) -> String {
    value(100.0 * share, Unit::Percent)
}

/// Formats a burn rate: `14×`.
fn times(rate: f64) -> String {
    if rate >= 10.0 {
        format!("{rate:.0}")
    } else {
        format!("{rate:.1}")
    }
}

fn burn(one: &Standing) -> Option<Finding> {
    let pair = PAIRS.iter().find(|pair| pair.burns(one))?;
    let (long, short) = pair.windows(one);
    let (share, lately) = (long.tally.bad_share()?, short.tally.bad_share()?);
    let tolerated = one.slo.tolerated;
    let rate = share / tolerated;
    let Pair {
        long,
        short,
        severity,
        ..
    } = *pair;
    let message = format!(
        "{} of {} were bad in the last {long} and {} in the last {short}; {} is tolerated, so the error budget is spent \
         {} times as fast as it may be. {}",
        percent(share),
        one.slo.things(),
        percent(lately),
        value(100.0 * tolerated, Unit::Percent),
        times(rate),
        left(one, rate)
    );
    let mut finding = about(
        &BURN,
        one,
        severity,
        "the error budget is spent too fast",
        message,
    );
    finding.figures = Figures {
        value: Some(100.0 * share),
        current: Some(100.0 * lately),
        threshold: Some(100.0 * burn::limit(tolerated, pair.factor)),
        ..Figures::default()
    };
    finding.since = since(one);
    // A share of days leaves its target by the last of many events: when that began is not known.
    finding.is_gradual = severity == Severity::Warn;
    Some(finding)
}

/// Returns since when something has been bad in each ten minutes of the last hour.
fn since(one: &Standing) -> Option<Timestamp> {
    const PAUSE: i64 = 10 * schema::micros::MINUTE;
    let mut newest_first = one.bad_at.iter().rev();
    let mut since = *newest_first.next()?;
    for at in newest_first {
        if since.as_micros() - at.as_micros() > PAUSE {
            break;
        }
        since = *at;
    }
    Some(since)
}

/// Returns whether all days of the window have data, but for some hours.
fn is_covered(one: &Standing) -> bool {
    one.month.tally.judged >= 0.95 * one.month.minutes
}

/// Describes what is left of the budget, and for how long at a burn rate.
fn left(one: &Standing, rate: f64) -> String {
    let Some(observed) = one.consumed() else {
        return String::new();
    };
    // Of days without data nothing is known; the budget is that of all of them at the rate of events so far.
    let consumed = observed * (one.month.tally.judged / one.month.minutes).min(1.0);
    if consumed >= 1.0 {
        return format!(
            "All of the budget of {DAYS} days is spent, {} of it.",
            percent(consumed)
        );
    }
    let secs = (1.0 - consumed) * one.month.minutes * 60.0 / rate;
    // Lists have the share of the time with data, too.
    let so_far = match is_covered(one) {
        true => String::new(),
        false => format!(
            "{} of the budget of the {} with data is spent. ",
            percent(observed),
            duration(one.month.tally.judged * 60.0)
        ),
    };
    format!(
        "{so_far}{} of the budget of {DAYS} days is left, which lasts {} at this rate.",
        percent(1.0 - consumed),
        duration(secs)
    )
}

fn violation(one: &Standing) -> Option<Finding> {
    let month = &one.month;
    let is_missed = one.is_met() == Some(false) && one.slo.tolerated > 0.0;
    let is_enough = burn::has_events(month) && month.tally.judged >= LEAST_MINUTES;
    if !(is_missed && is_enough) {
        return None;
    }
    let share = month.tally.bad_share()?;
    let span = if is_covered(one) {
        format!("the last {DAYS} days")
    } else {
        format!(
            "the {} with data of the last {DAYS} days",
            duration(month.tally.judged * 60.0)
        )
    };
    let now = one.hour.tally.burn_rate(one.slo.tolerated);
    let now = match now {
        Some(rate) if rate >= 1.0 => {
            format!(
                "and in the last hour {} times as fast as it may be",
                times(rate)
            )
        }
        Some(_) => "and the last hour was within it".to_owned(),
        None => "and of the last hour there are no data".to_owned(),
    };
    let message = format!(
        "{} of {} were good in {span}; the objective is {}. {} of the error budget of that time is spent, {now}",
        good(1.0 - share),
        one.slo.things(),
        good(one.slo.target_pct / 100.0),
        percent(one.consumed()?),
    );
    let mut finding = about(
        &VIOLATION,
        one,
        Severity::Warn,
        "missed, the error budget is spent",
        message,
    );
    finding.figures = Figures {
        value: Some(100.0 * (1.0 - share)),
        threshold: Some(one.slo.target_pct),
        ..Figures::default()
    };
    finding.steps.push(
        "It is met again when the bad time is 30 days old. A target that cannot be held is a row of \
         collector.slo_definitions: change target_value or target_pct, or set enabled to false."
            .to_owned(),
    );
    Some(finding)
}

/// Formats a share near 1 so that it is not rounded up to it.
fn good(share: f64) -> String {
    let percent = 100.0 * share;
    let mut digits = 1;
    while digits < 5 && percent < 100.0 && format!("{percent:.digits$}").starts_with("100") {
        digits += 1;
    }
    let text = format!("{percent:.digits$}");
    let text = match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.'),
        false => &text,
    };
    format!("{text} %")
}

fn trickle(one: &Standing) -> Option<Finding> {
    let window = &one.six_hours;
    let Tally { bad, total, .. } = window.tally;
    let share = window.tally.bad_share()?;
    let is_bad = total >= TRICKLE_EVENTS && share >= TRICKLE_SHARE.max(one.slo.tolerated);
    let is_low = !burn::has_events(&one.hour) && one.slo.tolerated > 0.0;
    if !(is_bad && is_low && one.hour.tally.bad > 0.0 && window.tally.covers_half(window.minutes)) {
        return None;
    }
    let message = format!(
        "{bad:.0} of the {total:.0} {} of the last 6 hours were bad; there are too few to tell how fast the error budget is \
         spent. {}",
        one.slo.things(),
        left(one, share / one.slo.tolerated)
    );
    let mut finding = about(
        &TRICKLE,
        one,
        Severity::Warn,
        "half of its few events are bad",
        message,
    );
    finding.figures = Figures {
        value: Some(100.0 * share),
        threshold: Some(100.0 * TRICKLE_SHARE),
        ..Figures::default()
    };
    Some(finding)
}

fn event(one: &Standing) -> Option<Finding> {
    if one.slo.tolerated > 0.0 {
        return None;
    }
    let span = (*one.bad_at.first()?, *one.bad_at.last()?);
    let Tally { bad, .. } = one.hour.tally;
    let message = match one.slo.counts {
        Counts::Events => format!(
            "{bad:.0} {} of the last hour were bad; none is tolerated",
            one.slo.things()
        ),
        Counts::Minutes => format!(
            "{} was bad in {} of the last hour; {} is tolerated",
            one.slo.metric.label,
            words::counted(one.bad_at.len(), "minute"),
            "none"
        ),
    };
    let mut finding = about(
        &EVENT,
        one,
        Severity::Warn,
        "violated, and it tolerates nothing",
        message,
    );
    finding.figures = Figures {
        threshold: Some(one.slo.target),
        ..Figures::of(bad)
    };
    finding.span = Some(span);
    Some(finding)
}

fn absent(one: &Standing) -> Option<Finding> {
    let minutes = one.absent_minutes?;
    let message = format!(
        "There has been nothing to judge for {}, although there is an answer; that is no success",
        duration(minutes * 60.0)
    );
    let mut finding = about(&ABSENT, one, Severity::Warn, "no data", message);
    finding.steps = vec![
        "Does traffic still arrive? If it does, the source has stopped reporting this metric: see its log and its version."
            .to_owned(),
    ];
    Some(finding)
}

fn defined(fault: &Fault) -> Finding {
    let message = format!(
        "The row {} of collector.slo_definitions is not judged: {}",
        fault.name, fault.reason
    );
    let mut finding = DEFINITION.finding(&fault.name, Severity::Warn, message);
    finding.title = format!("Objective {} cannot be judged as it is defined", fault.name);
    finding.steps = vec![fault.remedy.clone()];
    finding.command = Some("pqcrypta slos".to_owned());
    finding
}
