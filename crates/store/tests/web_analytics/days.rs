//! When a day is added up, what its sums keep, and how its rows are packed.

use crate::visit_support::{View, Visit, register, store};
use crate::{migrated, text};

/// The last days that are over, as a date in SQL.
fn ago(days: i64) -> String {
    format!("((now() AT TIME ZONE 'UTC')::date - {days})")
}

/// Rows that come after a day was added up are added, also when they are stored while that happens.
#[tokio::test]
async fn late_rows_are_added_up_again() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    let at = text(
        &database,
        &format!(
            "SELECT {}::timestamp AT TIME ZONE 'UTC' + interval '10 hours'",
            ago(3)
        ),
    )
    .await;
    let visit = |id: i64| Visit::new(id, id, vec![View::new(&at, "/")]);
    let settle = format!("SELECT collector.web_analytics_settle({site}, {})", ago(3));
    let visits = "SELECT visits FROM collector.web_analytics_days WHERE dimension = 0";
    assert_eq!(text(&database, &settle).await, "f", "nothing came");
    store(&database, site, &[visit(1)]).await;
    assert_eq!(text(&database, &settle).await, "t");
    assert_eq!(text(&database, &settle).await, "f", "nothing came since");
    assert_eq!(database.number(visits).await.unwrap(), 1);
    store(&database, site, &[visit(2)]).await;
    assert_eq!(
        text(&database, "SELECT day FROM collector.web_analytics_due()").await,
        text(&database, &format!("SELECT {}", ago(3))).await
    );
    assert_eq!(text(&database, &settle).await, "t");
    assert_eq!(database.number(visits).await.unwrap(), 2);

    // Rows that are not committed yet are waited for; they are in the sums, or the day is due again.
    let holder = testkit::hold(&database.target(), &visit(3).sql(site))
        .await
        .unwrap();
    let settling = tokio::spawn({
        let (target, settle) = (database.target(), settle.clone());
        async move {
            let session = testkit::connect(&target).await.unwrap();
            testkit::texts(&session.client, &settle).await.unwrap()
        }
    });
    let waits = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%settle%'";
    while database.number(waits).await.unwrap() == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    holder.client.batch_execute("COMMIT").await.unwrap();
    assert_eq!(settling.await.unwrap(), ["t"]);
    assert_eq!(database.number(visits).await.unwrap(), 3);
    assert_eq!(
        database
            .number("SELECT count(*) FROM collector.web_analytics_due()")
            .await
            .unwrap(),
        0
    );
}

#[tokio::test]
async fn a_day_is_added_up_when_it_is_over() {
    let database = migrated().await;
    // It is yesterday in one of them, and tomorrow in another.
    for zone in ["Pacific/Kiritimati", "UTC", "Pacific/Pago_Pago"] {
        let site = register(&database, zone, zone).await;
        let today = text(
            &database,
            &format!("SELECT collector.web_analytics_day({site}, now())"),
        )
        .await;
        let now = text(&database, "SELECT now()").await;
        store(
            &database,
            site,
            &[Visit::new(1, 1, vec![View::new(&now, "/")])],
        )
        .await;
        let settle = format!("SELECT collector.web_analytics_settle({site}, '{today}')");
        assert_eq!(text(&database, &settle).await, "f", "{zone}");
    }
    assert_eq!(
        database
            .number("SELECT count(*) FROM collector.web_analytics_due()")
            .await
            .unwrap(),
        0
    );
    assert_eq!(
        text(
            &database,
            "SELECT collector.web_analytics_settle(4711, '2026-01-01')"
        )
        .await,
        "f"
    );
}

