//! Visits for the tests of web analytics: they are stored as the receiving program does it, by COPY's columns and the
//! functions that bring visits up to date.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "shared by test files, each of which uses a part"
)]

use testkit::{Database, Dice};

/// The columns of a view, in the order of [`View::values`].
const VIEW_COLUMNS: &str = "ts, session_ts, session_id, visitor_id, view_id, page_id, site_id, engaged_ms, nth, status, scroll_pct, suspect, synthetic";

/// A view of a page.
#[derive(Clone, Debug)]
pub struct View {
    pub at: String,
    pub page: String,
    pub engaged_ms: i64,
    pub scroll_pct: i64,
    pub status: i64,
}

impl View {
    pub fn new(at: &str, page: &str) -> Self {
        Self {
            at: at.to_owned(),
            page: page.to_owned(),
            engaged_ms: 12_000,
            scroll_pct: 60,
            status: 200,
        }
    }
}

/// A visit, with its views.
#[derive(Clone, Debug)]
pub struct Visit {
    pub id: i64,
    pub visitor: i64,
    pub views: Vec<View>,
    pub last_seen: String,
    pub source: Option<String>,
    pub browser: String,
    pub os: String,
    pub country: String,
    pub interactive: bool,
    pub suspect: bool,
    pub synthetic: bool,
    pub consented: bool,
}

impl Visit {
    pub fn new(id: i64, visitor: i64, views: Vec<View>) -> Self {
        Self {
            id,
            visitor,
            last_seen: views.last().unwrap().at.clone(),
            views,
            source: None,
            browser: "Firefox".to_owned(),
            os: "Linux".to_owned(),
            country: "DE".to_owned(),
            interactive: false,
            suspect: false,
            synthetic: false,
            consented: false,
        }
    }

    fn word(kind: &str, word: &str) -> String {
        format!("collector.word_id('{kind}', '{word}')")
    }

    /// Returns the call that stores the visit or brings it up to date.
    pub fn touch(&self, site: i64) -> String {
        let (first, last) = (&self.views[0], self.views.last().unwrap());
        let engaged: i64 = self.views.iter().map(|view| view.engaged_ms).sum();
        let source = self
            .source
            .as_ref()
            .map_or_else(|| "NULL".to_owned(), |word| Self::word("source", word));
        format!(
            "SELECT collector.web_analytics_touch_sessions('{{{site}}}', ARRAY['{}'::timestamptz], '{{{}}}', ARRAY['{}'::timestamptz], '{{{}}}', \
             ARRAY[{}], ARRAY[{}], ARRAY[{source}::int8], '{{NULL}}', '{{NULL}}', '{{NULL}}', '{{NULL}}', '{{NULL}}', '{{NULL}}', '{{3320}}', '{{{engaged}}}', \
             '{{1440}}', '{{{}}}', '{{0}}', '{{{}}}', '{{{}}}', '{{{}}}', '{{{}}}', '{{direct}}', ARRAY['{}'], ARRAY['{}'], '{{desktop}}', '{{de-DE}}', ARRAY['{}']);\n",
            first.at,
            self.id,
            self.last_seen,
            self.visitor,
            Self::word("page", &first.page),
            Self::word("page", &last.page),
            self.views.len(),
            self.interactive,
            self.suspect,
            self.consented,
            self.synthetic,
            self.browser,
            self.os,
            self.country,
        )
    }

    /// Returns the statements that store the visit with its views and words.
    pub fn sql(&self, site: i64) -> String {
        let mut sql = self.touch(site);
        let start = &self.views[0].at;
        for (place, view) in self.views.iter().enumerate() {
            sql += &format!(
                "INSERT INTO collector.web_analytics_page_views_raw ({VIEW_COLUMNS}) VALUES ('{}', '{start}', {}, {}, {}, {}, {site}, {}, {}, {}, {}, {}, {});\n",
                view.at,
                self.id,
                self.visitor,
                self.id * 1000 + i64::try_from(place).unwrap(),
                Self::word("page", &view.page),
                view.engaged_ms,
                place + 1,
                view.status,
                view.scroll_pct,
                self.suspect,
                self.synthetic,
            );
            sql += &word(site, "page", &view.page, &view.at);
        }
        if let Some(source) = &self.source {
            sql += &word(site, "source", source, start);
        }
        sql
    }
}

