//! Properties of fingerprints.

use proptest::prelude::*;

use super::*;

fn template(message: &str) -> String {
    let mut tokens = Vec::new();
    mask::scan(message, &mut tokens);
    token::render(&tokens, message)
}

/// Returns the pattern table after these news.
fn table(news: &News) -> Vec<Pattern> {
    let mut rows: Vec<Pattern> = Vec::new();
    for pattern in &news.patterns {
        assert!(
            rows.iter()
                .all(|row| row.fingerprint != pattern.fingerprint),
            "{pattern:?}"
        );
        rows.push(pattern.clone());
    }
    for merged in &news.merged {
        let row = rows.iter_mut().find(|row| row.fingerprint == merged.old);
        if let Some(row) = row {
            row.alias_of = Some(merged.into);
        }
    }
    rows
}

/// Returns the template that a name has in the pattern table, through its aliases.
fn resolve(table: &[Pattern], mut name: Fingerprint) -> &str {
    loop {
        let row = table.iter().find(|row| row.fingerprint == name).unwrap();
        match row.alias_of {
            Some(alias) => name = alias,
            None => return &row.template,
        }
    }
}

/// Names messages of a source, and resolves the names by the pattern table.
fn templates_of(messages: &[String]) -> Vec<String> {
    let mut names = Fingerprints::new(BUDGET_PER_HOUR);
    let given: Vec<Fingerprint> = messages
        .iter()
        .map(|message| names.name("log", Level::Info, message, Timestamp(0)))
        .collect();
    let table = table(&names.take_news());
    let resolved = given.iter().map(|name| resolve(&table, *name).to_owned());
    resolved.collect()
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
        ("\"GET /a/b HTTP/1.1\" 200 17", "GET <*>"),
        ("key … was refused", "key <*> was refused"),
        ("\u{1b}[31mred\u{1b}[0m alert", "red alert"),
        ("ratio:  3", "ratio: <*>"),
        ("overlap:false, seen true", "overlap:<*>, seen <*>"),
        ("threshold.......7", "threshold.......<*>"),
        ("Loading... done", "Loading... done"),
        (
            "error 11001 in a.b:7 of ../x",
            "error <*> in a.b:<*> of <*>",
        ),
        ("", ""),
    ] {
        assert_eq!(template(message), expected, "{message}");
    }
}

#[test]
fn what_surrounds_a_value_is_not_part_of_the_form() {
    for value in [
        "7",
        "[7]",
        "(7)",
        "{7}",
        "<7>",
        "#7",
        "\"7\"",
        "'7'",
        "`7'",
        "`7`",
        "“7”",
        "„7“",
        "«7»",
        "»7«",
        "「7」",
        "[ 7 ]",
        "([7])",
        "\"a b\"",
        "[1, 2, 3]",
        "(1 - 3)",
        "7.",
        "[]",
        "{}",
        "/var/x",
        "[- -]",
        "[7 - -]",
        "****",
        "<bob@example.com>",
        "[::1]:80",
        "#[7]",
        "##7",
        "# ## 7",
        "##[#7]",
        "null",
        "(null)",
        "~5",
        "<1",
        "12 kB (12345 bytes)",
    ] {
        let message = format!("took {value} from shelf");
        assert_eq!(template(&message), "took <*> from shelf", "{message}");
    }
    for (message, expected) in [
        ("a=5 b=", "a=<*> b=<*>"),
        ("a= b=x c=", "a=<*> b=<*> c=<*>"),
        ("a = 5, b = , c=\"\"", "a =<*>, b =<*>, c=<*>"),
        ("size: , color: 5", "size:<*>, color: <*>"),
        (
            "tags=[] names={a b} ids=(1 2)",
            "tags=<*> names=<*> ids=<*>",
        ),
        ("if a == b => c", "if a == b => c"),
        ("main() called", "main() called"),
        ("user  from nowhere", "user <*> from nowhere"),
        ("worker:7, node: 8 of 9", "worker:<*>, node: <*> of <*>"),
    ] {
        assert_eq!(template(message), expected, "{message}");
    }
}

