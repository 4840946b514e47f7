//! Beginnings of days that are added up: an answer from them is what the rows say, whatever comes, changes or goes.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod visit_support;

use testkit::{Database, Dice};
use visit_support::{View, Visit, lines, random, register, store};

const BEGUN: &str = "SELECT count(*) FROM collector.web_analytics_beginnings";

/// A day of a site.
struct Day {
    database: Database,
    site: i64,
    midnight: String,
}

impl Day {
    async fn new(zone: &str, day: &str) -> Self {
        let database = testkit::migrated().await.unwrap();
        let site = register(&database, "example.org", zone).await;
        let midnight = format!("timestamptz '{day} 00:00 {zone}'");
        Self {
            database,
            site,
            midnight,
        }
    }

    fn at(&self, minutes: u64) -> String {
        format!("{} + interval '{minutes} minutes'", self.midnight)
    }

    async fn begin(&self, minutes: u64) -> bool {
        let begin = format!(
            "SELECT collector.web_analytics_begin({}, {})",
            self.site,
            self.at(minutes)
        );
        lines(&self.database, &begin).await == ["t"]
    }

    async fn begun(&self) -> i64 {
        self.database.number(BEGUN).await.unwrap()
    }

    /// Returns what sums and rows differ in, for the day (of 23 hours at least) until an instant, in all dimensions; and how many figures
    /// there are.
    async fn compare(&self, minutes: u64) -> (Vec<String>, i64) {
        let figures = |function: &str| {
            format!(
                "SELECT dimension, word_id, max(word), max(title), sum(visitors), sum(visits), sum(views), sum(bounces), sum(entries), sum(exits), sum(engaged_ms), \
                 sum(capped_secs), collector.sum_counts(durations), collector.sum_counts(scrolls) FROM collector.web_analytics_{function}({}, {}, {}, \
                 ARRAY(SELECT dimension FROM collector.web_analytics_dimensions)) GROUP BY 1, 2",
                self.site,
                self.midnight,
                self.at(minutes)
            )
        };
        // A curve reads them, too.
        let day = format!(
            "SELECT NULL::smallint, NULL::int8, NULL::text, NULL::text, visitors, visits, views, bounces FROM collector.web_analytics_curve({}, {}, {}, 'day', NULL)",
            self.site,
            self.midnight,
            self.at(minutes)
        );
        let (kept, plain) = (figures("sums"), figures("count"));
        let differ = format!(
            "WITH kept AS ({kept}), plain AS ({plain}) \
             SELECT 'kept', d.* FROM (SELECT * FROM kept EXCEPT SELECT * FROM plain) d \
             UNION ALL SELECT 'plain', d.* FROM (SELECT * FROM plain EXCEPT SELECT * FROM kept) d \
             UNION ALL SELECT 'curve', c.*, 0, 0, 0, 0, NULL, NULL FROM ({day}) c JOIN plain p ON p.dimension = 0 \
             WHERE (c.visitors, c.visits, c.views) IS DISTINCT FROM (p.people, (SELECT sum(visits) FROM collector.web_analytics_count({}, {}, {}, '{{0}}')), \
             (SELECT sum(views) FROM collector.web_analytics_count({}, {}, {}, '{{0}}')))",
            self.site,
            self.midnight,
            self.at(minutes),
            self.site,
            self.midnight,
            self.at(minutes),
        );
        let differ = differ.replace("sum(visitors), ", "sum(visitors) AS people, ");
        let count = format!("SELECT count(*) FROM ({plain}) p");
        (
            lines(&self.database, &differ).await,
            self.database.number(&count).await.unwrap(),
        )
    }

    async fn agrees(&self, dice: &mut Dice, what: &str) {
        for minutes in [1379, dice.below(1380)] {
            let (differ, figures) = self.compare(minutes).await;
            assert!(differ.is_empty(), "{what}, until {minutes}: {differ:#?}");
            assert!(figures > 0 || minutes < 600, "{what}, until {minutes}");
        }
    }
}

