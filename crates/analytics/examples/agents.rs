//! Compares what is known of programs, browsers and systems with public lists that are not part of the project.
//!
//! `cargo run -p pqcrypta-analytics-core --example agents -- FOLDER [--show]`; with `--show` each one that differs is printed. FOLDER has
//! any of these:
//!
//! | file | of | aim |
//! |---|---|---|
//! | `crawler-user-agents.json` | the npm package crawler-user-agents | 97 % are programs |
//! | `test_device.yaml` | the tests of uap-core | at most 0.1 % of its browsers are programs |
//! | `test_ua.yaml`, `test_os.yaml` | the same | browser and system agree in 97 % |
//! | `spammers.txt` | Matomo's referrer-spam-list | as `spam_referrers` each host and what is below it is refused |
//!
//! The names of uap-core are mapped to ours; what has no name here (a mail program, a system of 1995) is not compared.

use analytics::agent::{Agent, Hints, scan};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::process::ExitCode;

/// Versions beyond those of this year are suspect.
const YEAR: i16 = 2026;

/// Browsers: a name of uap-core, and ours.
const BROWSERS: &[(&str, &str)] = &[
    ("Chrome", "Chrome"),
    ("Chrome Mobile", "Chrome"),
    ("Chrome Mobile iOS", "Chrome"),
    ("Chromium", "Chrome"),
    ("Chrome Mobile WebView", "Android WebView"),
    ("Firefox", "Firefox"),
    ("Firefox Mobile", "Firefox"),
    ("Firefox iOS", "Firefox"),
    ("Safari", "Safari"),
    ("Mobile Safari", "Safari"),
    ("Mobile Safari UI/WKWebView", "Safari"),
    ("Edge", "Edge"),
    ("Edge Mobile", "Edge"),
    ("Opera", "Opera"),
    ("Opera Mobile", "Opera"),
    ("Opera Mini", "Opera"),
    ("Opera Tablet", "Opera"),
    ("IE", "Internet Explorer"),
    ("IE Mobile", "Internet Explorer"),
    ("Android", "Android Browser"),
    ("Samsung Internet", "Samsung Internet"),
    ("Yandex Browser", "Yandex Browser"),
    ("Vivaldi", "Vivaldi"),
    ("UC Browser", "UC Browser"),
    ("DuckDuckGo Mobile", "DuckDuckGo"),
    ("QQ Browser", "QQ Browser"),
    ("QQ Browser Mobile", "QQ Browser"),
    ("MiuiBrowser", "MIUI Browser"),
    ("Amazon Silk", "Silk"),
    ("Maxthon", "Maxthon"),
    ("Epiphany", "GNOME Web"),
    ("Konqueror", "Konqueror"),
    ("SeaMonkey", "SeaMonkey"),
    ("Pale Moon", "Pale Moon"),
    ("Waterfox", "Waterfox"),
    ("Whale", "Whale"),
    ("Google", "Google app"),
    ("Facebook", "Facebook app"),
    ("Instagram", "Instagram app"),
    ("LINE", "Line app"),
    ("Snapchat", "Snapchat app"),
    ("Pinterest", "Pinterest app"),
    ("Puffin", "Puffin"),
];

/// Systems: a name of uap-core, and ours.
const SYSTEMS: &[(&str, &str)] = &[
    ("Windows", "Windows"),
    ("Windows Phone", "Windows Phone"),
    ("Mac OS X", "macOS"),
    ("Mac OS", "macOS"),
    ("iOS", "iOS"),
    ("Android", "Android"),
    ("Chrome OS", "ChromeOS"),
    ("Linux", "Linux"),
    ("Ubuntu", "Linux"),
    ("Debian", "Linux"),
    ("Fedora", "Linux"),
    ("Red Hat", "Linux"),
    ("Gentoo", "Linux"),
    ("SUSE", "Linux"),
    ("openSUSE", "Linux"),
    ("CentOS", "Linux"),
    ("Arch Linux", "Linux"),
    ("Mandriva", "Linux"),
    ("Kubuntu", "Linux"),
    ("Linux Mint", "Linux"),
    ("Slackware", "Linux"),
    ("FreeBSD", "FreeBSD"),
    ("OpenBSD", "OpenBSD"),
    ("NetBSD", "NetBSD"),
    ("Solaris", "Solaris"),
    ("KaiOS", "KaiOS"),
    ("Tizen", "Tizen"),
    ("webOS", "webOS"),
    ("HarmonyOS", "HarmonyOS"),
];