#[test]
fn names_stay() {
    for message in [
        "IPv4 on eth0 and sda1, log4j with sha256 in utf-8 on x86_64",
        "EXT4-fs error (device sda1): no space left on device",
        "onReceive android.intent.action.SCREEN_ON of com.example.health",
        "mapred.tip.id is deprecated, use mapreduce.task.id",
        "Input/output error of text/plain",
        "state is running now",
        "LOGIN chdir(home) failed",
    ] {
        assert_eq!(template(message), message);
    }
    for (message, expected) in [
        (
            "state changed from 'running' to \"stopped\"",
            "state changed from running to stopped",
        ),
        ("{\"event\": 5, 'name': \"x y\"}", "{event: <*>, name: <*>}"),
        (
            "ipv4_addr=192.0.2.1 par1=7 r24=0x1",
            "ipv4_addr=<*> par1=<*> r24=<*>",
        ),
        ("main.c:12 failed", "main.c:<*> failed"),
        ("to db.example.com and a.b.lan:80", "to <*> and <*>"),
        ("worker3 of node-7 on blk_12 a1b2c3", "<*> of <*> on <*>"),
        ("rack_A8 has L3 and S3", "<*> has L3 and S3"),
        (
            "\"Killing container\" pod=\"web/x\" grace=30",
            "Killing container pod=<*> grace=<*>",
        ),
        (
            "level=info msg=\"cache is warm\" n=3",
            "level=<*> msg=cache is warm n=<*>",
        ),
    ] {
        assert_eq!(template(message), expected, "{message}");
    }
}

#[test]
fn numbers_that_state_what_happened_are_kept() {
    for (message, expected) in [
        ("\"GET /a HTTP/1.1\" 404 17", "GET <*> 404 <*>"),
        ("\"GET /a HTTP/1.1\" 200 404", "GET <*>"),
        ("GET /a HTTP/1.1 500 in 3 ms", "GET <*> 500 in <*>"),
        ("GET /a took 500 ms", "GET <*> took <*>"),
        ("GET /a -> 404", "GET <*> -> 404"),
        ("POST /a answered with 502", "POST <*> answered with 502"),
        (
            "answered status=503 after 3 s",
            "answered status=503 after <*>",
        ),
        (
            "answered status=201 after 3 s",
            "answered status=<*> after <*>",
        ),
        ("returned 500 rows", "returned <*> rows"),
        ("code 404 of 500 bytes", "code <*> of <*>"),
        ("worker exited with code 137", "worker exited with code 137"),
        ("exited on signal 11", "exited on signal 11"),
        ("exit status 2 of pid 70", "exit status 2 of pid <*>"),
        (
            "syscall=59 success=no exit=13",
            "syscall=<*> success=<*> exit=<*>",
        ),
        (
            "received signal 15, errno 9",
            "received signal <*>, errno <*>",
        ),
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
            "IN=<*> SRC=<*> DPT=<*> LEN=<*>",
        ),
        ("listening on port 443", "listening on port <*>"),
    ] {
        assert_eq!(template(message), expected, "{message}");
    }
}

const TREES: [&str; 7] = ["amber", "birch", "cedar", "dogwood", "elm", "fir", "ginkgo"];

#[test]
fn a_place_that_varies_opens_and_no_name_changes() {
    let mut names = Fingerprints::new(BUDGET_PER_HOUR);
    let mut name = |level, tree: &str| {
        let message = format!("planted {tree} today");
        names.name("trees", level, &message, Timestamp(0))
    };
    let given = TREES.map(|tree| name(Level::Info, tree));
    assert_eq!(TREES.map(|tree| name(Level::Info, tree)), given);
    // Another level is another pattern.
    let warned = name(Level::Warn, "amber");
    let table = table(&names.take_news());
    assert!(
        given
            .iter()
            .all(|name| resolve(&table, *name) == "planted <*> today")
    );
    assert_eq!(resolve(&table, warned), "planted amber today");
    // A family has its name from its template, which a message may have as well.
    let family = names.name("trees", Level::Info, "planted 7 today", Timestamp(0));
    let row = table
        .iter()
        .find(|row| row.template == "planted <*> today")
        .unwrap();
    assert_eq!(row.fingerprint, family);
    assert!(names.take_news().is_empty());
}

