//! Findings follow from the history of their transitions, in whatever order and however often it arrives.
#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod common;
#[expect(unreachable_pub, reason = "the support module is private to this test")]
#[path = "transition_support/model.rs"]
mod model;

use common::{base, database, number, rows, start, ts};
use model::{KEYS, Lines, Teller, Told, apply, insert};
use schema::{Row, Sample, Timestamp};
use store::findings::{self, OpenFinding};
use tempfile::TempDir;
use testkit::{Database, Dice};
use tokio_postgres::Client;

/// Has the server count the calls of functions in a session.
const COUNT_CALLS: &str = "SET track_functions = 'pl'";
/// The seeds of each model test; `cargo nextest run` runs it in some seconds.
const SEEDS: u64 = 30;

async fn with_partitions() -> Database {
    let database = database().await;
    let make = "INSERT INTO collector.hosts (host_id, machine_id, hostname) OVERRIDING SYSTEM VALUE VALUES (1, 'machine-1', 'host'); \
                SELECT collector.ensure_partition('finding_transitions_raw', NULL); \
                SELECT collector.ensure_partition('finding_transitions_raw', now()::date)";
    database.sql(make).await.unwrap();
    database
}

/// How a history is stored: in batches of random size, of which one part in so many is out of order, comes twice, or is
/// followed once more.
#[derive(Clone, Copy, Debug)]
struct Disorder {
    /// Whether rows of one instant come together, as those of a record of the queue.
    by_instant: bool,
    most: usize,
    misplaced: u64,
    repeated: u64,
    again: u64,
}

/// Mostly in order, as from a queue; at times from anywhere, as live rows beside those that waited.
const MIXED: Disorder = Disorder {
    by_instant: false,
    most: 7,
    misplaced: 3,
    repeated: 9,
    again: 3,
};
/// A queue that is delivered, with a late record now and then.
const IN_ORDER: Disorder = Disorder {
    by_instant: true,
    most: 2,
    misplaced: 20,
    repeated: 40,
    again: 20,
};

/// Returns the rows in batches.
fn shuffled(told: &[Told], dice: &mut Dice, disorder: Disorder) -> Vec<Vec<Told>> {
    let is_one = |a: &Told, b: &Told| disorder.by_instant && a.0 == b.0;
    let mut rest: Vec<&[Told]> = told.chunk_by(is_one).collect();
    let mut batches = Vec::new();
    while !rest.is_empty() {
        let mut batch = Vec::new();
        for _ in 0..=dice.index(disorder.most) {
            if !rest.is_empty() {
                let at = if dice.one_in(disorder.misplaced) {
                    dice.index(rest.len())
                } else {
                    0
                };
                let part = rest.remove(at);
                if dice.one_in(disorder.repeated) {
                    batch.extend_from_slice(part);
                }
                batch.extend_from_slice(part);
            }
        }
        batches.push(batch);
    }
    batches
}

/// Stores rows in one transaction and makes the findings follow `also` too. Returns of how many rules and targets the
/// history was read.
async fn store(client: &Client, rows: &[Told], also: &str) -> u64 {
    // A session keeps what it counted in earlier transactions for a while.
    let counted = async || -> u64 {
        let sql = "SELECT coalesce(sum(calls), 0)::text FROM pg_stat_xact_user_functions WHERE funcname = 'follow_history'";
        testkit::texts(client, sql).await.unwrap()[0]
            .parse()
            .unwrap()
    };
    client.batch_execute("BEGIN").await.unwrap();
    let before = counted().await;
    let sql = format!("{}{}{also}", insert(rows), apply(rows));
    client.batch_execute(&sql).await.unwrap();
    let read = counted().await - before;
    client.batch_execute("COMMIT").await.unwrap();
    read
}