/// Returns the call that stores a word.
pub fn word(site: i64, kind: &str, word: &str, at: &str) -> String {
    let title = if kind == "page" {
        format!("ARRAY['Title of {word}']")
    } else {
        "'{NULL}'".to_owned()
    };
    format!(
        "SELECT collector.web_analytics_touch_words('{{{site}}}', '{{{kind}}}', ARRAY['{word}'], {title}, ARRAY['{at}'::timestamptz]);\n"
    )
}

/// Adds a site, with the default partitions, and returns its number.
pub async fn register(database: &Database, domain: &str, zone: &str) -> i64 {
    database
        .sql("SELECT collector.web_analytics_partitions(NULL)")
        .await
        .unwrap();
    database
        .number(&format!(
            "SELECT collector.web_analytics_register('{domain}', '{zone}', '{{{domain}}}')"
        ))
        .await
        .unwrap()
}

/// Returns visits at random seconds from `from` on, of few visitors, pages and sources, some of them suspect or synthetic.
pub fn random(dice: &mut Dice, from: &str, hours: u64, count: i64) -> Vec<Visit> {
    let pages = ["/", "/a/", "/b/", "/c.html", "/d/"];
    let mut visits = Vec::new();
    for id in 1..=count {
        let begin = dice.below(hours * 3600);
        let mut at = begin;
        let views = (0..=dice.below(4))
            .map(|_| {
                let view = View {
                    at: second(from, at),
                    page: pages[dice.index(pages.len())].to_owned(),
                    engaged_ms: i64::try_from(dice.below(90_000)).unwrap(),
                    scroll_pct: i64::try_from(dice.below(101)).unwrap(),
                    status: if dice.one_in(10) { 404 } else { 200 },
                };
                at += dice.below(900);
                view
            })
            .collect();
        let mut visit = Visit::new(id, i64::try_from(dice.below(40)).unwrap(), views);
        visit.last_seen = second(from, at + dice.below(20_000));
        visit.source =
            (!dice.one_in(3)).then(|| ["Google", "Bing", "News"][dice.index(3)].to_owned());
        visit.browser = ["Firefox", "Chrome", "Safari"][dice.index(3)].to_owned();
        visit.os = ["Linux", "Windows"][dice.index(2)].to_owned();
        visit.country = ["DE", "FR"][dice.index(2)].to_owned();
        visit.interactive = dice.one_in(4);
        visit.suspect = dice.one_in(12);
        visit.synthetic = dice.one_in(15);
        visit.consented = dice.one_in(3);
        visits.push(visit);
    }
    visits
}

/// Returns an instant so many seconds after another, as an expression inside quotes.
fn second(from: &str, secs: u64) -> String {
    // Whole seconds of a fixed day: PostgreSQL adds them.
    let (day, zone) = from.split_at(10);
    let (hour, rest) = (secs / 3600, secs % 3600);
    let (year_month, date) = day.split_at(8);
    let date: u64 = date.parse().unwrap();
    format!(
        "{year_month}{:02} {:02}:{:02}:{:02}{zone}",
        date + hour / 24,
        hour % 24,
        rest / 60,
        rest % 60
    )
}

/// Stores visits in one transaction.
pub async fn store(database: &Database, site: i64, visits: &[Visit]) {
    let sql: String = visits.iter().map(|visit| visit.sql(site)).collect();
    database.sql(&format!("BEGIN;\n{sql}COMMIT")).await.unwrap();
}

/// Returns rows as text, columns separated by blanks, `-` for NULL.
pub async fn lines(database: &Database, sql: &str) -> Vec<String> {
    let session = database.connect().await.unwrap();
    let lines = testkit::texts(&session.client, sql).await.unwrap();
    session.close(std::time::Duration::from_secs(5)).await;
    lines
}