#[test]
fn a_word_that_opens_beside_a_value_is_one_with_it() {
    let trees = TREES.map(|tree| format!("planted 7 {tree} (today) in park"));
    let days = TREES.map(|day| format!("sold tree ({day}) in park"));
    let mut messages = [trees, days].concat();
    messages.push("planted 9 (today) in park".to_owned());
    messages.push("sold tree oak in park".to_owned());
    messages.push("sold tree 8 in park".to_owned());
    let templates = templates_of(&messages);
    let expected = "planted <*> (today) in park";
    assert!(templates[..7].iter().all(|template| template == expected));
    assert_eq!(templates[14], expected);
    let expected = "sold tree <*> in park";
    assert!(
        templates[7..14].iter().all(|template| template == expected),
        "{templates:?}"
    );
    assert_eq!(templates[16], expected);
}

#[test]
fn a_word_of_state_stays() {
    let words = ["started", "stopped", "sharded."].into_iter().chain(TREES);
    let messages: Vec<String> = words.map(|word| format!("unit {word}")).collect();
    let templates = templates_of(&messages);
    assert_eq!(
        templates[..3],
        ["unit started", "unit stopped", "unit sharded."]
    );
    assert!(templates[3..].iter().all(|template| template == "unit <*>"));
}

#[test]
fn a_first_word_that_varies_uses_up_no_budget() {
    for rest in ["lost its connection", "is ready", "joined"] {
        let mut names = Fingerprints::new(100);
        for number in 0..3000 {
            let word = letters(number);
            names.name(
                "noise",
                Level::Warn,
                &format!("{word} {rest}"),
                Timestamp(0),
            );
        }
        let news = names.take_news();
        assert!(news.overflowed.is_empty(), "{rest}");
        assert!(news.patterns.len() <= 70, "{rest}: {}", news.patterns.len());
    }
    // With nothing else to go by, a word is a message.
    let words = TREES.map(str::to_owned);
    assert_eq!(templates_of(&words), words);
}

/// Returns a word for a number.
fn letters(number: usize) -> String {
    let digits = format!("{number:06}");
    digits
        .bytes()
        .map(|digit| char::from(digit - b'0' + b'k'))
        .collect()
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
    assert!(again.take_news().is_empty());
    let holly = again.name("trees", Level::Warn, "felled holly at 9", Timestamp(0));
    let merged = again.take_news().merged;
    let family = news.merged.iter().find(|one| one.old == before[6]).unwrap();
    assert_eq!((merged[0].old, merged[0].into), (holly, family.into));
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
    // What has a name keeps it; another source has its own budget, and so has the next hour.
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
    let message = |number: usize| {
        let (one, other) = (letters(number), letters(number + 1));
        format!("{one} begins {other} {}", "x ".repeat(number % 7))
    };
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

/// Returns the template of a message, and whether it has the sequence of the message.
fn restored(message: &str) -> (String, bool) {
    let mut tokens = Vec::new();
    mask::scan(message, &mut tokens);
    let sequence = token::sum(&tokens);
    let template = token::render(&tokens, message);
    token::split(&template, &mut tokens);
    let is_same = token::sum(&tokens) == sequence;
    (template, is_same)
}

#[test]
fn all_number_signs_before_a_value_are_dropped() {
    for (message, wanted) in [
        ("##5", "<*>"),
        ("issue ##5 of ###\"x y\"", "issue <*> of <*>"),
        ("5,##6", "<*>"),
        ("##[]", "<*>"),
        ("(##5) is ##a", "<*> is ##a"),
    ] {
        assert_eq!(restored(message), (wanted.to_owned(), true), "{message}");
    }
}

#[test]
fn words_with_only_a_quotation_mark_between_them_stay_two() {
    for (message, wanted) in [
        ("¡\"GET \"", "¡ GET <*>"),
        ("POST\"GET /\"", "POST GET <*>"),
        ("state\"idle\"", "state idle"),
        ("\"idle\"now", "idle now"),
        ("é\"cannot connect\" port=1", "é <*> port=<*>"),
        ("-\"cannot connect\" port=1", "- cannot connect port=<*>"),
        ("Loading...", "Loading..."),
    ] {
        assert_eq!(restored(message), (wanted.to_owned(), true), "{message}");
    }
}

proptest! {
    /// A template gives the sequence it was made of, whatever the message was.
    #[test]
    fn a_template_is_its_sequence(
        message in "(\\PC|[ =:;,'\"<>*()\\[\\]{}|#./@\\\\0-9a-f\u{1b}]|from |GET |status |code=5|…){0,60}",
    ) {
        let (template, is_same) = restored(&message);
        prop_assert!(is_same, "{}", template);
    }

    /// Whatever comes, a restored memory names the last messages like the old one.
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
