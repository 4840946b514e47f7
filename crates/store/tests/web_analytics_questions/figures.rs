//! Figures, curves and periods.

use crate::asking::{NO_FILTER, ZONE, ask, ask_with, plain, plain_views, settle, site};
use crate::visit_support::{lines, register};

#[tokio::test]
async fn figures_are_what_a_plain_query_finds() {
    let (database, _) = site().await;
    for state in ["open", "closed"] {
        let counts = "visits, views, round(bounce_pct * visits / 100), round(capped_mean_secs * visits), capped";
        let wanted = plain(
            "count(*), sum(s.views), sum(s.bounce::int), sum(least(s.duration_secs, 14400)), count(*) FILTER (WHERE s.duration_secs >= 14400)",
            "true",
            "",
        );
        assert_eq!(
            ask(&database, "summary", counts, NO_FILTER).await,
            lines(&database, &wanted).await,
            "{state}"
        );
        for (name, column, key) in [
            ("sources", "source", "coalesce(f.word, '')"),
            ("countries", "country", "s.country"),
            ("devices", "device", "s.device"),
            ("languages", "language", "s.language"),
            ("isps", "asn", "s.asn::text"),
            ("channels", "channel", "s.channel"),
            (
                "browsers",
                "browser || '/' || os",
                "s.browser || '/' || s.os",
            ),
        ] {
            let columns = format!(
                "{column} AS a, visits, views, round(bounce_pct * visits / 100) FROM answer ORDER BY 1 --"
            );
            let wanted = plain(
                &format!("{key}, count(*), sum(s.views), sum(s.bounce::int)"),
                "true",
                "GROUP BY 1 ORDER BY 1",
            );
            assert_eq!(
                ask(&database, name, &columns, NO_FILTER).await,
                lines(&database, &wanted).await,
                "{name} {state}"
            );
            let whole = ask(
                &database,
                name,
                "round(sum(share_pct)) FROM answer --",
                NO_FILTER,
            )
            .await;
            assert_eq!(whole, ["100"], "{name} {state}");
        }
        let pages = ask(
            &database,
            "pages",
            "page, views, title FROM answer ORDER BY 1 --",
            NO_FILTER,
        )
        .await;
        assert_eq!(
            pages,
            lines(
                &database,
                &plain_views("w.word, count(*), w.title", "GROUP BY 1, 3 ORDER BY 1")
            )
            .await,
            "{state}"
        );
        let entries = ask(
            &database,
            "entries",
            "sum(entries), round(sum(share_pct)) FROM answer --",
            NO_FILTER,
        )
        .await;
        assert_eq!(
            entries,
            lines(&database, &plain("count(*), 100", "true", "")).await,
            "{state}"
        );
        let exits = ask(
            &database,
            "exits",
            "sum(exits), round(sum(share_pct)) FROM answer --",
            NO_FILTER,
        )
        .await;
        assert_eq!(exits, entries, "{state}");
        let missing = ask(
            &database,
            "missing",
            "page, count FROM answer ORDER BY 1 --",
            NO_FILTER,
        )
        .await;
        assert_eq!(
            missing,
            lines(
                &database,
                &plain_views(
                    "w.word, count(*)",
                    "AND v.status = 404 GROUP BY 1 ORDER BY 1"
                )
            )
            .await,
            "{state}"
        );
        let scroll = ask(&database, "scroll", "page, views, round((mean_pct * views)::numeric), round((reached_75_pct * views / 100)::numeric) FROM answer ORDER BY 1 --", NO_FILTER).await;
        let wanted = plain_views(
            "w.word, count(*), sum(v.scroll_pct), count(*) FILTER (WHERE v.scroll_pct >= 75)",
            "AND v.scroll_pct > 0 GROUP BY 1 ORDER BY 1",
        );
        assert_eq!(scroll, lines(&database, &wanted).await, "{state}");
        let engaged = ask(
            &database,
            "engaged",
            "page, views, round((engaged_pct * views / 100)::numeric) FROM answer ORDER BY 1 --",
            NO_FILTER,
        )
        .await;
        // A second less or more belongs to the same bucket as ten.
        assert_eq!(
            engaged.len(),
            lines(
                &database,
                &plain_views("w.word", "GROUP BY 1 HAVING count(*) >= 10")
            )
            .await
            .len(),
            "{state}"
        );
        let consent = ask(
            &database,
            "consent",
            "consented, visits, anonymous",
            NO_FILTER,
        )
        .await;
        assert_eq!(
            consent,
            lines(
                &database,
                &plain("sum(s.consented::int), count(*), 7", "true", "")
            )
            .await,
            "{state}"
        );
        let events = ask(&database, "events", "event, count", NO_FILTER).await;
        assert_eq!(
            events,
            lines(
                &database,
                &plain("'signup', count(*)", "s.session_id % 5 = 0", "")
            )
            .await,
            "{state}"
        );
        settle(&database).await;
    }
}

/// Quantiles come from histograms: within a tenth, plus what lies between two visits.
#[tokio::test]
async fn medians_are_close_to_those_of_the_rows() {
    let (database, _) = site().await;
    for state in ["open", "closed"] {
        let found = ask(&database, "summary", "median_secs, p95_secs", NO_FILTER).await;
        let wanted = plain(
            "percentile_disc(0.5) WITHIN GROUP (ORDER BY s.capped_secs), percentile_disc(0.95) WITHIN GROUP (ORDER BY s.capped_secs)",
            "true",
            "",
        );
        let wanted = lines(&database, &wanted).await;
        for (found, wanted) in found[0].split(' ').zip(wanted[0].split(' ')) {
            let (found, wanted): (f64, f64) = (found.parse().unwrap(), wanted.parse().unwrap());
            assert!(
                (found / wanted - 1.0).abs() < 0.1,
                "{state}: {found} {wanted}"
            );
        }
        settle(&database).await;
    }
}

