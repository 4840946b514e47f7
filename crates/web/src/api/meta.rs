//! `GET meta`: the registry from which the pages are rendered; `GET texts`: its explanations, which are
//! more than half of it and are loaded on demand.

use crate::app::App;
use crate::error::ApiError;
use crate::tables::{VIEWS, View};
use crate::wire::Unit;
use crate::wire::meta::{HostMeta, Levels, Meta, MetricMeta, MetricText, Texts};
use schema::{Every, Metric, Timestamp};

/// Returns the explanations of everything in [`Meta`].
#[must_use]
pub fn texts() -> Texts {
    let text = |metric: &Metric| MetricText {
        what: metric.what,
        how: metric.how,
        fix: metric.fix,
    };
    let known = schema::METRICS
        .iter()
        .map(|metric| (metric.id(), text(metric)));
    let age = (crate::judge::HEARTBEAT_AGE.to_owned(), heartbeat_text());
    let columns = |view: &'static View| view.columns.iter().map(|one| (one.id, one.what)).collect();
    Texts {
        now_ms: 0,
        metrics: known.chain([age]).collect(),
        columns: VIEWS
            .iter()
            .map(|view| (view.name, columns(view)))
            .collect(),
    }
}

/// Answers `GET meta`. Without the database the list of hosts is empty.
///
/// # Errors
/// When the answer cannot be serialised, which would be a bug.
pub async fn meta(app: &App) -> Result<Meta, ApiError> {
    let hosts = app.hosts().await.unwrap_or_default();
    Ok(Meta {
        now_ms: 0,
        version: env!("CARGO_PKG_VERSION"),
        interval_secs: app.settings.interval.as_secs_f64(),
        hosts: hosts
            .iter()
            .map(|host| HostMeta {
                id: host.id,
                name: host.name.clone(),
                last_ms: host.newest.map(Timestamp::as_millis),
            })
            .collect(),
        metrics: schema::METRICS
            .iter()
            .map(describe)
            .chain([heartbeat_age()])
            .collect(),
        tables: VIEWS.iter().map(|view| view.meta()).collect(),
    })
}

fn describe(metric: &Metric) -> MetricMeta {
    MetricMeta {
        id: metric.id(),
        label: metric.label,
        unit: metric.unit.into(),
        keyed: metric.key.is_some(),
        every_secs: match metric.every() {
            Every::Tick => 0,
            Every::Slow => schema::SLOW_SECS,
        },
        better: metric.better.as_str(),
        scored: metric.scoring.least().is_some(),
        levels: metric.levels.map(|levels| Levels {
            info: levels.info,
            warn: levels.warn,
            critical: levels.critical,
        }),
    }
}

/// Returns the age of the agent's last heartbeat. It has no series, since it is computed per request.
fn heartbeat_age() -> MetricMeta {
    MetricMeta {
        id: crate::judge::HEARTBEAT_AGE.to_owned(),
        label: "Heartbeat age",
        unit: Unit::Secs,
        keyed: false,
        every_secs: 0,
        better: "lower",
        scored: false,
        levels: Some(Levels {
            info: None,
            warn: Some(crate::judge::SILENT_SECS),
            critical: Some(crate::judge::DEAD_SECS),
        }),
    }
}

fn heartbeat_text() -> MetricText {
    MetricText {
        what: "Time since the collector last proved that it is alive.",
        how: "The server's clock against the newest heartbeat, one each 5 s. Thresholds: six and twelve missed.",
        fix: crate::judge::SILENT_FIX,
    }
}
