//! The present in the forms in which programs write it, in UTC. Lines of a fixed day would be older
//! than what is kept, one day.

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment in UTC.
#[derive(Clone, Copy, Debug)]
pub struct Utc {
    /// Seconds since the epoch.
    pub secs: u64,
    pub millis: u32,
    pub year: u64,
    pub month: u64,
    pub day: u64,
}

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

impl Utc {
    #[expect(
        clippy::disallowed_methods,
        reason = "who writes a log reads the clock"
    )]
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        Self {
            millis: since.subsec_millis(),
            ..Self::at(since.as_secs())
        }
    }

    /// So many seconds after the epoch.
    pub fn at(secs: u64) -> Self {
        // Days and months from days since the epoch, Hinnant 2013, years from March on.
        let days = secs / 86_400 + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day + 2) / 153;
        let month = if shifted < 10 {
            shifted + 3
        } else {
            shifted - 9
        };
        Self {
            secs,
            millis: 0,
            year: era * 400 + year + u64::from(month <= 2),
            month,
            day: day - (153 * shifted + 2) / 5 + 1,
        }
    }

    /// `2026-11-23`, with another separator.
    pub fn date(self, separator: char) -> String {
        let Self {
            year, month, day, ..
        } = self;
        format!("{year}{separator}{month:02}{separator}{day:02}")
    }

    /// `10:00:00`.
    pub fn time(self) -> String {
        let secs = self.secs % 86_400;
        format!("{:02}:{:02}:{:02}", secs / 3600, secs / 60 % 60, secs % 60)
    }

    /// `2026-11-23 10:00:00`, with another separator.
    pub fn instant(self, separator: char) -> String {
        format!("{}{separator}{}", self.date('-'), self.time())
    }

    /// `Nov 23 10:00:00`, with a blank before a day of one digit.
    pub fn syslog(self) -> String {
        format!("{} {:>2} {}", self.month_name(), self.day, self.time())
    }

    pub fn weekday(self) -> &'static str {
        DAYS[(self.secs / 86_400 % 7) as usize]
    }

    pub fn month_name(self) -> &'static str {
        MONTHS[self.month as usize - 1]
    }
}
