use super::*;
use crate::settings::Consent;

const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/// `SECONDS CLIENT METHOD TARGET STATUS REFERER AGENT`, separated by tabs.
fn read(line: &str) -> Option<Request<'_>> {
    let words: Vec<&str> = line.split('\t').collect();
    let [seconds, client, method, target, status, referer, agent] = words.as_slice() else {
        return None;
    };
    Some(Request {
        host: "".into(),
        client: (*client).into(),
        at: Timestamp(seconds.parse::<i64>().ok()? * 1_000_000),
        method: (*method).into(),
        target: (*target).into(),
        status: status.parse().ok()?,
        referer: (*referer).into(),
        agent: (*agent).into(),
    })
}

fn settings() -> Settings {
    Settings {
        sites: vec![Site {
            domain: "example.org".to_owned(),
            hosts: vec!["example.org".to_owned(), "www.example.org".to_owned()],
            zone: jiff::tz::TimeZone::UTC,
            consent: Consent::Cookieless,
            internal_hosts: Vec::new(),
        }],
        ..Settings::default()
    }
}

const RETENTION: Retention = Retention {
    raw_days: 180,
    session_days: 395,
    sum_days: 760,
};

/// 24 November 2026, noon.
const NOW: i64 = 1_795_521_600;

struct Folder {
    dir: tempfile::TempDir,
    database: testkit::Database,
    settings: Settings,
}

impl Folder {
    async fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            database: testkit::migrated().await.unwrap(),
            settings: settings(),
        }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.dir.path().join(name), text).unwrap();
    }

    async fn import(&self, names: &[&str], is_dry: bool) -> Result<Outcome, ImportError> {
        let mut sources = Vec::new();
        for name in names {
            sources.extend(Source::find(&self.dir.path().join(name)).unwrap());
        }
        let (session, maker) = (
            self.database.connect().await.unwrap(),
            self.database.connect().await.unwrap(),
        );
        let databases = Databases::default();
        let import = Import {
            settings: &self.settings,
            databases: &databases,
            site: &self.settings.sites[0],
            retention: RETENTION,
            read,
            without: &["/api/*".to_owned()],
            is_dry,
            now: Timestamp(NOW * 1_000_000),
        };
        import.run(&session, &maker, sources).await
    }

    async fn count(&self, table: &str) -> i64 {
        let sql = format!("SELECT count(*) FROM collector.web_analytics_{table}");
        self.database.number(&sql).await.unwrap()
    }

    async fn text(&self, sql: &str) -> String {
        let session = self.database.connect().await.unwrap();
        testkit::texts(&session.client, sql)
            .await
            .unwrap()
            .join("\n")
    }
}

/// A line, so many seconds after midnight of 23 November.
fn line(seconds: i64, client: &str, target: &str, rest: &str) -> String {
    let (method, status, referer, agent) = match rest.split('|').collect::<Vec<_>>().as_slice() {
        [method, status, referer, agent] => (
            (*method).to_owned(),
            (*status).to_owned(),
            (*referer).to_owned(),
            (*agent).to_owned(),
        ),
        _ => (
            "GET".to_owned(),
            "200".to_owned(),
            String::new(),
            BROWSER.to_owned(),
        ),
    };
    format!(
        "{}\t{client}\t{method}\t{target}\t{status}\t{referer}\t{agent}\n",
        NOW - 36 * 3600 + seconds
    )
}

fn log() -> String {
    [
        line(10, "192.0.2.1", "/?utm_source=letter", ""),
        line(11, "192.0.2.1", "/style.css?v=1", ""),
        line(12, "192.0.2.1", "/form", &format!("POST|200||{BROWSER}")),
        line(13, "192.0.2.1", "/old", &format!("GET|301||{BROWSER}")),
        line(14, "192.0.2.1", "/api/items", ""),
        line(
            70,
            "192.0.2.1",
            "/a",
            &format!("GET|304|https://example.org/|{BROWSER}"),
        ),
        line(
            80,
            "192.0.2.2",
            "/missing",
            &format!("GET|404|https://www.google.com/|{BROWSER}"),
        ),
        line(
            90,
            "192.0.2.3",
            "/",
            "GET|200||Googlebot/2.1 (+http://www.google.com/bot.html)",
        ),
        line(95, "host.example", "/", ""),
        "no request at all\n".to_owned(),
        // Not over.
        line(36 * 3600, "192.0.2.1", "/today", ""),
    ]
    .concat()
}

