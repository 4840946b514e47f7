//! The sites whose visits are counted.

use crate::series::{Instant, ReadError};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use schema::Timestamp;
use tokio_postgres::Client;

/// A site: `collector.web_analytics_sites`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// Its number.
    pub id: i32,
    /// Its domain.
    pub domain: String,
    /// The name of the time zone of its days.
    pub time_zone: String,
    /// When it was first visited; `None`: never.
    pub first: Option<Timestamp>,
}

/// Every site, and when the first of its days that have rows began.
const SITES: &str = "SELECT s.site_id, s.domain, s.time_zone, \
     (SELECT min(d.day)::timestamp AT TIME ZONE s.time_zone FROM collector.web_analytics_settled d \
      WHERE d.site_id = s.site_id) AS first \
     FROM collector.web_analytics_sites s ORDER BY s.domain";

/// Reads all sites, by name.
///
/// # Errors
/// When the statement fails.
pub async fn sites(client: &Client) -> Result<Vec<Site>, ReadError> {
    let fault = |source| ReadError::new("sites", source);
    let rows = client.query(SITES, &[]).await.map_err(fault)?;
    let sites = rows.iter().map(|row| {
        let first: Option<Instant> = row.try_get("first")?;
        Ok(Site {
            id: row.try_get("site_id")?,
            domain: row.try_get("domain")?,
            time_zone: row.try_get("time_zone")?,
            first: first.map(|first| first.0),
        })
    });
    sites.collect::<Result<_, _>>().map_err(fault)
}

impl Site {
    /// Returns the first and last day that a range touches, in the site's zone. A zone that this machine does not know, though the
    /// server does, is taken for UTC: days at the edges may then be one too many.
    #[must_use]
    pub fn days(&self, from: Timestamp, to: Timestamp) -> (Date, Date) {
        let zone = TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC);
        let day = |micros: i64| {
            let at = jiff::Timestamp::from_microsecond(micros).unwrap_or_default();
            at.to_zoned(zone.clone()).date()
        };
        let first = day(from.as_micros());
        (first, day((to.as_micros() - 1).max(from.as_micros())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    #[test]
    fn a_range_is_of_whole_days_of_the_site() {
        let site = |zone: &str| Site {
            id: 1,
            domain: "example.org".to_owned(),
            time_zone: zone.to_owned(),
            first: None,
        };
        let at = |text: &str| {
            let at: jiff::Timestamp = text.parse().unwrap();
            Timestamp(at.as_microsecond())
        };
        let (from, to) = (at("2026-03-28T23:30:00Z"), at("2026-03-29T22:00:00Z"));
        // The day on which clocks go forward begins at 23:00 and ends at 22:00.
        assert_eq!(
            site("Europe/Berlin").days(from, to),
            (date(2026, 3, 29), date(2026, 3, 29))
        );
        assert_eq!(
            site("America/New_York").days(from, to),
            (date(2026, 3, 28), date(2026, 3, 29))
        );
        assert_eq!(
            site("Nowhere/None").days(from, to),
            (date(2026, 3, 28), date(2026, 3, 29))
        );
    }
}