/// Whatever was stored when beginnings were added up, and whatever comes, changes and goes since.
#[tokio::test]
async fn a_beginning_is_what_the_rows_say() {
    for (seed, zone, day) in [
        (1, "Europe/Berlin", "2026-10-25"),
        (2, "America/St_Johns", "2026-03-08"),
    ] {
        let day_before = format!("{}{:02}Z", &day[..8], day[8..].parse::<u64>().unwrap() - 1);
        let day = Day::new(zone, day).await;
        let mut dice = Dice::new(seed);
        // Over three days, so that visits go on beyond both midnights; few visitors, so that most come back.
        let mut visits = random(&mut dice, &day_before, 72, 300);
        let mut late = visits.split_off(200);
        store(&day.database, day.site, &visits).await;
        for minutes in [30, 480, 600, 1370] {
            assert!(day.begin(minutes).await, "{zone} {minutes}");
            assert!(!day.begin(minutes).await, "{zone} {minutes}, again");
        }
        day.agrees(&mut dice, zone).await;
        while !late.is_empty() {
            let some = late.split_off(late.len().saturating_sub(50));
            store(&day.database, day.site, &some).await;
            day.agrees(&mut dice, &format!("{zone}, late rows")).await;
            day.begin(dice.below(46) * 30).await;
            day.agrees(&mut dice, &format!("{zone}, added up again"))
                .await;
        }
        for change in [
            "UPDATE collector.web_analytics_sessions_raw SET views = views + 1, engaged_ms = engaged_ms + 70000 WHERE session_id % 5 = 0; \
             UPDATE collector.web_analytics_page_views_raw SET engaged_ms = engaged_ms + 7000 WHERE session_id % 7 = 1",
            "UPDATE collector.web_analytics_sessions_raw SET suspect = true WHERE session_id % 11 = 3",
            "DELETE FROM collector.web_analytics_page_views_raw WHERE visitor_id = 7; DELETE FROM collector.web_analytics_sessions_raw WHERE visitor_id = 8; \
             INSERT INTO collector.web_analytics_events_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, name_id, site_id, kind, suspect, synthetic) \
             SELECT last_seen, ts, session_id, visitor_id, 1, entry, 5, site_id, 0, suspect, synthetic FROM collector.web_analytics_sessions_raw WHERE session_id % 3 = 0",
        ] {
            for minutes in [300, 780, 1200] {
                day.begin(minutes).await;
            }
            day.database.sql(change).await.unwrap();
            day.agrees(&mut dice, &format!("{zone}, {change}")).await;
        }
    }
}

/// What comes after a beginning leaves it, and so does a visitor who stayed; what comes before removes it.
#[tokio::test]
async fn a_beginning_goes_when_its_rows_change() {
    let day = Day::new("UTC", "2026-05-01").await;
    let view = |minute: u64| {
        View::new(
            &format!("2026-05-01 {:02}:{:02}:00Z", minute / 60, minute % 60),
            "/",
        )
    };
    let visits = [
        Visit::new(1, 1, vec![view(540)]),
        // Was there at ten and has gone on.
        Visit::new(2, 2, vec![view(595), view(605)]),
    ];
    store(&day.database, day.site, &visits).await;
    assert!(day.begin(600).await);
    let later = Visit::new(3, 1, vec![view(700)]);
    store(&day.database, day.site, &[later]).await;
    assert_eq!(day.begun().await, 1, "a visitor comes back");
    let longer = Visit::new(2, 2, vec![view(595), view(605), view(610)]);
    day.database.sql(&longer.touch(day.site)).await.unwrap();
    assert_eq!(day.begun().await, 1, "a visit goes on");
    assert!(day.compare(720).await.0.is_empty());
    let mut engaged = Visit::new(1, 1, vec![view(540)]);
    engaged.views[0].engaged_ms = 90_000;
    day.database.sql(&engaged.touch(day.site)).await.unwrap();
    assert_eq!(
        day.begun().await,
        0,
        "a visit that was over is engaged for longer"
    );
    assert!(day.begin(600).await);
    store(&day.database, day.site, &[Visit::new(4, 4, vec![view(30)])]).await;
    assert_eq!(day.begun().await, 0, "a visit came late");
    assert!(day.compare(720).await.0.is_empty());
}