#[tokio::test]
async fn lines_of_a_log_count_as_the_requests_would_have() {
    let folder = Folder::new().await;
    folder.write("access.log", &log());
    let outcome = folder.import(&["access.log"], true).await.unwrap();
    assert_eq!(
        (outcome.views, folder.count("page_views_raw").await),
        (3, 0)
    );
    assert_eq!(folder.count("sites").await, 0);
    let outcome = folder.import(&["access.log"], false).await.unwrap();
    assert_eq!(outcome.views, 3);
    assert_eq!(
        outcome.refused.iter().collect::<Vec<_>>(),
        [(&("bot", "crawler"), &1)]
    );
    let left_out: Vec<_> = outcome
        .tally
        .left_out
        .iter()
        .map(|(reason, (count, first))| {
            (
                *reason,
                *count,
                first.rsplit(':').next().unwrap().to_owned(),
            )
        })
        .collect();
    let wanted = [
        ("left out by --without", 1, "5"),
        ("no GET", 1, "3"),
        ("no page: a file that pages are made of", 1, "2"),
        ("not a request in a format that is known", 1, "10"),
        ("not answered with a page", 1, "4"),
        ("of a day that is not over", 1, "11"),
        ("the client is no address", 1, "9"),
    ];
    assert_eq!(
        left_out,
        wanted.map(|(reason, count, first)| (reason, count, first.to_owned()))
    );
    let visits = "SELECT page_views || ' ' || entry_page || ' ' || exit_page || ' ' || coalesce(source, '-') || ' ' || browser || ' ' || os || ' ' || session_duration \
                  FROM collector.web_analytics_sessions ORDER BY created_at";
    assert_eq!(
        folder.text(visits).await,
        "2 / /a/ letter Chrome Linux 60\n1 /missing/ /missing/ Google Chrome Linux 0"
    );
    // The day is added up, and its sums are what the rows say.
    let sums = "SELECT visitors || ' ' || visits || ' ' || views FROM collector.web_analytics_days WHERE dimension = 0";
    assert_eq!(folder.text(sums).await, "2 2 3");
    assert_eq!(
        folder
            .text(
                "SELECT sum(count)::text FROM collector.web_analytics_refused WHERE reason = 'bot'"
            )
            .await,
        "1"
    );
    // Nothing of a visitor is stored.
    let rows = "SELECT string_agg(s::text, '') || (SELECT string_agg(w::text, '') FROM collector.web_analytics_words w) FROM collector.web_analytics_sessions_raw s";
    let rows = folder.text(rows).await;
    assert!(
        !rows.contains("192.0.2") && !rows.contains("Mozilla"),
        "{rows}"
    );
}

#[tokio::test]
async fn nothing_counts_twice() {
    let folder = Folder::new().await;
    folder.write("one.log", &log());
    folder.import(&["one.log"], false).await.unwrap();
    // It has lines of a day that is not over, so it is read again; what was taken is known.
    let again = folder.import(&["one.log"], false).await.unwrap();
    assert_eq!((again.views, folder.count("page_views_raw").await), (0, 3));
    // Grown, and packed.
    let grown = log() + &line(3600, "192.0.2.9", "/later", "");
    folder.write("two.log", &grown);
    let outcome = folder.import(&["two.log"], false).await.unwrap();
    assert_eq!(
        (outcome.views, folder.count("page_views_raw").await),
        (1, 4)
    );
    let whole = line(-40 * 3600, "192.0.2.9", "/earlier", "");
    folder.write("three.log", &whole);
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, whole.as_bytes()).unwrap();
    std::fs::write(
        folder.dir.path().join("three.log.gz"),
        packed.finish().unwrap(),
    )
    .unwrap();
    let outcome = folder
        .import(&["three.log", "three.log.gz"], false)
        .await
        .unwrap();
    assert_eq!((outcome.views, outcome.known.len()), (1, 1));
    let outcome = folder.import(&["three.log.gz"], false).await.unwrap();
    assert_eq!(
        (
            outcome.views,
            outcome.known.len(),
            folder.count("page_views_raw").await
        ),
        (0, 1, 5)
    );
    assert_eq!(folder.text("SELECT visits || ' ' || views FROM collector.web_analytics_days WHERE dimension = 0 ORDER BY bucket").await, "1 1\n3 4");
}

#[tokio::test]
async fn a_day_that_the_tracker_counted_takes_nothing() {
    let folder = Folder::new().await;
    folder.write("a.log", &log());
    let sql =
        "SELECT collector.web_analytics_register('example.org', 'UTC', '{example.org}')::text";
    folder.text(sql).await;
    folder
        .database
        .sql("INSERT INTO collector.web_analytics_settled VALUES (1, '2026-11-23', true)")
        .await
        .unwrap();
    let outcome = folder.import(&["a.log"], false).await.unwrap();
    assert_eq!(
        (outcome.views, folder.count("page_views_raw").await),
        (0, 0)
    );
    assert!(
        outcome
            .tally
            .left_out
            .contains_key("of a day that is counted already")
    );
}

