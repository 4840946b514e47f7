//! What a collector computes once an hour from what is stored: what is usual, trends, and what will be full.

use anyhow::ensure;
use insight::baselines::{self, Calendar, Disturbed};
use insight::capacity::{CapacityFacts, Outlook};
use insight::live::Intervals;
use jiff::tz::TimeZone;
use schema::Timestamp;
use store::baselines::Computed;

/// Computes and stores it as of an instant.
pub(crate) async fn compute(
    session: &pg::Session,
    host_id: i32,
    at: Timestamp,
    intervals: Intervals,
) -> anyhow::Result<CapacityFacts> {
    let client = &session.client;
    let calendar = Calendar::before(at, &TimeZone::system());
    let known = store::baselines::known(client, host_id).await?;
    let disturbances = store::findings::disturbances(client, host_id, calendar.from()).await?;
    let disturbed = Disturbed::new(disturbances, calendar.until);
    for group in baselines::groups() {
        let (hours, faults) =
            baselines::read(client, host_id, &group, &calendar, intervals.host).await;
        ensure!(faults.is_empty(), "hours cannot be read: {faults:?}");
        let mut computed = Computed::default();
        for one in &hours {
            let key = one.key.clone().unwrap_or_default();
            let domain = one.metric.domain.as_str().to_owned();
            let known = known.get(&(domain, one.metric.name.to_owned(), key));
            baselines::compute(one, &calendar, &disturbed, known.copied(), &mut computed);
        }
        store::baselines::replace(client, host_id, &computed, calendar.until).await?;
    }
    let facts = CapacityFacts::read(client, host_id, at, intervals).await;
    ensure!(
        facts.faults.is_empty(),
        "hours cannot be read: {:?}",
        facts.faults
    );
    let rows: Vec<_> = facts.outlooks.iter().map(Outlook::row).collect();
    store::capacity::replace(client, host_id, &rows, facts.until).await?;
    Ok(facts)
}
