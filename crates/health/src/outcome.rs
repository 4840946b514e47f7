//! The result of a check, and its row.

use config::CheckKind;
use schema::{Row, Sample, Timestamp};

/// Days before a certificate expires at which it is reported; renewal is due 30 days before. The catalogue's
/// `check.cert_days` has the same threshold, and a critical one.
pub(crate) const EXPIRING_DAYS: f64 = 21.0;

/// Characters of an error: a sentence, never a page.
const ERROR_CHARS: usize = 300;

const DAY_MICROS: f64 = 86_400e6;

/// State of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It answers as it should.
    Up,
    /// It does, but late.
    Slow,
    /// It does not.
    Down,
    /// Nothing was learnt of it.
    Unknown,
}

impl State {
    /// Every state, in the order of the summary.
    pub const ALL: [Self; 4] = [Self::Up, Self::Slow, Self::Down, Self::Unknown];

    /// Returns the word in rows and lines.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Slow => "slow",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

/// The result of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Name of the check.
    pub name: String,
    /// What was asked.
    pub kind: CheckKind,
    /// The same without user, password and query.
    pub target: String,
    /// The state of the service.
    pub state: State,
    /// Time of the attempt that counts, milliseconds; `None` where the state is unknown.
    pub answer_ms: Option<f64>,
    /// Attempts that were made.
    pub attempts: u64,
    /// Status of an HTTP answer.
    pub status: Option<u16>,
    /// When the first certificate of the chain expires.
    pub expires_at: Option<Timestamp>,
    /// When the check was made.
    pub at: Timestamp,
    /// Why it is not up, or why an earlier attempt was not.
    pub error: Option<String>,
}

impl Outcome {
    /// Returns the days until a certificate expires.
    #[must_use]
    pub fn expires_days(&self) -> Option<f64> {
        let expires_at = self.expires_at?;
        Some((expires_at.0 - self.at.0) as f64 / DAY_MICROS)
    }

    /// Returns whether a certificate expires soon.
    #[must_use]
    pub fn is_expiring(&self) -> bool {
        self.expires_days()
            .is_some_and(|days| days <= EXPIRING_DAYS)
    }

    /// Returns it as stored.
    #[must_use]
    pub fn sample(&self) -> schema::tables::HealthCheck {
        schema::tables::HealthCheck {
            check_name: self.name.clone(),
            kind: self.kind.as_str().to_owned(),
            target: self.target.clone(),
            state: self.state.as_str().to_owned(),
            answer_ms: self.answer_ms,
            attempts: i64::try_from(self.attempts).unwrap_or(i64::MAX),
            status: self.status.map(i32::from),
            expires_at: self.expires_at,
            expires_days: self.expires_days(),
            error: self.error.clone(),
        }
    }

    /// Returns its row.
    #[must_use]
    pub fn row(&self) -> Row {
        self.sample().into_row(self.at)
    }
}

/// Returns a target without what may be secret: user and password, query, fragment.
pub(crate) fn shown(target: &str) -> String {
    let bare = target.split(['?', '#']).next().unwrap_or_default();
    let (scheme, rest) = match bare.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), bare),
    };
    let authority = rest.find('/').unwrap_or(rest.len());
    let user = rest[..authority].rfind('@').map_or(0, |at| at + 1);
    format!("{scheme}{}", &rest[user..])
}

/// Returns a text as one line without control characters and secrets, of at most [`ERROR_CHARS`].
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    for c in redact::text(text).chars() {
        if out.chars().count() >= ERROR_CHARS {
            out.push('…');
            break;
        }
        if c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
        {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_shown_without_secrets() {
        for (target, expected) in [
            ("https://shop.example/a?token=x#y", "https://shop.example/a"),
            (
                "postgresql://me@db.example:6000/shop",
                "postgresql://db.example:6000/shop",
            ),
            (
                "postgresql://me:secret@db.example/shop",
                "postgresql://db.example/shop",
            ),
            ("https://shop.example/a@b", "https://shop.example/a@b"),
            ("shop.example:443", "shop.example:443"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ] {
            assert_eq!(shown(target), expected, "{target}");
        }
    }

    #[test]
    fn an_error_is_one_short_line_without_secrets() {
        let text = plain("bad\npassword=hunter2\r\u{1b}[31m \u{202e}x");
        assert!(!text.chars().any(char::is_control), "{text}");
        assert!(
            !text.contains("hunter2") && !text.contains('\u{202e}'),
            "{text}"
        );
        assert!(plain(&"ü".repeat(5_000)).chars().count() <= ERROR_CHARS + 10);
    }
}