/// Stores random histories batch by batch, and compares with the model after each. Returns how many batches were
/// followed with reading history, and how many without.
async fn follow(is_wild: bool, disorder: Disorder) -> (u32, u32) {
    let database = with_partitions().await;
    let session = database.connect().await.unwrap();
    let client = &session.client;
    client.batch_execute(COUNT_CALLS).await.unwrap();
    let (mut by_history, mut by_finding) = (0, 0);
    for seed in 0..SEEDS {
        let clear = "TRUNCATE collector.findings, collector.finding_transitions_raw";
        client.batch_execute(clear).await.unwrap();
        let mut dice = Dice::new(seed);
        let told = Teller::new(seed, ts(0), is_wild).tell(12 + dice.index(30));
        let mut stored: Vec<Told> = Vec::new();
        for batch in shuffled(&told, &mut dice, disorder) {
            stored.extend(batch.iter().cloned());
            let again = if dice.one_in(disorder.again) {
                apply(&stored)
            } else {
                String::new()
            };
            match store(client, &batch, &again).await {
                0 => by_finding += 1,
                _ => by_history += 1,
            }
            assert_eq!(
                Lines::read(client).await,
                Lines::of(&stored),
                "seed {seed} of {told:#?}"
            );
        }
        if !is_wild {
            Lines::read(client).await.check_pairs(&told);
        }
    }
    (by_history, by_finding)
}

/// What a collector writes in order, tick by tick, never reads history.
#[tokio::test]
async fn newer_transitions_are_followed_without_history() {
    let database = with_partitions().await;
    let session = database.connect().await.unwrap();
    let client = &session.client;
    client.batch_execute(COUNT_CALLS).await.unwrap();
    let opened = Teller::new(11, ts(0), false).tell(1).remove(0);
    let at = |tick: i64, life: i64, transition: &str| {
        let mut row = opened.1.clone();
        row.transition = transition.to_owned();
        row.title = format!("Row {tick}");
        row.opened_at = ts(life);
        row.seen_at = ts(tick);
        row.occurrences = tick - life + 1;
        row.confirmed_at = (transition != "opened").then(|| ts(life + 1));
        row.resolved_at = (transition == "resolved").then(|| ts(tick));
        (ts(tick), row)
    };
    let lives = [1, 10, 20].into_iter().flat_map(|life| {
        [
            at(life, life, "opened"),
            at(life + 1, life, "confirmed"),
            at(life + 2, life, "worse"),
            at(life + 3, life, "unknown"),
            at(life + 4, life, "refreshed"),
            at(life + 5, life, "resolved"),
        ]
    });
    let mut stored = Vec::new();
    for told in lives {
        stored.push(told);
        let newest = &stored[stored.len() - 1..];
        assert_eq!(store(client, newest, "").await, 0, "{newest:?}");
        assert_eq!(Lines::read(client).await, Lines::of(&stored));
    }
    // Several at once continue a life, too.
    let batch = [
        at(30, 30, "opened"),
        at(31, 30, "confirmed"),
        at(32, 30, "resolved"),
    ];
    for part in [&batch[..1], &batch[1..]] {
        stored.extend_from_slice(part);
        assert_eq!(store(client, part, "").await, 0, "{part:?}");
        assert_eq!(Lines::read(client).await, Lines::of(&stored));
    }
    // What is late is not.
    let late = [at(25, 20, "better")];
    stored.extend_from_slice(&late);
    assert_eq!(store(client, &late, "").await, 1);
    assert_eq!(Lines::read(client).await, Lines::of(&stored));
}

#[tokio::test]
async fn findings_follow_from_any_order_of_any_batches() {
    follow(false, MIXED).await;
}

#[tokio::test]
async fn what_no_collector_writes_has_one_meaning_too() {
    follow(true, MIXED).await;
}

/// With and without reading history, the same follows.
#[tokio::test]
async fn both_ways_to_follow_lead_to_the_same_findings() {
    for is_wild in [false, true] {
        let (by_history, by_finding) = follow(is_wild, IN_ORDER).await;
        let least = (by_history + by_finding) / 10;
        assert!(
            by_history > least && by_finding > least,
            "{by_history} batches by history, {by_finding} without"
        );
    }
}