/// A run that ends in the middle has done nothing.
#[tokio::test]
async fn a_faulty_file_stores_nothing_of_any() {
    let folder = Folder::new().await;
    folder.write("a.log", &log());
    folder.write("website_event.csv", "event_id,session_id,event_type,created_at,url_path\ne1,s1,1,2026-11-23 10:00:00,/\ne2,s1,1,soon,/\n");
    let error = folder
        .import(&["a.log", "website_event.csv"], false)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("website_event.csv:3: created_at \"soon\" is no time; it should be like"),
        "{text}"
    );
    assert_eq!(folder.count("page_views_raw").await, 0);
    folder.write("b.log", "nothing\nknown\n");
    let error = folder
        .import(&["b.log"], false)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("b.log:1: is neither an access log nor"),
        "{error}"
    );
    assert_eq!(folder.import(&["a.log"], false).await.unwrap().views, 3);
}

const UMAMI: &str = "website_id,session_id,visit_id,event_id,hostname,browser,os,device,screen,language,country,url_path,url_query,referrer_path,referrer_domain,page_title,event_type,event_name,created_at\n\
w,s1,v1,e3,www.example.org,chrome,Windows 10,desktop,1920x1080,de-DE,DE,/b,,,,B,1,,2026-11-23 10:05:00\n\
w,s1,v1,e1,www.example.org,chrome,Windows 10,desktop,1920x1080,de-DE,DE,/a,utm_campaign=x,/search,google.com,'=A,1,,2026-11-23 10:00:00\n\
w,s1,v1,e2,www.example.org,chrome,Windows 10,desktop,1920x1080,de-DE,DE,/a,,,,A,2,signup,2026-11-23 10:01:00\n\
w,s2,v2,e4,other.example,chrome,Windows 10,desktop,,,,/,,,,A,1,,2026-11-23 10:01:00\n\
w,s1,v3,e5,,ios,iOS,mobile,,fr,FR,/,,,,A,1,,2026-11-22 23:59:59\n\
w,s3,v3,e6,,ios,iOS,mobile,,fr,FR,/,,,,A,2,early,2026-11-22 10:00:00\n";

#[tokio::test]
async fn events_of_umami_are_visits() {
    let folder = Folder::new().await;
    folder.write("website_event.csv", UMAMI);
    folder.write("event_data.csv", "website_id,session_id,event_id,data_key,string_value,number_value,date_value\nw,s1,e2,plan,pro,,\nw,s1,e2,seats,,3,\n");
    folder.write(
        "session_data.csv",
        "website_id,session_id,data_key\nw,s1,x\n",
    );
    let outcome = folder.import(&["."], false).await.unwrap();
    assert_eq!(
        (outcome.views, outcome.events, outcome.skipped.len()),
        (3, 1, 1)
    );
    assert_eq!(
        outcome.tally.left_out.keys().copied().collect::<Vec<_>>(),
        ["an event before any view", "of another host"]
    );
    let visits = "SELECT page_views || ' ' || entry_page || ' ' || exit_page || ' ' || coalesce(source, '-') || ' ' || coalesce(utm_campaign, '-') || ' ' || browser || ' ' || os || ' ' || country \
                  FROM collector.web_analytics_sessions ORDER BY created_at";
    assert_eq!(
        folder.text(visits).await,
        "1 / / - - Safari iOS FR\n2 /a/ /b/ Google x Chrome Windows DE"
    );
    let events = "SELECT event_name || ' ' || page_path || ' ' || (event_data ->> 'plan') || ' ' || (event_data ->> 'seats') FROM collector.web_analytics_events";
    assert_eq!(folder.text(events).await, "signup /a/ pro 3.0");
    assert_eq!(
        folder
            .text("SELECT DISTINCT title FROM collector.web_analytics_words WHERE word = '/a/'")
            .await,
        "=A"
    );
    assert_eq!(folder.import(&["."], false).await.unwrap().views, 0);
}