/// A day of which the rows are expired keeps the sums it has.
#[tokio::test]
async fn sums_outlive_their_rows() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    let at = text(
        &database,
        &format!(
            "SELECT {}::timestamp AT TIME ZONE 'UTC' + interval '10 hours'",
            ago(300)
        ),
    )
    .await;
    store(
        &database,
        site,
        &[Visit::new(1, 1, vec![View::new(&at, "/")])],
    )
    .await;
    let settle = format!(
        "SELECT collector.web_analytics_settle({site}, {})",
        ago(300)
    );
    assert_eq!(text(&database, &settle).await, "t");
    database
        .sql("DELETE FROM collector.web_analytics_page_views_raw; DELETE FROM collector.web_analytics_sessions_raw; UPDATE collector.web_analytics_settled SET dirty = true")
        .await
        .unwrap();
    assert_eq!(text(&database, &settle).await, "f");
    assert_eq!(
        text(
            &database,
            "SELECT sum(visits) FROM collector.web_analytics_days WHERE dimension = 0"
        )
        .await,
        "1"
    );
    assert_eq!(
        text(
            &database,
            "SELECT dirty FROM collector.web_analytics_settled"
        )
        .await,
        "f"
    );
}

#[tokio::test]
async fn words_beyond_a_thousand_are_one() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    database
        .sql(&format!(
            "INSERT INTO collector.web_analytics_sessions_raw (ts, session_id, last_seen, visitor_id, source, site_id, engaged_ms, views, events, interactive, suspect, consented, synthetic, channel) \
             SELECT '2026-05-01 10:00Z', n, '2026-05-01 10:00Z', n, collector.word_id('source', 's' || (n % 1200)), {site}, 0, 1, 0, false, false, false, false, 'referral' FROM generate_series(1, 5000) n; \
             SELECT collector.web_analytics_note('{{{site}}}', '{{2026-05-01}}'); SELECT collector.web_analytics_settle({site}, '2026-05-01')"
        ))
        .await
        .unwrap();
    let sums = "SELECT count(*), sum(d.visits), sum(d.visits) FILTER (WHERE w.word = '(other)') FROM collector.web_analytics_days d \
                LEFT JOIN collector.web_analytics_words w USING (site_id, word_id) WHERE d.dimension = 4";
    assert_eq!(text(&database, sums).await, "1001 5000 800");
}

/// Rows that came before their partition move into it, although some of their columns are computed.
#[tokio::test]
async fn rows_move_into_a_partition_that_is_made_later() {
    let database = migrated().await;
    let site = register(&database, "example.org", "UTC").await;
    let visit = Visit::new(1, 1, vec![View::new("2026-05-01 10:00:00Z", "/")]);
    store(&database, site, &[visit]).await;
    let made = "SELECT collector.web_analytics_partitions('2026-05-01')";
    assert_eq!(database.number(made).await.unwrap(), 7);
    assert_eq!(database.number(made).await.unwrap(), 0);
    for table in ["sessions", "page_views"] {
        let moved = format!("SELECT count(*) FROM collector.web_analytics_{table}_raw_20260501");
        assert_eq!(database.number(&moved).await.unwrap(), 1, "{table}");
    }
    // Sums have a partition for each month.
    let months = "SELECT count(*) FROM pg_class WHERE relname IN ('web_analytics_days_20260501', 'web_analytics_hours_20260501')";
    database
        .sql("SELECT collector.web_analytics_partitions('2026-05-20')")
        .await
        .unwrap();
    assert_eq!(database.number(months).await.unwrap(), 2);
    // A day that is over is rewritten once, without the room for updates.
    let fill = "SELECT reloptions::text FROM pg_class WHERE relname = 'web_analytics_page_views_raw_20260501'";
    assert!(text(&database, fill).await.contains("fillfactor=50"));
    let pack = "SELECT collector.web_analytics_pack('2026-05-01')";
    assert_eq!(text(&database, pack).await, "t");
    assert_eq!(text(&database, pack).await, "f");
    assert!(text(&database, fill).await.contains("fillfactor=100"));
    assert_eq!(
        database
            .number("SELECT count(*) FROM collector.web_analytics_page_views_real")
            .await
            .unwrap(),
        1
    );
    let young = "SELECT collector.web_analytics_pack((now() AT TIME ZONE 'UTC')::date - 1)";
    assert_eq!(text(&database, young).await, "f");
}