/// Returns the transitions as rows of the queue, by instant.
fn ticks(told: &[Told]) -> Vec<(Timestamp, Vec<Row>)> {
    let mut ticks: Vec<(Timestamp, Vec<Row>)> = Vec::new();
    for (ts, row) in told {
        let row = row.clone().into_row(*ts);
        match ticks.last_mut() {
            Some((last, rows)) if last == ts => rows.push(row),
            _ => ticks.push((*ts, vec![row])),
        }
    }
    ticks
}

/// Transitions by the queue and the writer, which dies again and again: history and findings agree at the end.
#[tokio::test]
async fn a_writer_that_dies_anywhere_stores_both_or_neither() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let told = Teller::new(7, ts(0), false).tell(60);
    let mut ticks = ticks(&told).into_iter();
    for life in 0..20_u64 {
        let running = start(dir.path(), database.target());
        for (ts, rows) in ticks.by_ref().take(3) {
            running.queue.append(ts, rows).await.unwrap();
            tokio::time::sleep(std::time::Duration::from_millis(life * 3 % 17)).await;
        }
        running.kill().await;
    }
    let running = start(dir.path(), database.target());
    for (ts, rows) in ticks {
        running.queue.append(ts, rows).await.unwrap();
    }
    running.drained().await;
    assert_eq!(Lines::stored(&database).await, Lines::of(&told));
    Lines::stored(&database).await.check_pairs(&told);
    running.stop().await;
}

/// An outage of a day: live transitions arrive before those that waited, and end in the same findings.
#[tokio::test]
async fn a_backlog_beside_live_transitions_ends_in_the_same_findings() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let mut teller = Teller::new(8, Timestamp(base() - 20_000_000_000), false);
    let mut told = teller.tell(1500);
    {
        let queue = store::queue::Queue::new(common::open_spool(dir.path()));
        for (ts, rows) in ticks(&told) {
            queue.append(ts, rows).await.unwrap();
        }
    }
    let running = start(dir.path(), database.target());
    let live = teller.tell(40);
    for (ts, rows) in ticks(&live) {
        running.queue.append(ts, rows).await.unwrap();
    }
    running.drained().await;
    told.extend(live);
    assert_eq!(Lines::stored(&database).await, Lines::of(&told));
    running.stop().await;
}

/// A row that the database refuses goes aside; the findings follow from the others.
#[tokio::test]
async fn a_refused_transition_is_dead_lettered_and_the_others_are_followed() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let told = Teller::new(9, ts(0), false).tell(20);
    let (rule, target) = KEYS[0];
    let refuse = format!(
        "ALTER TABLE collector.finding_transitions_raw ADD CHECK ((rule, target) <> ('{rule}', '{target}'))"
    );
    database.sql(&refuse).await.unwrap();
    {
        let queue = store::queue::Queue::new(common::open_spool(dir.path()));
        for (ts, rows) in ticks(&told) {
            queue.append(ts, rows).await.unwrap();
        }
    }
    let running = start(dir.path(), database.target());
    running.drained().await;
    let is_refused = |one: &Told| (one.1.rule.as_str(), one.1.target.as_str()) == (rule, target);
    let (refused, kept): (Vec<Told>, Vec<Told>) = told.into_iter().partition(is_refused);
    assert_eq!(Lines::stored(&database).await, Lines::of(&kept));
    let dead = number(
        &database,
        "SELECT count(*) FROM collector.dead_letter WHERE sqlstate = '23514'",
    )
    .await;
    assert_eq!(dead, i64::try_from(refused.len()).unwrap());
    running.stop().await;
}

