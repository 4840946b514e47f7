//! What the names promise.

use proptest::prelude::*;

use super::*;

const HOUR: i64 = HOUR_MICROS;

fn template(message: &str) -> String {
    let mut tokens = Vec::new();
    mask::scan(message, &mut tokens);
    token::render(&tokens, message)
}

/// The pattern table after these news: the last template of each name, and the aliases.
fn table(news: &News) -> Vec<Known> {
    let mut rows: Vec<Known> = Vec::new();
    for pattern in &news.patterns {
        let name = pattern.fingerprint.to_string();
        match rows.iter_mut().find(|row| row.fingerprint == name) {
            Some(row) => row.template.clone_from(&pattern.template),
            None => rows.push(Known {
                source: pattern.source.to_string(),
                level: pattern.level,
                fingerprint: name,
                template: pattern.template.clone(),
                alias_of: None,
            }),
        }
    }
    for merged in &news.merged {
        let old = merged.old.to_string();
        if let Some(row) = rows.iter_mut().find(|row| row.fingerprint == old) {
            row.alias_of = Some(merged.into.to_string());
        }
    }
    rows
}

#[test]
fn what_varies_is_masked() {
    for (message, expected) in [
        (
            "connection from 192.0.2.7 port 50122",
            "connection from <*> port <*>",
        ),
        ("link up on fe80::be:1%eth0 now", "link up on <*> now"),
        ("arp de:ad:be:ef:aa:bb moved", "arp <*> moved"),
        ("read 12 kB (12345 bytes) of /var/lib/x", "read <*> of <*>"),
        (
            "GET of http://example.com/a?b=c failed",
            "GET of <*> failed",
        ),
        ("mail to bob@example.com bounced", "mail to <*> bounced"),
        (
            "login user=alice uid=0 mode=\"fast lane\"",
            "login user=<*> uid=<*> mode=<*>",
        ),
        (
            "password check for user alice failed",
            "password check for user <*> failed",
        ),
        (
            "password check for user unknown",
            "password check for user unknown",
        ),
        (
            "relation \"orders\" does not exist",
            "relation <*> does not exist",
        ),
        ("can't open 'x y' or 'z'", "can't open <*> or <*>"),
        ("since Mon Jan 5 10:00:00 2026 up", "since <*> up"),
        ("\"GET /a/b HTTP/1.1\" 200 17", "\"GET <*>\" <*>"),
        ("key … was refused", "key <*> was refused"),
        ("\u{1b}[31mred\u{1b}[0m alert", "red alert"),
        ("ratio:  3", "ratio: <*>"),
        ("overlap:false, seen true", "overlap:<*>, seen <*>"),
        ("threshold.......7", "threshold.......<*>"),
        ("Loading... done", "Loading... done"),
        ("error 11001 in a.b:7 of ../x", "error <*> in <*> of <*>"),
        ("", ""),
    ] {
        assert_eq!(template(message), expected, "{message}");
    }
}

#[test]
fn what_says_what_happened_is_kept() {
    for (message, expected) in [
        ("\"GET /a HTTP/1.1\" 404 17", "\"GET <*>\" 404 <*>"),
        ("GET /a HTTP/1.1 500 in 3 ms", "GET <*> 500 in <*>"),
        (
            "answered status=503 after 3 s",
            "answered status=503 after <*>",
        ),
        (
            "answered status=201 after 3 s",
            "answered status=<*> after <*>",
        ),
        ("worker exited with code 137", "worker exited with code 137"),
        ("exit status 2 of pid 70", "exit status 2 of pid <*>"),
        (
            "Main process exited, code=exited, status=1/FAILURE",
            "Main process exited, code=<*>, status=1/FAILURE",
        ),
        (
            "ERROR: 42P01: relation \"a\" is gone",
            "ERROR: 42P01: relation <*> is gone",
        ),
        ("SQLSTATE[40001] retry 3", "SQLSTATE[40001] retry <*>"),
        (
            "IN=eth0 SRC=192.0.2.1 DPT=22 LEN=40",
            "IN=<*> SRC=<*> DPT=22 LEN=<*>",
        ),
        (
            "IN=eth0 SRC=192.0.2.1 DPT=40123 LEN=40",
            "IN=<*> SRC=<*> DPT=<*> LEN=<*>",
        ),
    ] {
        assert_eq!(template(message), expected, "{message}");
    }
}

