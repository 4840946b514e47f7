//! A host of the generated month, stored as a collector stores it.

use super::{CLOSE_WITHIN, PATIENCE};
use crate::bench::number;
use crate::delivery::{DAILY_DAYS, Delivery, HOURLY_DAYS, now};
use anyhow::Context;
use schema::Timestamp;
use schema::micros::{DAY, HOUR};
use store::rollup;
use store::writer::Host;
use tempfile::TempDir;
use testkit::Server;
use testkit::month::{Month, Plan, Size, Tick};

/// A server with the rows of a host of some size.
pub(super) struct Stored {
    pub(super) server: Server,
    pub(super) dir: TempDir,
    /// Name of the size.
    pub(super) name: String,
    /// Midnight of the first day, and of the last one that is over.
    pub(super) begin: i64,
    pub(super) last_day: i64,
    pub(super) ticks: f64,
}

impl Stored {
    /// Stores a host of so many times the usual size, of so many days and what is over of today; or of so many hours before today and the
    /// last one.
    pub(super) async fn start(times: usize, days: u32, hours: Option<u32>) -> anyhow::Result<Self> {
        let size = Size {
            processes: Size::USUAL.processes * times,
            tables: Size::USUAL.tables * times,
            statements: Size::USUAL.statements * times,
            logs: Size::USUAL.logs,
        };
        // What the server does of its own would be counted; statistics are made where it would make them.
        let server = Server::builder()
            .setting("autovacuum", "off")
            .setting("shared_buffers", "128MB")
            .setting("max_wal_size", "4GB")
            .start()?;
        testkit::migrate(&server.target()).await?;
        let today = now().as_micros().div_euclid(DAY) * DAY;
        let days = hours.map_or(days, |_| 1);
        let before = hours.map_or(i64::from(days) * DAY, |hours| i64::from(hours) * HOUR);
        let begin = today - before;
        let plan = Plan {
            begin: Timestamp(begin),
            ..Plan::healthy(11, days + 1, size)
        };
        let mut stored = Self {
            server,
            dir: TempDir::new()?,
            name: format!(
                "{} processes, {} tables, {} statements",
                size.processes, size.tables, size.statements
            ),
            begin,
            last_day: today - DAY,
            ticks: 0.0,
        };
        let until = now();
        let begun = hours.map_or(today, |_| until.as_micros() - HOUR);
        let month = Month::new(&plan).take_while(|tick| tick.ts < until);
        let month = month.filter(|tick| {
            let at = tick.ts.as_micros();
            at < today || at >= begun
        });
        stored.ticks = stored.store(month).await?;
        stored.vacuum().await?;
        Ok(stored)
    }

    /// Stores ticks as a collector does. Returns how many there were.
    async fn store(&self, ticks: impl Iterator<Item = Tick>) -> anyhow::Result<f64> {
        let host = Host {
            machine_id: "bench".to_owned(),
            hostname: "bench".to_owned(),
            ..Host::default()
        };
        let begin = Timestamp(self.begin);
        let folder = self.dir.path();
        let mut delivery =
            Delivery::start(folder, self.server.target(), host, begin, "{}".to_owned())?;
        let mut count = 0.0;
        for tick in ticks {
            count += 1.0;
            delivery.add(tick.ts, tick.rows).await?;
        }
        delivery.end().await?;
        Ok(count)
    }

    /// Does what the server's own autovacuum would do.
    pub(super) async fn vacuum(&self) -> anyhow::Result<()> {
        let session = self.session().await?;
        session.client.batch_execute("VACUUM ANALYZE").await?;
        session.close(CLOSE_WITHIN).await;
        Ok(())
    }

    /// Opens a session as the collector's job does.
    pub(super) async fn session(&self) -> anyhow::Result<pg::Session> {
        let options = pg::SessionOptions::for_deadline(PATIENCE);
        Ok(pg::connect(&self.server.target(), &options, "bench").await?)
    }

    /// Returns the size of the tables that a condition on `pg_class` chooses.
    pub(super) async fn bytes(&self, tables: &str) -> anyhow::Result<f64> {
        let sql = format!(
            "SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class \
             WHERE relnamespace = 'collector'::regnamespace AND relkind = 'r' AND {tables}"
        );
        number(&self.server, &sql).await
    }

    /// Makes the hours and days that a host has after a year: copies of the last complete day.
    pub(super) async fn copy_history(&self) -> anyhow::Result<()> {
        let at = |micros: i64| format!("('epoch'::timestamptz + {micros} * interval '1 us')");
        let (from, to) = (at(self.last_day), at(self.last_day + DAY));
        let mut sql = format!(
            "SELECT collector.ensure_partition('metric_days', d::date) \
             FROM generate_series({to} - interval '{DAILY_DAYS} days', {to}, interval '1 day') d;\
             SELECT collector.ensure_partition('metric_hours', d::date) \
             FROM generate_series({to} - interval '{HOURLY_DAYS} days', {to}, interval '1 day') d;"
        );
        for (table, grain, days) in [
            ("metric_hours", "hour", HOURLY_DAYS),
            ("metric_days", "day", DAILY_DAYS),
        ] {
            // The first days have rows of their own.
            let own = (self.last_day - self.begin) / DAY + 1;
            let copies = format!(
                "generate_series({own}, {days} - 2) n WHERE bucket >= {from} AND bucket < {to}"
            );
            let earlier = "bucket - n * interval '24 hours'";
            sql += &format!(
                "INSERT INTO collector.{table} SELECT {earlier}, host_id, layout, key, stats FROM collector.{table}, {copies};\
                 INSERT INTO collector.rollups (host_id, grain, bucket, version, ticks, has_sums) \
                 SELECT host_id, grain, {earlier}, version, ticks, true FROM collector.rollups, {copies} AND grain = '{grain}';"
            );
        }
        for sums in ["statement", "endpoint", "io"] {
            // The columns that follow the bucket, of days with their grain.
            let columns = async |table: &str| -> anyhow::Result<String> {
                let columns = format!(
                    "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'collector.{sums}_{table}'::regclass \
                     AND attnum > 1"
                );
                let rows = self.server.sql(&columns).await?;
                let columns = rows.into_iter().flatten().flatten().next();
                columns.with_context(|| format!("no columns of {sums}_{table}"))
            };
            for (table, days) in [("hours", HOURLY_DAYS), ("days", DAILY_DAYS)] {
                let columns = columns(table).await?;
                let own = (self.last_day - self.begin) / DAY + 1;
                sql += &format!(
                    "SELECT collector.ensure_partition('{sums}_{table}', d::date) \
                     FROM generate_series({to} - interval '{days} days', {to}, interval '1 day') d; \
                     INSERT INTO collector.{sums}_{table} (bucket, {columns}) SELECT bucket - n * interval '24 hours', {columns} \
                     FROM collector.{sums}_{table}, generate_series({own}, {days} - 2) n WHERE bucket >= {from} AND bucket < {to};"
                );
            }
        }
        let session = self.session().await?;
        session.client.batch_execute(&sql).await?;
        // The months of these days.
        rollup::run(&session.client, PATIENCE).await?;
        // Each of these days would have been put in order when it was over.
        let order = format!(
            "SELECT collector.order_hours(d::date) \
             FROM generate_series({to} - interval '{HOURLY_DAYS} days', {from}, interval '1 day') d"
        );
        session.client.batch_execute(&order).await?;
        session.close(CLOSE_WITHIN).await;
        self.vacuum().await
    }
}