/// Rows that are not committed yet are waited for, or remove the beginning.
#[tokio::test]
async fn a_beginning_waits_for_rows_that_are_being_stored() {
    let day = Day::new("UTC", "2026-05-01").await;
    let visit = |id: i64| Visit::new(id, id, vec![View::new("2026-05-01 09:00:00Z", "/")]);
    store(&day.database, day.site, &[visit(1)]).await;
    let holder = testkit::hold(&day.database.target(), &visit(2).sql(day.site))
        .await
        .unwrap();
    let begin = format!(
        "SELECT collector.web_analytics_begin({}, '2026-05-01 10:00Z')",
        day.site
    );
    let beginning = tokio::spawn({
        let target = day.database.target();
        async move {
            let session = testkit::connect(&target).await.unwrap();
            testkit::texts(&session.client, &begin).await.unwrap()
        }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%analytics_begin%'";
    while day.database.number(waits).await.unwrap() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    holder.client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(beginning.await.unwrap(), ["t"]);
    let visits = "SELECT f.visits FROM collector.web_analytics_beginning_sums s, unnest(s.figures) f WHERE f.dimension = 0";
    assert_eq!(day.database.number(visits).await.unwrap(), 2);
}

/// The open day of a site with many views, and no other; nothing of the last hour.
#[tokio::test]
async fn the_open_day_of_a_busy_site_is_added_up() {
    let database = testkit::migrated().await.unwrap();
    // It is afternoon, or evening.
    let hour = "extract(hour FROM now() AT TIME ZONE 'UTC')::int";
    let zone =
        format!("SELECT CASE WHEN {hour} > 12 THEN 'UTC' ELSE 'Etc/GMT-' || 13 - {hour} END");
    let zone = lines(&database, &zone).await.remove(0);
    for (domain, views) in [("busy.example", 20_000), ("quiet.example", 19_000)] {
        let site = register(&database, domain, &zone).await;
        database
            .sql(&format!(
                "INSERT INTO collector.web_analytics_page_views_raw (ts, session_ts, session_id, visitor_id, view_id, page_id, site_id, engaged_ms, nth, status, scroll_pct, suspect, synthetic) \
                 SELECT m.at, m.at, n, n, n, n % 9, {site}, 0, 1, 200, 0, false, false \
                 FROM generate_series(1, {views}) n, (SELECT collector.web_analytics_midnight({site}, collector.web_analytics_day({site}, now())) AS at) m"
            ))
            .await
            .unwrap();
    }
    let open = "SELECT collector.web_analytics_begin_open()";
    assert_eq!(database.number(open).await.unwrap(), 1);
    assert_eq!(database.number(open).await.unwrap(), 0, "again");
    let state = "SELECT w.domain, b.until BETWEEN now() - interval '96 minutes' AND now() - interval '64 minutes', b.until > b.since \
                 FROM collector.web_analytics_beginnings b JOIN collector.web_analytics_sites w USING (site_id)";
    assert_eq!(lines(&database, state).await, ["busy.example t t"]);
    let expire = "UPDATE collector.web_analytics_beginnings SET since = since - interval '10 days', until = until - interval '10 days'";
    database.sql(expire).await.unwrap();
    assert_eq!(database.number(open).await.unwrap(), 1);
    let kept = "SELECT count(*) FROM collector.web_analytics_beginnings";
    assert_eq!(database.number(kept).await.unwrap(), 1);
}

/// The rows of a visitor are found by an index while a day is young.
#[tokio::test]
async fn a_packed_day_has_no_index_of_visitors() {
    let database = testkit::migrated().await.unwrap();
    let indexes =
        "SELECT count(*) FROM pg_class WHERE relkind = 'i' AND relname LIKE '%\\_visitor'";
    let before = database.number(indexes).await.unwrap();
    let partitions = "SELECT collector.web_analytics_partitions(((now() AT TIME ZONE 'UTC')::date + n)) FROM unnest(ARRAY[-5, 9]) n";
    database.sql(partitions).await.unwrap();
    assert_eq!(database.number(indexes).await.unwrap(), before + 2);
    // As if its time had passed.
    let old = "to_char((now() AT TIME ZONE 'UTC')::date - 5, 'YYYYMMDD')";
    let named = format!(
        "SELECT format('CREATE INDEX %1$I ON collector.%2$I (site_id, visitor_id, ts)', t || {old} || '_visitor', t || {old}) \
         FROM unnest(ARRAY['web_analytics_sessions_raw_', 'web_analytics_page_views_raw_']) t"
    );
    for create in lines(&database, &named).await {
        database.sql(&create).await.unwrap();
    }
    let pack = "SELECT collector.web_analytics_pack((now() AT TIME ZONE 'UTC')::date - 5)";
    assert_eq!(lines(&database, pack).await, ["t"]);
    assert_eq!(lines(&database, pack).await, ["f"]);
    assert_eq!(database.number(indexes).await.unwrap(), before + 2);
}