#[test]
fn a_place_that_varies_opens_and_the_oldest_name_stays() {
    let mut names = Fingerprints::new(BUDGET_PER_HOUR);
    let words = ["amber", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo"];
    let given: Vec<Fingerprint> = words
        .iter()
        .map(|word| {
            names.name(
                "trees",
                Level::Info,
                &format!("planted {word} today"),
                Timestamp(0),
            )
        })
        .collect();
    assert_eq!(given[4..], [given[0]; 3]);
    let news = names.take_news();
    let merged: Vec<Fingerprint> = news.merged.iter().map(|merged| merged.old).collect();
    assert_eq!(merged.len(), 4);
    assert!(given[1..4].iter().all(|name| merged.contains(name)));
    assert!(news.merged.iter().all(|merged| merged.into == given[0]));
    let last = news.patterns.last().unwrap();
    assert_eq!(
        (last.fingerprint, last.template.as_str()),
        (given[0], "planted <*> today")
    );
    // Another level has another name.
    let warned = names.name("trees", Level::Warn, "planted holly today", Timestamp(0));
    assert_ne!(warned, given[0]);
    assert_eq!(names.take_news().patterns[0].template, "planted <*> today");
}

#[test]
fn a_place_with_a_word_of_state_stays_closed() {
    let mut names = Fingerprints::new(BUDGET_PER_HOUR);
    let words = [
        "started", "stopped", "amber", "birch", "cedar", "dogwood", "elm", "fir",
    ];
    let given: std::collections::HashSet<Fingerprint> = words
        .iter()
        .map(|word| names.name("trees", Level::Info, &format!("unit {word}"), Timestamp(0)))
        .collect();
    assert_eq!(given.len(), words.len());
}

#[test]
fn names_survive_a_restart() {
    let mut names = Fingerprints::new(BUDGET_PER_HOUR);
    let messages: Vec<String> = ["amber", "birch", "cedar", "dogwood", "elm", "fir"]
        .iter()
        .map(|word| format!("planted {word} on {word} street, 3 of them"))
        .chain(
            ["amber", "birch", "cedar", "dogwood", "elm", "fir"]
                .map(|word| format!("felled {word} at 7")),
        )
        .chain([
            "ERROR: 42P01: no".to_owned(),
            "\"GET /a\" 404 3 'x' (y)".to_owned(),
        ])
        .collect();
    for message in &messages {
        names.name("trees", Level::Warn, message, Timestamp(0));
    }
    let before: Vec<_> = messages
        .iter()
        .map(|message| names.name("trees", Level::Warn, message, Timestamp(0)))
        .collect();
    let news = names.take_news();
    let table = table(&news);
    let mut again = Fingerprints::new(BUDGET_PER_HOUR);
    again.restore(table.into_iter());
    let after: Vec<_> = messages
        .iter()
        .map(|message| again.name("trees", Level::Warn, message, Timestamp(0)))
        .collect();
    assert_eq!(before, after);
    assert_eq!(
        again.name("trees", Level::Warn, "felled holly at 9", Timestamp(0)),
        before[6]
    );
    assert!(again.take_news().is_empty());
}

#[test]
fn beyond_the_budget_everything_has_one_name_and_is_counted() {
    let mut names = Fingerprints::new(3);
    let message = |number: usize| "one ".repeat(number + 1);
    let given: Vec<_> = (0..6)
        .map(|number| names.name("noise", Level::Error, &message(number), Timestamp(0)))
        .collect();
    assert_eq!(given[3..], [given[3]; 3]);
    assert_eq!(names.take_news().overflowed, [("noise".into(), 3)]);
    // What has a name keeps it; another source has a budget of its own; so has the next hour.
    assert_eq!(
        names.name("noise", Level::Error, &message(0), Timestamp(1)),
        given[0]
    );
    assert_ne!(
        names.name("quiet", Level::Error, &message(5), Timestamp(1)),
        given[3]
    );
    assert_ne!(
        names.name("noise", Level::Error, &message(5), Timestamp(HOUR)),
        given[3]
    );
}

#[test]
fn memory_is_bounded_and_names_come_back() {
    let mut names = Fingerprints::new(u32::MAX);
    let word = |number: usize| -> String {
        let letters = format!("{number:06}");
        letters
            .bytes()
            .map(|digit| char::from(digit - b'0' + b'k'))
            .collect()
    };
    let message = |number: usize| format!("{} begins {}", word(number), "x ".repeat(number % 7));
    let first = names.name("noise", Level::Info, &message(0), Timestamp(0));
    for number in 1..20_000 {
        names.name(
            "noise",
            Level::Info,
            &message(number),
            Timestamp(number as i64 * HOUR / 100),
        );
    }
    assert_eq!(
        names.name("noise", Level::Info, &message(0), Timestamp(HOUR * 300)),
        first
    );
    assert!(names.sources.entry("noise").miner.len() <= 2048);
}

proptest! {
    /// A template gives the sequence it was made of, whatever the message was.
    #[test]
    fn a_template_is_its_sequence(
        message in "(\\PC|[ =:;,'\"<>*()\\[\\]{}|#./@\\\\0-9a-f\u{1b}]|from |GET |status |code=5|…){0,60}",
    ) {
        let mut tokens = Vec::new();
        mask::scan(&message, &mut tokens);
        let sequence = token::sum(&tokens);
        let template = token::render(&tokens, &message);
        token::split(&template, &mut tokens);
        prop_assert_eq!(token::sum(&tokens), sequence, "{}", template);
    }

    /// Whatever comes, what a restored memory says of the last messages is what the old one said.
    #[test]
    fn a_restored_memory_gives_the_same_names(
        messages in prop::collection::vec("(amber|birch|cedar|elm|fir|gum)( (amber|birch|cedar|elm|fir|gum|7|opened)){0,3}", 1..60),
    ) {
        let mut names = Fingerprints::new(BUDGET_PER_HOUR);
        for message in &messages {
            names.name("trees", Level::Info, message, Timestamp(0));
        }
        let mut again = Fingerprints::new(BUDGET_PER_HOUR);
        again.restore(table(&names.take_news()).into_iter());
        for message in &messages {
            let before = names.name("trees", Level::Info, message, Timestamp(0));
            prop_assert_eq!(again.name("trees", Level::Info, message, Timestamp(0)), before, "{}", message);
        }
        prop_assert!(again.take_news().is_empty());
    }
}