#[tokio::test]
async fn the_days_of_a_curve_are_those_of_the_site() {
    let (database, _) = site().await;
    for state in ["open", "closed"] {
        let hours = ask_with(
            &database,
            "curve",
            "count(*), count(DISTINCT bucket), sum(visits), sum(anonymous) FROM answer --",
            ("none", NO_FILTER),
            Some("'hour'"),
        )
        .await;
        assert_eq!(
            hours,
            lines(&database, &plain("73, 73, count(*), 7", "true", "")).await,
            "{state}: a day of 25 hours"
        );
        let days = ask_with(
            &database,
            "curve",
            "bucket, visitors, visits, views",
            ("none", NO_FILTER),
            None,
        )
        .await;
        let wanted = plain(
            "date_trunc('day', s.ts, 'Europe/Berlin'), count(DISTINCT s.visitor_id), count(*), sum(s.views)",
            "true",
            "GROUP BY 1 ORDER BY 1",
        );
        assert_eq!(days, lines(&database, &wanted).await, "{state}");
        settle(&database).await;
    }
}

#[tokio::test]
async fn a_period_is_compared_with_the_one_before() {
    let (database, _) = site().await;
    for state in ["open", "closed"] {
        let both = ask_with(
            &database,
            "summary",
            "compared, visits",
            ("previous", NO_FILTER),
            None,
        )
        .await;
        let before = format!(
            "SELECT count(*) FROM collector.web_analytics_sessions_real s WHERE (s.ts AT TIME ZONE '{ZONE}')::date BETWEEN '2026-10-20' AND '2026-10-22'"
        );
        let before = database.number(&before).await.unwrap();
        assert_eq!(both[1], format!("t {before}"), "{state}");
        let countries = ask_with(
            &database,
            "countries",
            "sum(compared_visits) FROM answer --",
            ("previous", NO_FILTER),
            None,
        )
        .await;
        assert_eq!(countries, [before.to_string()], "{state}");
        let days = ask_with(
            &database,
            "curve",
            "sum(compared_visits), count(compared_bucket) FROM answer --",
            ("previous", NO_FILTER),
            None,
        )
        .await;
        assert_eq!(days, [format!("{before} 3")], "{state}");
        let year = ask_with(&database, "summary", "visits", ("year", NO_FILTER), None).await;
        assert_eq!(year[1], "0", "{state}");
        settle(&database).await;
    }
}

/// What is not over is compared up to the same time of the day.
#[tokio::test]
async fn an_open_day_is_compared_up_to_now() {
    let database = testkit::migrated().await.unwrap();
    let site = register(&database, "example.org", ZONE).await;
    let span = format!(
        "SELECT s.until <= now(), (s.until AT TIME ZONE '{ZONE}') - (s.compared_until AT TIME ZONE '{ZONE}'), (s.since AT TIME ZONE '{ZONE}') - (s.compared_since AT TIME ZONE '{ZONE}') \
         FROM (SELECT collector.web_analytics_day({site}, now()) AS today) d, collector.web_analytics_span({site}, d.today - 1, d.today, 'previous') s"
    );
    assert_eq!(lines(&database, &span).await, ["t 2 days 2 days"]);
}

/// A day that is over and whose rows are gone is cut by its sums: an open day is compared with the year before, whose views are not kept.
#[tokio::test]
async fn a_part_of_an_expired_day_is_a_part_of_its_sums() {
    let (database, site) = site().await;
    settle(&database).await;
    let (midnight, noon, next) = (
        "2026-10-24 00:00 Europe/Berlin",
        "2026-10-24 12:00 Europe/Berlin",
        "2026-10-25 00:00 Europe/Berlin",
    );
    let views = async |from: &str, to: &str| {
        let sql = format!(
            "SELECT coalesce(sum(views), 0)::int8 FROM collector.web_analytics_sums({site}, '{from}', '{to}', '{{1}}')"
        );
        database.number(&sql).await.unwrap()
    };
    let hours = async |from: &str, to: &str| {
        let sql = format!(
            "SELECT coalesce(sum(views), 0)::int8 FROM collector.web_analytics_curve({site}, '{from}', '{to}', 'hour', NULL)"
        );
        database.number(&sql).await.unwrap()
    };
    let (whole, by_hour) = (views(midnight, next).await, hours(midnight, noon).await);
    assert!(views(midnight, noon).await > 0 && by_hour > 0);
    let expire = "DELETE FROM collector.web_analytics_page_views_raw; \
                  UPDATE collector.web_analytics_sites SET raw_days = 1";
    database.sql(expire).await.unwrap();
    let (morning, rest) = (views(midnight, noon).await, views(noon, next).await);
    assert!(morning > 0 && morning < whole, "{morning} of {whole}");
    // Each of five pages is rounded.
    assert!(
        (morning + rest - whole).abs() <= 5,
        "{morning} + {rest} of {whole}"
    );
    assert_eq!(hours(midnight, noon).await, by_hour);
    let days = format!(
        "SELECT sum(views)::int8 FROM collector.web_analytics_curve({site}, '{midnight}', '{noon}', 'day', NULL)"
    );
    assert!(database.number(&days).await.unwrap() > 0);
}