fn main() -> ExitCode {
    let mut folder = None;
    let mut shows = false;
    for argument in std::env::args().skip(1) {
        match argument.as_str() {
            "--show" => shows = true,
            _ => folder = Some(argument),
        }
    }
    let Some(folder) = folder else {
        eprintln!("usage: agents FOLDER [--show]");
        return ExitCode::from(64);
    };
    let folder = Path::new(&folder);
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let mut is_met = true;
    if let Some(text) = read("crawler-user-agents.json") {
        let agents = crawlers(&text);
        let missed: Vec<&String> = agents.iter().filter(|agent| !is_bot(agent)).collect();
        let missed = missed.iter().map(|agent| agent.as_str());
        is_met &= report(
            "crawlers taken for browsers",
            agents.len(),
            missed,
            3.0,
            shows,
        );
    }
    if let Some(text) = read("test_device.yaml") {
        let mut agents = HashSet::new();
        for (agent, family) in cases(&text) {
            // What names the engine of a browser, and that its list does not call a crawler.
            let is_browser = agent.starts_with("Mozilla/")
                && ["AppleWebKit/", "Gecko/", "Trident/"]
                    .iter()
                    .any(|engine| agent.contains(engine));
            if is_browser && family != "Spider" {
                agents.insert(agent);
            }
        }
        let refused = agents.iter().filter(|agent| is_bot(agent));
        let refused = refused.map(String::as_str);
        is_met &= report(
            "browsers taken for programs",
            agents.len(),
            refused,
            0.1,
            shows,
        );
    }
    for (what, file, names, part) in [
        ("browsers", "test_ua.yaml", BROWSERS, 0),
        ("systems", "test_os.yaml", SYSTEMS, 1),
    ] {
        let Some(text) = read(file) else { continue };
        let names: BTreeMap<&str, &str> = names.iter().copied().collect();
        let mut compared = 0;
        let mut others = Vec::new();
        for (agent, family) in cases(&text) {
            let Some(wanted) = names.get(family.as_str()) else {
                continue;
            };
            let Agent::Browser(found) = scan(agent.as_bytes(), &Hints::default(), YEAR) else {
                continue;
            };
            compared += 1;
            let found = if part == 0 { found.browser } else { found.os };
            if found != *wanted {
                others.push(format!("{wanted} and not {found:?}: {agent}"));
            }
        }
        let others = others.iter().map(String::as_str);
        is_met &= report(
            &format!("{what} of another name"),
            compared,
            others,
            3.0,
            shows,
        );
    }
    if let Some(text) = read("spammers.txt") {
        is_met &= spam(&text, shows);
    }
    if is_met {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn is_bot(agent: &str) -> bool {
    matches!(
        scan(agent.as_bytes(), &Hints::default(), YEAR),
        Agent::Bot(_)
    )
}

/// Prints how many differ and whether that is few enough.
fn report<'a>(
    what: &str,
    of: usize,
    differ: impl Iterator<Item = &'a str>,
    most_pct: f64,
    shows: bool,
) -> bool {
    let mut count = 0_usize;
    for one in differ {
        count += 1;
        if shows {
            println!("  {one}");
        }
    }
    let pct = 100.0 * count as f64 / of.max(1) as f64;
    let is_met = pct <= most_pct;
    let verdict = if is_met { "" } else { ", too many" };
    println!("{what}: {count} of {of}, {pct:.2} % (at most {most_pct} %){verdict}");
    is_met
}

/// Returns the examples of crawlers.
fn crawlers(text: &str) -> Vec<String> {
    let all: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let patterns = all.as_array().into_iter().flatten();
    let examples = patterns.flat_map(|one| one["instances"].as_array().into_iter().flatten());
    let examples = examples.filter_map(|example| example.as_str());
    examples.map(str::to_owned).collect()
}

/// Returns agents and families of a file of tests, which has one `key: 'value'` a line.
fn cases(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut agent = None;
    for line in text.lines() {
        let line = line.trim().trim_start_matches("- ");
        if let Some(value) = line.strip_prefix("user_agent_string:") {
            agent = Some(unquoted(value));
        } else if let Some(value) = line.strip_prefix("family:")
            && let Some(agent) = agent.take()
        {
            found.push((agent, unquoted(value)));
        }
    }
    found
}

/// Returns a scalar without its quotes.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    if let Some(inner) = value
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
    {
        return inner.replace("''", "'");
    }
    value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .map_or(value.to_owned(), |inner| inner.replace("\\\"", "\""))
}

/// Checks a list of hosts as the setting `spam_referrers`: each of them is refused, and what is below it.
fn spam(text: &str, shows: bool) -> bool {
    use analytics::networks::{Databases, Files};
    use analytics::page_url::Referrer;
    let folder = std::env::temp_dir().join(format!("spam-referrers-{}", std::process::id()));
    let written = std::fs::write(&folder, text);
    let databases = Databases::new(Files {
        spam: Some(folder.clone()),
        ..Files::default()
    });
    // It is in a folder for such files anyway.
    drop(std::fs::remove_file(&folder));
    if written.is_err() || !databases.faults().is_empty() {
        println!("the list of hosts cannot be read");
        return false;
    }
    let listed: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    let referrer = |host: &str| Referrer::parse(&format!("https://{host}/a?b=c"));
    let passed = listed.iter().filter(|host| {
        ["", "www.", "deep.below."].iter().any(|before| {
            let referrer = referrer(&format!("{before}{host}"));
            !referrer.is_some_and(|referrer| databases.is_spam(&referrer))
        })
    });
    report(
        "hosts of spam that pass",
        listed.len(),
        passed.copied(),
        0.0,
        shows,
    )
}