fn plausible(folder: &Folder) {
    for (name, text) in [
        (
            "imported_visitors_20261120_20261124.csv",
            "\"date\",\"visitors\",\"pageviews\",\"bounces\",\"visits\",\"visit_duration\"\n\"2026-11-20\",10,30,4,12,2400\n\"2026-11-21\",1,1,1,1,0\n\"2026-11-24\",9,9,9,9,9\n",
        ),
        (
            "imported_sources_20261120_20261124.csv",
            "\"date\",\"source\",\"referrer\",\"utm_source\",\"utm_medium\",\"utm_campaign\",\"utm_content\",\"utm_term\",\"pageviews\",\"visitors\",\"visits\",\"visit_duration\",\"bounces\"\n\"2026-11-20\",\"Google\",\"google.com\",\"\",\"\",\"\",\"\",\"\",10,4,5,100,1\n\"2026-11-20\",\"letter\",\"\",\"letter\",\"email\",\"spring\",\"\",\"\",5,2,2,50,0\n",
        ),
        (
            "imported_pages_20261120_20261124.csv",
            "\"date\",\"hostname\",\"page\",\"visits\",\"visitors\",\"pageviews\"\n\"2026-11-20\",\"example.org\",\"/docs\",8,7,20\n\"2026-11-20\",\"example.org\",\"/docs/\",1,1,2\n\"2026-11-20\",\"other.example\",\"/\",1,1,1\n",
        ),
        (
            "imported_entry_pages_20261120_20261124.csv",
            "\"date\",\"entry_page\",\"visitors\",\"entrances\",\"visit_duration\",\"bounces\",\"pageviews\"\n\"2026-11-20\",\"/docs\",7,7,900,3,20\n",
        ),
        (
            "imported_browsers_20261120_20261124.csv",
            "\"date\",\"browser\",\"browser_version\",\"visitors\",\"visits\",\"visit_duration\",\"bounces\",\"pageviews\"\n\"2026-11-20\",\"Chrome\",\"109.0\",5,6,10,1,9\n\"2026-11-20\",\"Chrome\",\"108.0\",2,2,10,1,3\n\"2026-11-20\",\"Microsoft Edge\",\"111.0\",1,1,10,0,3\n",
        ),
        (
            "imported_custom_events_20261120_20261124.csv",
            "\"date\",\"name\",\"link_url\",\"path\",\"visitors\",\"events\"\n\"2026-11-20\",\"Signup\",\"\",\"\",3,4\n\"2026-11-20\",\"404\",\"\",\"/gone\",1,1\n\"2026-11-20\",\"Outbound Link: Click\",\"https://a.example/\",\"\",1,2\n",
        ),
    ] {
        folder.write(name, text);
    }
}

#[tokio::test]
async fn tables_of_plausible_are_sums() {
    let folder = Folder::new().await;
    plausible(&folder);
    let outcome = folder.import(&["."], false).await.unwrap();
    assert_eq!((outcome.views, outcome.days.len()), (31, 2));
    let table = |name: &str, figures: &str| {
        format!(
            "SELECT word || coalesce('|' || title, '') || ' ' || {figures} FROM collector.web_analytics_table(1, '2026-11-20', '2026-11-20', 'none', '{name}', NULL) ORDER BY 1"
        )
    };
    let visits = "visitors || ' ' || visits || ' ' || views || ' ' || bounces";
    for (name, figures, wanted) in [
        (
            "source",
            visits,
            " 4 5 15 3\nGoogle 4 5 10 1\nletter 2 2 5 0",
        ),
        (
            "channel",
            visits,
            " 4 5 15 3\nemail 2 2 5 0\nsearch 4 5 10 1",
        ),
        ("utm_campaign", visits, " 8 10 25 4\nspring 2 2 5 0"),
        (
            "browser",
            visits,
            " 2 3 15 2\nChrome 7 8 12 2\nEdge 1 1 3 0",
        ),
        ("language", visits, " 10 12 30 4"),
        (
            "page",
            "visitors || ' ' || views || ' ' || entries || ' ' || bounces",
            "/docs/ 8 22 7 3",
        ),
        (
            "event",
            "visitors || ' ' || views",
            "Signup 3 4\noutbound 1 2",
        ),
        ("missing", "visitors || ' ' || views", "/gone/| 1 1"),
    ] {
        assert_eq!(folder.text(&table(name, figures)).await, wanted, "{name}");
    }
    let curve = "SELECT visits || ' ' || views FROM collector.web_analytics_curve(1, '2026-11-20 00:00Z', '2026-11-22 00:00Z', 'day', NULL)";
    assert_eq!(folder.text(curve).await, "12 30\n1 1");
    // Again as an archive: the files are known.
    assert_eq!(folder.import(&["."], false).await.unwrap().known.len(), 6);
    folder.write(
        "imported_visitors_x.csv",
        "\"date\",\"visitors\",\"pageviews\",\"visits\"\n\"2026-11-19\",1,-2,1\n",
    );
    let error = folder
        .import(&["imported_visitors_x.csv"], false)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("imported_visitors_x.csv:2: pageviews \"-2\" is not a count"),
        "{error}"
    );
}
