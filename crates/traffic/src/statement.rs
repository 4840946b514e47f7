//! The statements of the questions.

/// The statement of a question, a file of `sql/`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// The question, for messages.
    pub name: &'static str,
    /// The text.
    pub sql: &'static str,
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident = $file:literal;)*) => {
        impl Statement {
            $(
                $(#[$doc])*
                pub const $name: Self = Self {
                    name: $file,
                    sql: include_str!(concat!("../sql/", $file, ".sql")),
                };
            )*

            /// Every statement.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

statements! {
    /// The figures of the days.
    SUMMARY = "summary";
    /// Visitors and views by hour or day.
    CURVE = "curve";
    /// Consented visits beside others.
    CONSENT = "consent";
    /// Browsers by system.
    BROWSERS = "browsers";
    /// Networks.
    ISPS = "isps";
    /// Countries.
    COUNTRIES = "countries";
    /// Languages.
    LANGUAGES = "languages";
    /// Kinds of devices.
    DEVICES = "devices";
    /// Widths of windows.
    WIDTHS = "widths";
    /// Pages.
    PAGES = "pages";
    /// First pages.
    ENTRIES = "entries";
    /// Last pages.
    EXITS = "exits";
    /// How long pages are read.
    ENGAGED = "engaged";
    /// How far pages are read.
    SCROLL = "scroll";
    /// Where visits come from.
    SOURCES = "sources";
    /// The same, by kind.
    CHANNELS = "channels";
    /// The same, by page.
    REFERRERS = "referrers";
    /// Campaigns, by one of their parameters.
    CAMPAIGNS = "campaigns";
    /// Events by name.
    EVENTS = "events";
    /// Properties of events.
    PROPS = "props";
    /// Pages that were not found.
    MISSING = "missing";
    /// Goals.
    GOALS = "goals";
    /// One funnel.
    FUNNELS = "funnels";
    /// The pages before and after one.
    FLOW = "flow";
    /// The last minutes.
    LIVE = "live";
}

#[cfg(test)]
mod tests {
    use super::Statement;

    /// Rules about which rows count and how a path is written stand once, in the schema.
    #[test]
    fn no_question_repeats_a_rule_of_the_schema() {
        assert!(!Statement::ALL.is_empty());
        for statement in Statement::ALL {
            let sql = statement
                .sql
                .lines()
                .filter(|line| !line.starts_with("--"))
                .collect::<Vec<_>>()
                .join("\n");
            for rule in ["_raw", "health-check", "14400", "split_part", "synthetic"] {
                assert!(!sql.contains(rule), "{} has {rule}", statement.name);
            }
        }
    }
}
