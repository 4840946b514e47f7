//! How well messages are grouped: kinds of messages with their variables filled at random, and what
//! becomes of them. A *split* is a kind with more than one name, a *merge* a name of more than one kind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;

use logs::event::Level;
use logs::fingerprint::{BUDGET_PER_HOUR, Fingerprint, Fingerprints};
use proptest::prelude::*;
use schema::Timestamp;

const TEMPLATES: &str = include_str!("grouping/templates.txt");

/// Words that stand for names of services, tables, topics.
const NAMES: &[&str] = &[
    "amber", "billing", "cedar", "dogwood", "elm", "fir", "ginkgo", "hazel", "invoices", "juniper",
    "kiosk", "larch", "maple", "nutmeg", "orders", "poplar", "quince", "rowan", "spruce",
    "tamarind",
];

/// Fills templates with values that look random and are the same in every run.
struct Dice(testkit::Dice);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(testkit::Dice::new(seed))
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0.below(limit)
    }

    fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }

    /// Returns a number of any length.
    fn number(&mut self) -> u64 {
        let limit = 10_u64.pow(1 + self.below(7) as u32);
        self.below(limit)
    }

    fn hex(&mut self, digits: usize) -> String {
        let mut text = String::new();
        for _ in 0..digits {
            let _written = write!(text, "{:x}", self.below(16));
        }
        text
    }

    fn address(&mut self) -> String {
        match self.below(4) {
            0 => format!("2001:db8::{}:{}", self.hex(4), self.hex(2)),
            _ => format!("192.0.2.{}", self.below(255)),
        }
    }

    fn host(&mut self) -> String {
        let domain = self.one(&["example.com", "example.net", "lan.example.org"]);
        match self.below(3) {
            0 => format!("{}.{domain}", self.one(NAMES)),
            _ => format!("{}{}.{domain}", self.one(NAMES), self.below(30)),
        }
    }

    fn path(&mut self) -> String {
        let mut path = String::new();
        for _ in 0..=self.below(4) {
            let _written = write!(path, "/{}", self.one(NAMES));
        }
        match self.below(3) {
            0 => path,
            1 => format!("{path}.log"),
            _ => format!(
                "{path}-{}.{}",
                self.number(),
                self.one(&["log", "gz", "so"])
            ),
        }
    }

    /// Returns a value of the kind that is named.
    fn value(&mut self, kind: &str) -> String {
        match kind {
            "n" => self.number().to_string(),
            "float" => format!("{}.{}", self.below(1000), self.below(100_000)),
            "ip" => self.address(),
            "ipp" => format!("192.0.2.{}:{}", self.below(255), 1024 + self.below(60_000)),
            "host" => self.host(),
            "path" => self.path(),
            "winpath" => format!(
                "C:\\{}\\{}.{}",
                self.one(NAMES),
                self.one(NAMES),
                self.number()
            ),
            "url" => format!("https://{}{}", self.host(), self.path()),
            "mail" => format!("{}@{}", self.one(NAMES), self.host()),
            "hex" => format!("0x{}", self.hex(8)),
            "uuid" => {
                let parts = [8, 4, 4, 4, 12].map(|digits| self.hex(digits));
                parts.join("-")
            }
            "mac" => [2; 6].map(|digits| self.hex(digits)).join(":"),
            "id" => format!("{}-{}{}", self.one(NAMES), self.hex(6), 10 + self.below(90)),
            "time" => {
                let (hour, minute) = (self.below(24), self.below(60));
                format!("2026-11-{:02} {hour:02}:{minute:02}:07", 1 + self.below(28))
            }
            "dur" => format!("{} {}", self.number(), self.one(&["ms", "s", "seconds"])),
            "size" => format!(
                "{}.{} {}",
                self.below(900),
                self.below(10),
                self.one(&["B", "KB", "MB"])
            ),
            "ver" => format!("{}.{}.{}", self.below(20), self.below(20), self.below(9000)),
            "bool" => self.one(&["true", "false"]).to_owned(),
            "user" | "word" => self.one(NAMES).to_owned(),
            "q" => format!("{} {} {}", self.one(NAMES), self.one(NAMES), self.number()),
            _ => panic!("no kind of variable is called {kind}"),
        }
    }

    fn fill(&mut self, template: &str) -> String {
        let mut message = String::new();
        let mut rest = template;
        while let Some((before, more)) = rest.split_once('{') {
            let (kind, after) = more.split_once('}').expect("a variable ends");
            message.push_str(before);
            message.push_str(&self.value(kind));
            rest = after;
        }
        message + rest
    }

    fn shuffle<T>(&mut self, list: &mut [T]) {
        for at in (1..list.len()).rev() {
            list.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

/// Returns the name of each message in the end, as the pattern table resolves it, and its template.
fn resolved(messages: &[String]) -> Vec<(Fingerprint, String)> {
    let mut names = Fingerprints::new(BUDGET_PER_HOUR);
    let given: Vec<Fingerprint> = messages
        .iter()
        .map(|message| names.name("log", Level::Info, message, Timestamp(0)))
        .collect();
    let news = names.take_news();
    assert!(news.overflowed.is_empty());
    let aliases: HashMap<_, _> = news.merged.iter().map(|one| (one.old, one.into)).collect();
    let templates: HashMap<_, _> = news
        .patterns
        .into_iter()
        .map(|pattern| (pattern.fingerprint, pattern.template))
        .collect();
    given
        .into_iter()
        .map(|mut name| {
            while let Some(into) = aliases.get(&name) {
                name = *into;
            }
            (name, templates[&name].clone())
        })
        .collect()
}

/// Lines that are in a group of exactly the lines of their kind, and what the other groups are.
fn grade(lines: &[(usize, String)], names: &[(Fingerprint, String)]) -> (usize, Vec<String>) {
    let mut of_kind: BTreeMap<usize, BTreeSet<&(Fingerprint, String)>> = BTreeMap::new();
    let mut of_name: BTreeMap<Fingerprint, BTreeSet<usize>> = BTreeMap::new();
    for ((kind, _), name) in lines.iter().zip(names) {
        of_kind.entry(*kind).or_default().insert(name);
        of_name.entry(name.0).or_default().insert(*kind);
    }
    let right = lines
        .iter()
        .zip(names)
        .filter(|((kind, _), name)| of_kind[kind].len() == 1 && of_name[&name.0].len() == 1);
    let mut wrong = Vec::new();
    for (kind, names) in &of_kind {
        if names.len() > 1 {
            let first: Vec<_> = names.iter().take(4).map(|(_, template)| template).collect();
            wrong.push(format!("split {kind} into {}: {first:#?}", names.len()));
        }
    }
    for kinds in of_name.values() {
        if kinds.len() > 1 {
            wrong.push(format!("merged {kinds:?}"));
        }
    }
    (right.count(), wrong)
}

#[test]
fn kinds_of_messages_of_many_programs_are_distinguished() {
    let mut dice = Dice::new(0x9e37_79b9_7f4a_7c15);
    let mut shares = Vec::new();
    let mut report = String::new();
    for program in TEMPLATES.split("\n\n# ").skip(1) {
        let mut kinds: Vec<&str> = program.lines().filter(|line| !line.is_empty()).collect();
        let program = kinds.remove(0);
        let mut lines = Vec::new();
        for (kind, template) in kinds.iter().enumerate() {
            // Few of some, many of others.
            let count = 2 + 60 / (1 + dice.below(20));
            lines.extend((0..count).map(|_| (kind, dice.fill(template))));
        }
        dice.shuffle(&mut lines);
        let messages: Vec<String> = lines.iter().map(|(_, message)| message.clone()).collect();
        let (right, wrong) = grade(&lines, &resolved(&messages));
        let share = right as f64 / lines.len() as f64;
        let _written = writeln!(report, "{program}: {share:.3} of {} lines", lines.len());
        for wrong in wrong {
            let _written = writeln!(report, "  {wrong}");
        }
        shares.push(share);
    }
    let mean = shares.iter().sum::<f64>() / shares.len() as f64;
    println!("{report}mean {mean:.4}");
    assert!(mean >= 0.97, "mean {mean}:\n{report}");
}

/// Returns a value as programs write it: bare or in one of many wrappings.
fn wrapped(dice: &mut Dice, value: &str) -> String {
    let (open, close) = [
        ("", ""),
        ("[", "]"),
        ("(", ")"),
        ("{", "}"),
        ("<", ">"),
        ("\"", "\""),
        ("'", "'"),
        ("`", "`"),
        ("#", ""),
        ("“", "”"),
        ("«", "»"),
        ("[ ", " ]"),
    ][dice.below(12) as usize];
    format!("{open}{value}{close}")
}

/// Words of generated kinds. None is one of state.
const TEXT: &[&str] = &[
    "cache", "segment", "lease", "quota", "ledger", "beacon", "rotor", "buffer", "gateway",
    "tunnel", "vault", "cursor", "fabric", "mirror", "journal", "bucket", "planner", "relay",
    "socket", "digest", "within", "beyond", "against", "toward", "during", "after", "under",
    "above", "through", "without",
];

/// Returns a kind: words, and variables that are filled and wrapped anew in each line.
fn kind(dice: &mut Dice) -> Vec<&'static str> {
    const VARIABLES: &[&str] = &[
        "{n}", "{n}", "{ip}", "{path}", "{hex}", "{uuid}", "{host}", "{float}", "{id}", "{url}",
        "{q}",
    ];
    let words = 4 + dice.below(5);
    let mut kind: Vec<&str> = (0..words).map(|_| dice.one(TEXT)).collect();
    for _ in 0..=dice.below(3) {
        let at = dice.below(kind.len() as u64 + 1) as usize;
        kind.insert(at, dice.one(VARIABLES));
    }
    kind
}

fn written(dice: &mut Dice, kind: &[&str]) -> String {
    let words: Vec<String> = kind
        .iter()
        .map(|word| match word.strip_prefix('{') {
            // A phrase with blanks in it needs quotes.
            Some("q}") => format!("\"{}\"", dice.fill(word)),
            Some(_) => {
                let value = dice.fill(word);
                wrapped(dice, &value)
            }
            None => (*word).to_owned(),
        })
        .collect();
    words.join(" ")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever surrounds the variables and in whatever order the lines come: a kind has one name, it
    /// is that of no other kind, and it is the same in any order.
    #[test]
    fn a_kind_has_one_name_in_any_wrapping_and_order(seed in 1_u64..) {
        let mut dice = Dice::new(seed);
        let kinds: Vec<_> = (0..30).map(|_| kind(&mut dice)).collect();
        let mut lines: Vec<(usize, String)> = Vec::new();
        for (number, kind) in kinds.iter().enumerate() {
            lines.extend((0..12).map(|_| (number, written(&mut dice, kind))));
        }
        dice.shuffle(&mut lines);
        let messages: Vec<String> = lines.iter().map(|(_, message)| message.clone()).collect();
        let names = resolved(&messages);
        let (right, wrong) = grade(&lines, &names);
        prop_assert_eq!(right, lines.len(), "{:#?}\n{:?}", wrong, kinds);
        let mut order: Vec<usize> = (0..messages.len()).collect();
        dice.shuffle(&mut order);
        let shuffled: Vec<String> = order.iter().map(|at| messages[*at].clone()).collect();
        for (at, name) in order.iter().zip(resolved(&shuffled)) {
            prop_assert_eq!(names[*at].0, name.0);
        }
    }

    /// The same where the variables are words, which only many messages show to be variables.
    #[test]
    fn families_do_not_depend_on_the_order_of_lines(seed in 1_u64..) {
        let mut dice = Dice::new(seed);
        let count = 40 + dice.below(80);
        let few = &TEXT[..3 + dice.below(8) as usize];
        let messages: Vec<String> = (0..count)
            .map(|_| {
                let words: Vec<&str> = (0..3 + dice.below(3))
                    .map(|_| match dice.below(12) {
                        0 => "17",
                        1 => "opened",
                        2 => "(eth0)",
                        _ => dice.one(few),
                    })
                    .collect();
                words.join(" ")
            })
            .collect();
        let names: HashMap<_, _> = messages.iter().zip(resolved(&messages)).collect();
        let mut other = messages.clone();
        dice.shuffle(&mut other);
        for (message, name) in other.iter().zip(resolved(&other)) {
            prop_assert_eq!(names[message].0, name.0, "{}: {} or {}", message, names[message].1, name.1);
        }
    }
}