/// Findings that cannot follow hold up the transitions and nothing else.
#[tokio::test]
async fn findings_that_take_nothing_defer_transitions_alone() {
    let (database, dir) = (database().await, TempDir::new().unwrap());
    let told = Teller::new(10, ts(0), false).tell(6);
    let refuse = "ALTER TABLE collector.findings ADD CONSTRAINT refuse CHECK (false) NOT VALID";
    database.sql(refuse).await.unwrap();
    let running = start(dir.path(), database.target());
    for (tick, (ts, transitions)) in ticks(&told).into_iter().enumerate() {
        let mut all = rows(i64::try_from(tick).unwrap(), 3);
        all.extend(transitions);
        running.queue.append(ts, all).await.unwrap();
    }
    let ticks = i64::try_from(ticks(&told).len()).unwrap();
    running
        .until("the other tables go on", async || {
            number(
                &database,
                "SELECT count(*) FROM collector.system_metrics_raw",
            )
            .await
                == ticks
        })
        .await;
    assert_eq!(Lines::stored(&database).await, Lines::of(&[]));
    assert!(
        running
            .status
            .get()
            .error
            .unwrap()
            .contains("finding_transitions_raw")
    );
    database
        .sql("ALTER TABLE collector.findings DROP CONSTRAINT refuse")
        .await
        .unwrap();
    running.drained().await;
    assert_eq!(Lines::stored(&database).await, Lines::of(&told));
    assert_eq!(
        number(&database, "SELECT count(*) FROM collector.dead_letter").await,
        0
    );
    running.stop().await;
}

/// A finding without history of its own, or whose history expired, is continued.
#[tokio::test]
async fn a_finding_older_than_its_history_is_continued() {
    for transition_at in ["NULL", "now() - interval '40 days'"] {
        let database = with_partitions().await;
        let told = Teller::new(3, ts(0), false).tell(1);
        let (rule, target) = (&told[0].1.rule, &told[0].1.target);
        let old = format!(
            "INSERT INTO collector.findings (host_id, rule, target, kind, domain, severity, worst, title, message, steps, opened_at, \
             confirmed_at, seen_at, occurrences, transition_at) SELECT 1, '{rule}', '{target}', 'alert', 'logs', 'info', 'critical', \
             't', 'm', '{{}}', now() - interval '50 days', now() - interval '49 days', now() - interval '1 day', 70, {transition_at}"
        );
        database.sql(&old).await.unwrap();
        let sql = format!("BEGIN; {}{}COMMIT", insert(&told), apply(&told));
        for _ in 0..2 {
            database.sql(&sql).await.unwrap();
        }
        let kept = format!(
            "SELECT count(*) FROM collector.findings WHERE (rule, target) = ('{rule}', '{target}') AND worst = 'critical' AND title <> 't' \
             AND opened_at < now() - interval '49 days' AND confirmed_at < now() - interval '48 days' AND occurrences = 70"
        );
        assert_eq!(number(&database, &kept).await, 1);
        let all = format!(
            "SELECT count(*) FROM collector.findings WHERE (rule, target) = ('{rule}', '{target}')"
        );
        assert_eq!(number(&database, &all).await, 1);
    }
}

/// The role of the collector inserts transitions and executes the function; it may not change history.
#[tokio::test]
async fn the_writer_needs_no_right_to_change_history() {
    let database = with_partitions().await;
    let told = Teller::new(4, ts(0), false).tell(30);
    let role = format!("writer_{}", database.name());
    let setup = format!(
        "CREATE ROLE {role}; GRANT USAGE ON SCHEMA collector TO {role}; \
         GRANT INSERT, SELECT ON collector.finding_transitions_raw TO {role}; \
         GRANT EXECUTE ON FUNCTION collector.apply_transitions(integer, timestamptz[]) TO {role}"
    );
    database.sql(&setup).await.unwrap();
    let sql = format!(
        "SET ROLE {role}; {}{}RESET ROLE",
        insert(&told),
        apply(&told)
    );
    database.sql(&sql).await.unwrap();
    assert_eq!(Lines::stored(&database).await, Lines::of(&told));
    let change = format!(
        "SET ROLE {role}; UPDATE collector.finding_transitions_raw SET transition = 'opened'"
    );
    assert!(database.sql(&change).await.is_err());
}

