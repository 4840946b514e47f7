//! How objectives stand.

use schema::Severity;
use store::series::ReadError;
use store::slos::{self, Latest, WINDOW_MINUTES};

use super::{Col, Line, Lines, Reading, Source, View};
use crate::wire::{Cell, Unit};
use words::round;

const COLUMNS: &[Col] = &[
    Col::new("slo_name", "Objective", Unit::Text, "Its name in collector.slo_definitions.").primary(),
    Col::new("metric_key", "Of", Unit::Text, "The target or server that it is about.").primary(),
    Col::new("status", "Status", Unit::Text, "Met, missed, or no data: absent is no success.").primary(),
    Col::new("target", "Target", Unit::Text, "What is good, and the share that has to be.").primary(),
    Col::new("actual", "Actual", Unit::Text, "The ratio of events, or the mean of the judged minutes, over 30 days."),
    Col::new("good_pct", "Good", Unit::Percent, "Good events or minutes of 30 days as a share of all.").primary(),
    Col::new(
        "budget_consumed",
        "Budget spent",
        Unit::Percent,
        "Bad events or minutes as a share of those that the objective tolerates in the time with data; none where it tolerates \
         nothing.",
    )
    .primary(),
    Col::new(
        "budget_of_window",
        "Of 30 days",
        Unit::Percent,
        "The same as a share of the budget of 30 days, as in alerts: with data of a day, a whole day's budget is a thirtieth.",
    ),
    Col::new("burn_1h", "Burn 1 h", Unit::Ratio, "How fast the budget was spent in the last hour; 1 spends it exactly in 30 days.").primary(),
    Col::new("burn_6h", "Burn 6 h", Unit::Ratio, "The same of six hours."),
    Col::new("burn_3d", "Burn 3 d", Unit::Ratio, "The same of three days."),
    Col::new("violations", "Bad", Unit::Count, "Bad events, or minutes."),
    Col::new("total_periods", "All", Unit::Count, "Events, or minutes with data."),
    Col::new("counted", "Counted", Unit::Text, "Events, or minutes that are judged by the mean of the metric."),
    Col::new("covered_pct", "With data", Unit::Percent, "Part of the 30 days for which there are data."),
    Col::new("metric", "Metric", Unit::Text, "The metric that it reads."),
    Col::new("description", "Description", Unit::Text, "What it is for."),
];

pub(super) const VIEW: View = View {
    name: "slos",
    title: "Objectives",
    columns: COLUMNS,
    filters: &[],
    default_sort: "slo_name",
    ranged: false,
    empty: "No objective is defined: collector.slo_definitions has no enabled row.",
    families: &[],
    source: Source::Current(|reading| Box::pin(read(reading))),
};

async fn read(reading: &Reading<'_>) -> Result<Lines, ReadError> {
    let found = slos::latest(reading.client, reading.host.id, reading.at).await?;
    Ok(Lines {
        at: found.iter().filter_map(|one| one.at).max(),
        lines: found.iter().map(line).collect(),
        ..Lines::default()
    })
}

fn line(one: &Latest) -> Line {
    let metric = schema::metric(&id(one));
    let value = |value: f64| match metric {
        Some(metric) => words::value(value, metric.unit),
        None => words::value(value, schema::Unit::None),
    };
    let rounded = |value: Option<f64>| Cell::of(value, |value| Cell::Float(round(value)));
    let status = match one.met {
        Some(true) => "met",
        Some(false) => "missed",
        None => "no data",
    };
    let sign = if one.comparison == "gte" {
        "≥"
    } else {
        "≤"
    };
    let target = format!("{sign} {}, {} %", value(one.target_value), one.target_pct);
    let cells = vec![
        Cell::Text(one.slo_name.clone()),
        Cell::text((!one.metric_key.is_empty()).then(|| one.metric_key.clone())),
        Cell::Text(status.to_owned()),
        Cell::Text(target),
        Cell::text(one.actual.map(value)),
        // Not rounded: 99.96 of 99.99 percent is another matter than 100.
        Cell::of(one.good_pct, Cell::Float),
        rounded(one.budget_consumed),
        rounded(one.spent_of_window()),
        rounded(one.burn[0]),
        rounded(one.burn[1]),
        rounded(one.burn[2]),
        Cell::of(one.violations, Cell::Int),
        Cell::of(one.total_periods, Cell::Int),
        Cell::text(one.counted.clone()),
        rounded(
            one.covered_minutes
                .map(|minutes| (100.0 * minutes / WINDOW_MINUTES).min(100.0)),
        ),
        Cell::Text(id(one)),
        Cell::Text(one.description.clone()),
    ];
    let name = match one.metric_key.as_str() {
        "" => one.slo_name.clone(),
        key => format!("{key}.{}", one.slo_name),
    };
    let mut line = Line::new(name, cells, COLUMNS);
    let own = match one.met {
        Some(true) => Severity::Ok,
        Some(false) => Severity::Warn,
        None => Severity::Unknown,
    };
    // Status.
    line.severities[2] = Some(one.severity.map_or(own, |severity| severity.max(own)));
    line
}

/// Returns the identifier of its metric.
fn id(one: &Latest) -> String {
    if one.metric.contains('.') {
        one.metric.clone()
    } else {
        format!("{}.{}", one.domain, one.metric)
    }
}
