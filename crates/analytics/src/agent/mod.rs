//! What a user agent is: a browser with its system and device, or a program without a reader.
//!
//! One pass splits the text into words with their versions; known words of browsers are matched exactly, and only words
//! that are not known are searched for what programs call themselves. So the text of a usual browser costs some hundred
//! nanoseconds and needs no regular expressions and no data that grow old. Of the hints that browsers send unasked
//! (`Sec-CH-UA` and its two siblings) the brand and the platform are used. The text itself is never stored.

mod bots;
mod browsers;

pub use bots::Bot;
pub use browsers::{Device, Hints};

use browsers::Marks;
use std::ops::Range;

/// What a user agent was found to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agent {
    /// A program without a reader; counted, not stored.
    Bot(Bot),
    /// A browser.
    Browser(Browser),
}

/// A browser, without versions: they would single out visitors and are not needed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Browser {
    /// Name of the browser, or empty when it is not known.
    pub browser: String,
    /// Name of the system, or empty.
    pub os: String,
    /// Kind of device.
    pub device: Device,
    /// Whether its versions cannot be: stored, but left out of figures.
    pub suspect: bool,
}

/// Longest user agent of a browser: embedded ones reach 400 bytes.
const LONGEST: usize = 1024;

/// Finds out what a user agent is. `year` is the current one, for versions that cannot exist yet.
#[must_use]
pub fn scan(user_agent: &[u8], hints: &Hints<'_>, year: i16) -> Agent {
    let text = match std::str::from_utf8(user_agent) {
        Ok(text) if text.trim().is_empty() => return Agent::Bot(Bot::Empty),
        Ok(text) if text.len() > LONGEST => return Agent::Bot(Bot::TooLong),
        Ok(text) if text.chars().all(|character| !character.is_control()) => text,
        _ => return Agent::Bot(Bot::Binary),
    };
    let mut marks = Marks::default();
    let model = model(text);
    for (at, word, version) in words(text) {
        if !marks.note(word, version)
            && !model.contains(&at)
            && let Some(bot) = bots::of_word(word)
        {
            return Agent::Bot(bot);
        }
    }
    let around = [&text[..model.start], &text[model.end..]];
    if let Some(bot) = bots::of_text(&around, &marks) {
        return Agent::Bot(bot);
    }
    Agent::Browser(marks.browser(hints, year))
}

/// Returns where the name of an Android device stands: it is the maker's, or that of who built its system, and may be any text. It is
/// before the first ` Build/`, in the same part of the comment, and up to the end of that part.
fn model(text: &str) -> Range<usize> {
    let Some(build) = text
        .find(" Build/")
        .filter(|at| text[..*at].contains("Android"))
    else {
        return 0..0;
    };
    let start = text[..build].rfind(';').map_or(build, |at| at + 1);
    let rest = &text[build..];
    let end = rest.find([';', ')']).map_or(text.len(), |at| build + at);
    start..end
}

/// Splits a user agent into words, each with where it begins and the version that follows a slash.
fn words(text: &str) -> impl Iterator<Item = (usize, &str, &str)> {
    let is_part = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || byte >= 0x80
    };
    let bytes = text.as_bytes();
    let run = move |from: usize| {
        let length = bytes[from..]
            .iter()
            .take_while(|byte| is_part(**byte))
            .count();
        from + length
    };
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() && !is_part(bytes[at]) {
            at += 1;
        }
        if at >= bytes.len() {
            return None;
        }
        let end = run(at);
        let begin = at;
        let word = text.get(at..end)?;
        at = end;
        let mut version = "";
        if bytes.get(at) == Some(&b'/') {
            let end = run(at + 1);
            version = text.get(at + 1..end)?;
            at = end;
        }
        Some((begin, word, version))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize)]
    struct Case {
        agent: String,
        browser: Option<String>,
        os: Option<String>,
        device: Option<Device>,
        #[serde(default)]
        suspect: bool,
        bot: Option<Bot>,
    }

    #[test]
    fn agents_are_those_of_the_fixture() {
        let text = include_str!("../../../../fixtures/analytics/agents.json");
        let cases: Vec<Case> = serde_json::from_str(text).unwrap();
        assert!(cases.len() > 60);
        for case in cases {
            let found = scan(case.agent.as_bytes(), &Hints::default(), 2026);
            let wanted = match case.bot {
                Some(bot) => Agent::Bot(bot),
                None => Agent::Browser(Browser {
                    browser: case.browser.unwrap_or_default(),
                    os: case.os.unwrap_or_default(),
                    device: case.device.unwrap_or(Device::Desktop),
                    suspect: case.suspect,
                }),
            };
            assert_eq!(found, wanted, "{}", case.agent);
        }
    }

    #[test]
    fn what_is_not_text_is_a_program() {
        for (agent, bot) in [
            (&b""[..], Bot::Empty),
            (b"   ", Bot::Empty),
            (b"Mozilla/5.0 \xff\xfe", Bot::Binary),
            (b"Mozilla/5.0 \x00", Bot::Binary),
            (&[b'a'; 65536], Bot::TooLong),
        ] {
            let found = scan(agent, &Hints::default(), 2026);
            assert_eq!(
                found,
                Agent::Bot(bot),
                "{:?}",
                String::from_utf8_lossy(&agent[..agent.len().min(40)])
            );
        }
    }

    #[test]
    fn hints_name_what_the_text_hides() {
        let chrome = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        for (brands, platform, browser, os) in [
            (
                "\"Brave\";v=\"140\", \"Chromium\";v=\"140\"",
                "\"macOS\"",
                "Brave",
                "macOS",
            ),
            (
                "\"Google Chrome\";v=\"140\", \"Not A Brand\";v=\"99\"",
                "",
                "Chrome",
                "Linux",
            ),
            (
                "\"Chromium\";v=\"140\"",
                "\"Chrome OS\"",
                "Chrome",
                "ChromeOS",
            ),
            ("", "nonsense", "Chrome", "Linux"),
        ] {
            let hints = Hints {
                brands,
                platform,
                mobile: "?0",
            };
            let Agent::Browser(found) = scan(chrome.as_bytes(), &hints, 2026) else {
                panic!("{brands} is not a browser");
            };
            assert_eq!(
                (found.browser.as_str(), found.os.as_str()),
                (browser, os),
                "{brands}"
            );
        }
        let headless = Hints {
            brands: "\"HeadlessChrome\";v=\"140\"",
            ..Hints::default()
        };
        assert!(headless.is_headless());
    }

    proptest::proptest! {
        #[test]
        fn nothing_panics(agent in proptest::collection::vec(proptest::num::u8::ANY, 0..200), text in "\\PC{0,100}") {
            drop(scan(&agent, &Hints::default(), 2026));
            drop(scan(text.as_bytes(), &Hints { brands: &text, platform: &text, mobile: &text }, 2026));
        }
    }
}