/// Refreshing a finding touches no index.
#[tokio::test]
async fn refreshed_findings_stay_in_their_page() {
    let database = with_partitions().await;
    let opened = Teller::new(5, ts(0), false).tell(1).remove(0);
    let mut sql = format!(
        "{}{}",
        insert(std::slice::from_ref(&opened)),
        apply(std::slice::from_ref(&opened))
    );
    for tick in 2..=21 {
        let mut row = opened.1.clone();
        row.transition = "refreshed".to_owned();
        let told = [(ts(tick), row)];
        sql.push_str(&format!("{}{}", insert(&told), apply(&told)));
    }
    let hot = "SELECT pg_stat_get_xact_tuples_updated(oid) || ' ' || pg_stat_get_xact_tuples_hot_updated(oid) \
               FROM pg_class WHERE oid = 'collector.findings'::regclass";
    let session = database.connect().await.unwrap();
    session
        .client
        .batch_execute(&format!("BEGIN; {sql}"))
        .await
        .unwrap();
    let counts = testkit::texts(&session.client, hot).await.unwrap();
    assert_eq!(counts, ["20 20"]);
}

/// What is open, confirmed or not, and what began lately is read back as it was stored.
#[tokio::test]
async fn open_and_recent_findings_are_read_back() {
    let database = with_partitions().await;
    let mut told = Teller::new(6, ts(0), false).tell(1);
    let key = |one: &Told| (one.1.rule.clone(), one.1.target.clone());
    told.truncate(1);
    let mut ended = told[0].clone();
    ended.0 = ts(2);
    ended.1.transition = "resolved".to_owned();
    ended.1.confirmed_at = Some(ts(1));
    ended.1.resolved_at = Some(ts(2));
    let mut opened = told[0].clone();
    opened.0 = ts(3);
    opened.1.opened_at = ts(3);
    opened.1.unknown_since = Some(ts(3));
    opened.1.steps = schema::Json(r#"["Look.", "Then act."]"#.to_owned());
    opened.1.command = Some("ps".to_owned());
    opened.1.action_sql = Some("SELECT 1".to_owned());
    opened.1.metric = Some("host.metric".to_owned());
    opened.1.metric_key = Some("a.b".to_owned());
    opened.1.value = Some(2.5);
    opened.1.current_value = Some(3.5);
    opened.1.threshold = Some(1.0);
    opened.1.baseline_mean = Some(0.5);
    opened.1.cause_rule = Some("db.up".to_owned());
    opened.1.cause_target = Some("main".to_owned());
    told.extend([ended, opened]);
    let sql = format!("BEGIN; {}{}COMMIT", insert(&told), apply(&told));
    database.sql(&sql).await.unwrap();
    let session = database.connect().await.unwrap();
    let open = findings::open(&session.client, 1).await.unwrap();
    let [one] = open.as_slice() else {
        panic!("{open:?}");
    };
    let row = &told[2].1;
    assert_eq!((one.rule.clone(), one.target.clone()), key(&told[2]));
    assert_eq!((one.severity, one.worst), (row.severity, row.worst));
    assert_eq!((one.kind.as_str(), one.domain.as_str()), ("alert", "host"));
    assert_eq!((&one.title, &one.message), (&row.title, &row.message));
    assert_eq!((one.opened_at, one.confirmed_at), (ts(3), None));
    assert_eq!((one.seen_at, one.unknown_since), (row.seen_at, Some(ts(3))));
    assert_eq!((one.occurrences, one.transition_at), (1, ts(3)));
    assert_eq!(one.cause, Some(("db.up".to_owned(), "main".to_owned())));
    assert_eq!(*one, OpenFinding::after(ts(3), row), "as it is told");
    let recent = async |since| findings::recent(&session.client, 1, since).await.unwrap();
    let first = told[0].1.opened_at;
    let both = recent(first).await;
    assert_eq!(both.len(), 1);
    assert_eq!(
        (both[0].began.clone(), both[0].ended_at),
        (vec![first], Some(ts(2))),
        "what is pending has not begun"
    );
    assert_eq!(recent(ts(2)).await[0].began, []);
    assert_eq!(recent(ts(3)).await, []);
    // Another host has none.
    assert_eq!(findings::open(&session.client, 2).await.unwrap(), []);
    // One that is not confirmed is pending, which is not an alert.
    assert_eq!(
        number(
            &database,
            "SELECT count(*) FROM collector.alerts WHERE NOT resolved"
        )
        .await,
        0
    );
}
