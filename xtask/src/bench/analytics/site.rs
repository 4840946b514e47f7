//! A site with many visits, generated in SQL, and what they take.

use super::{CLOSE_WITHIN, Figures, Options, PATIENCE};
use crate::bench::{figure, number};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan as _};
use pg::Session;
use testkit::Server;

const DAY: &str = include_str!("day.sql");
const WORDS: &str = include_str!("words.sql");
/// Views of a visit, as `day.sql` makes them.
const VIEWS_PER_VISIT: f64 = 2.58;
const BYTES: &str = r"SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class
    WHERE relnamespace = 'collector'::regnamespace AND relkind = 'r' AND relname ~ '^web_analytics_'";

/// Returns a zone in which it is between ten and eleven in the evening: today has most of its views, whenever this runs.
fn evening(now: Timestamp) -> String {
    let hour = now.as_second().rem_euclid(86_400) / 3600;
    let ahead = (22 - hour + 12).rem_euclid(24) - 12;
    // POSIX counts hours to the west.
    format!("Etc/GMT{:+}", -ahead)
}

/// The site.
pub(super) struct Generated {
    pub(super) server: Server,
    /// The first and last day that is over, and today, all of the site.
    pub(super) days: (Date, Date, Date),
}

impl Generated {
    /// Makes the site and measures what its rows take.
    pub(super) async fn start(options: &Options, out: &mut Figures) -> anyhow::Result<Self> {
        // What the server does of its own would be counted; statistics are made where it would make them.
        let server = Server::builder()
            .setting("autovacuum", "off")
            .setting("shared_buffers", "512MB")
            .setting("max_wal_size", "4GB")
            .start()?;
        testkit::migrate(&server.target()).await?;
        let now = Timestamp::now();
        let zone = evening(now);
        let local = jiff::tz::TimeZone::get(&zone)?.to_datetime(now);
        let today = local.date();
        let first = today.checked_sub(i64::from(options.days).days())?;
        let site = Self {
            server,
            days: (first, today.yesterday()?, today),
        };
        let session = site.session().await?;
        let client = &session.client;
        client
            .batch_execute(&format!(
                "SET timezone = '{zone}'; SELECT collector.web_analytics_register('bench.example', '{zone}', '{{bench.example}}');\
                 SELECT collector.web_analytics_partitions(NULL);\
                 SELECT collector.web_analytics_partitions(d::date) FROM generate_series('{first}'::timestamp - interval '1 day', '{today}'::timestamp + interval '1 day', '1 day') d;\
                 SET bench.site = 1; SELECT setseed(0.13);"
            ))
            .await?;
        client.batch_execute(WORDS).await?;
        let whole_days = f64::from(options.days);
        // Of today, what is over.
        let over = local
            .duration_since(today.to_datetime(jiff::civil::Time::midnight()))
            .as_secs_f64()
            / 86_400.0;
        let visits = options.views as f64 / VIEWS_PER_VISIT / (whole_days + over);
        for day in first.series(1.day()).take_while(|day| *day <= today) {
            let (share, until) = if day == today {
                (over, now.to_string())
            } else {
                (1.0, format!("{}T00:00:00", day.tomorrow()?))
            };
            let visits = (visits * share).max(1.0).round();
            client
                .batch_execute(&format!(
                    "SET bench.day = '{day}'; SET bench.visits = {visits}; SET bench.until = '{until}'; {DAY}"
                ))
                .await?;
        }
        client.batch_execute("VACUUM ANALYZE").await?;
        let views = number(
            &site.server,
            "SELECT count(*) FROM collector.web_analytics_page_views_raw",
        )
        .await?;
        out.add(figure("views of the site", views, "views", None));
        let open = number(&site.server, BYTES).await? / views;
        out.add(figure(
            "bytes a view, all in, as received",
            open,
            "bytes",
            None,
        ));

        let begun = std::time::Instant::now();
        let settled = "SELECT collector.web_analytics_settle(site_id, day) FROM collector.web_analytics_due()";
        while number(
            &site.server,
            "SELECT count(*) FROM collector.web_analytics_due()",
        )
        .await?
            > 0.0
        {
            client.batch_execute(settled).await?;
        }
        let took = begun.elapsed().as_secs_f64() / whole_days;
        out.add(figure("adding up a day", took, "s", None));
        let begun = std::time::Instant::now();
        let packed = format!(
            "SELECT collector.web_analytics_pack('{first}'::date + n) FROM generate_series(0, {}) n",
            options.days
        );
        client.batch_execute(&packed).await?;
        let took = begun.elapsed().as_secs_f64() / whole_days;
        out.add(figure("packing a day", took, "s", None));
        // What the receiver has done by now: the half hours that questions about today read.
        let begun = std::time::Instant::now();
        let begin = "SELECT collector.web_analytics_begin(1, date_bin('30 minutes', latest, midnight)) \
                     FROM (SELECT now() - interval '65 minutes' AS latest UNION ALL SELECT now() - interval '1 day') l \
                     CROSS JOIN LATERAL (SELECT collector.web_analytics_midnight(1, collector.web_analytics_day(1, latest)) AS midnight) m";
        client.batch_execute(begin).await?;
        let took = begun.elapsed().as_secs_f64() / 2.0;
        out.add(figure("adding up the beginning of a day", took, "s", None));
        client.batch_execute("VACUUM ANALYZE").await?;
        let packed = number(&site.server, BYTES).await? / views;
        out.add(figure(
            "bytes a view, all in, days packed",
            packed,
            "bytes",
            Some(260.0),
        ));
        session.close(CLOSE_WITHIN).await;
        Ok(site)
    }

    /// Opens a session as the dashboard's server does.
    pub(super) async fn session(&self) -> anyhow::Result<Session> {
        let options = pg::SessionOptions::for_deadline(PATIENCE);
        let session = pg::connect(&self.server.target(), &options, "bench").await?;
        let settings = "SET jit = off; SET work_mem = '32MB'";
        session.client.batch_execute(settings).await?;
        Ok(session)
    }
}
