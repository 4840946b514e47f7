//! Questions about the visits of web sites: one `.sql` file each, whose header states parameters, columns and rows.
//!
//! All but `live` take the same parameters: the site, the first and the last day in its zone, the period to compare with
//! (`previous`, `year`, `none`), and filters as JSON (`collector.web_analytics_filter`; NULL: none). [`Extra`] is the sixth of those
//! that have one. The statements are the same with and without filters: `collector.web_analytics_sums` takes closed days from their sums,
//! and what is open or filtered from rows. So a question states what it shows; which visits are real, how long one
//! counts, what a bounce is and how a path is written is stated once, in the schema.
//!
//! **Failure.** A filter, goal or funnel that cannot be asked is an error of the server with SQLSTATE 22023 and a sentence for the
//! user. A site that is not known has no rows. What is kept in rows alone (properties, goals, funnels, flow, and everything
//! with filters) has as many days as the site keeps views.

mod asked;
mod filter;
mod param;
mod refusal;
mod site;
mod step;

pub use asked::{Asked, Comparison, Further, ask_live};
pub use filter::{DIMENSIONS, Dimension, FilterError, Filters};
pub use refusal::{reason, remedy};
pub use site::{Site, sites};
pub use step::{Funnel, Goal, Step};

/// The sixth parameter of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extra {
    /// Text: `hour` or `day`.
    Grain,
    /// Text: `utm_source`, `utm_medium`, `utm_campaign`, `utm_term` or `utm_content`.
    Campaign,
    /// Text: the name of an event; empty for all.
    Event,
    /// Text: the path of a page, as `collector.page_key` writes it.
    Page,
    /// JSON: goals with their names.
    Goals,
    /// JSON: the steps of a funnel.
    Steps,
}

/// A question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Its name, as in the file's.
    pub name: &'static str,
    /// The statement.
    pub sql: &'static str,
    /// The sixth parameter; `None`: it has none.
    pub extra: Option<Extra>,
}

/// Declares the questions: a constant and the name of each, and the sixth parameter of those that have one.
macro_rules! questions {
    ($($(#[$doc:meta])* $constant:ident $name:literal $(($extra:ident))?,)+) => {
        impl Question {
            $(
                $(#[$doc])*
                pub const $constant: Self = Self {
                    name: $name,
                    sql: include_str!(concat!($name, ".sql")),
                    extra: questions!(@extra $($extra)?),
                };
            )+
        }

        /// Every question with the parameters of all.
        pub const QUESTIONS: &[Question] = &[$(Question::$constant),+];
    };
    (@extra) => { None };
    (@extra $extra:ident) => { Some(Extra::$extra) };
}

questions! {
    /// The figures of the days.
    SUMMARY "summary",
    /// Visitors and views by hour or day.
    CURVE "curve" (Grain),
    /// Consented visits beside others.
    CONSENT "consent",
    /// Browsers by system.
    BROWSERS "browsers",
    /// Networks.
    ISPS "isps",
    /// Countries.
    COUNTRIES "countries",
    /// Languages.
    LANGUAGES "languages",
    /// Kinds of devices.
    DEVICES "devices",
    /// Widths of windows.
    WIDTHS "widths",
    /// Pages.
    PAGES "pages",
    /// First pages.
    ENTRIES "entries",
    /// Last pages.
    EXITS "exits",
    /// How long pages are read.
    ENGAGED "engaged",
    /// How far pages are read.
    SCROLL "scroll",
    /// Where visits come from.
    SOURCES "sources",
    /// The same, by kind.
    CHANNELS "channels",
    /// The same, by page.
    REFERRERS "referrers",
    /// Campaigns, by one of their parameters.
    CAMPAIGNS "campaigns" (Campaign),
    /// Events by name.
    EVENTS "events",
    /// Properties of events.
    PROPS "props" (Event),
    /// Pages that were not found.
    MISSING "missing",
    /// Goals.
    GOALS "goals" (Goals),
    /// The steps of one funnel.
    FUNNELS "funnels" (Steps),
    /// The pages before and after one.
    FLOW "flow" (Page),
}

/// Who is on a site now; its only parameter is the site.
pub const LIVE: Question = Question {
    name: "live",
    sql: include_str!("live.sql"),
    extra: None,
};

#[cfg(test)]
mod tests {
    use super::*;

    /// What is decided once, in the schema, no question decides again.
    #[test]
    fn no_question_repeats_a_rule_of_the_schema() {
        for question in QUESTIONS.iter().chain([&LIVE]) {
            for word in ["_raw", "health-check", "14400", "split_part"] {
                assert!(!question.sql.contains(word), "{} has {word}", question.name);
            }
        }
    }

    #[test]
    fn every_file_is_a_question() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/traffic");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".sql"))
            .collect();
        files.sort();
        let mut known: Vec<String> = QUESTIONS
            .iter()
            .chain([&LIVE])
            .map(|question| format!("{}.sql", question.name))
            .collect();
        known.sort();
        assert_eq!(files, known);
    }
}
