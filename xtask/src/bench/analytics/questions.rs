//! How long each question takes, as the dashboard asks it, files and tables in the kernel's cache.

use super::site::Generated;
use super::{CLOSE_WITHIN, Figures};
use crate::bench::figure;
use anyhow::Context;
use std::time::Instant;
use store::traffic::{
    self, Asked, Comparison, Extra, Filters, Funnel, Further, Goal, QUESTIONS, Question, Step,
};

/// How often a question is asked; the median counts, and the first time is not counted.
const TIMES: usize = 3;

/// What a question is asked about, and how long it may take, milliseconds.
struct Case {
    what: &'static str,
    /// Filters: dimension and value.
    filters: &'static [(&'static str, &'static str)],
    /// Whether it is about today, compared with yesterday up to the same hour, or about the days that are over.
    is_open: bool,
    questions: &'static [&'static str],
    target: f64,
}

const CASES: &[Case] = &[
    Case {
        what: "days that are over",
        filters: &[],
        is_open: false,
        questions: &[],
        target: 60.0,
    },
    Case {
        what: "visits from a country (a third of all)",
        filters: &[("country", "DE")],
        is_open: false,
        questions: &["summary", "curve", "sources", "browsers"],
        target: 700.0,
    },
    Case {
        what: "visits from a country (a third of all)",
        filters: &[("country", "DE")],
        is_open: false,
        questions: &["pages", "engaged", "events"],
        target: 2_500.0,
    },
    Case {
        what: "visits that saw a page",
        filters: &[("page", "/page/1/")],
        is_open: false,
        questions: &["summary", "pages", "engaged", "sources"],
        target: 2_500.0,
    },
    Case {
        what: "today, compared with yesterday",
        filters: &[],
        is_open: true,
        questions: &[
            "summary", "curve", "pages", "engaged", "sources", "browsers",
        ],
        target: 60.0,
    },
];

/// Questions that read rows whatever is asked; the target is that of a funnel.
const OF_ROWS: &[&str] = &["goals", "funnels", "flow", "props"];
const OF_ROWS_MS: f64 = 2_000.0;

pub(super) async fn measure(site: &Generated, out: &mut Figures) -> anyhow::Result<()> {
    let session = site.session().await?;
    let stored = traffic::sites(&session.client).await?;
    let stored = stored.into_iter().next().context("there is a site")?;
    let (first, last, today) = site.days;
    for case in CASES {
        let mut filters = Filters::default();
        for (dimension, value) in case.filters {
            filters
                .add(dimension, value)
                .map_err(|error| anyhow::anyhow!("{dimension} {error}"))?;
        }
        let asked = Asked {
            site: stored.clone(),
            days: if case.is_open {
                (today, today)
            } else {
                (first, last)
            },
            comparison: if case.is_open {
                Comparison::Previous
            } else {
                Comparison::None
            },
            filters,
        };
        let questions = QUESTIONS.iter().filter(|question| {
            case.questions.is_empty() || case.questions.contains(&question.name)
        });
        for question in questions {
            let took = ask(&asked, &session, *question).await?;
            let target = if OF_ROWS.contains(&question.name) {
                OF_ROWS_MS
            } else {
                case.target
            };
            let what = format!("{} of {}", question.name, case.what);
            out.add(figure(what, took, "ms", Some(target)));
        }
    }
    session.close(CLOSE_WITHIN).await;
    Ok(())
}

/// Returns how long a question takes, milliseconds.
async fn ask(asked: &Asked, session: &pg::Session, question: Question) -> anyhow::Result<f64> {
    let funnel = Funnel {
        site: None,
        name: "three steps".to_owned(),
        steps: vec![
            Step::Page("/page/0/".to_owned()),
            Step::Page("/page/1/".to_owned()),
            Step::Event("signup".to_owned()),
        ],
    };
    let goals = [
        Goal {
            site: None,
            name: "page".to_owned(),
            step: Step::Page("/page/3/".to_owned()),
        },
        Goal {
            site: None,
            name: "event".to_owned(),
            step: Step::Event("signup".to_owned()),
        },
    ];
    let goals: Vec<&Goal> = goals.iter().collect();
    let further = match question.extra {
        None => Further::Nothing,
        Some(Extra::Grain) => Further::Text("day"),
        Some(Extra::Campaign) => Further::Text("utm_campaign"),
        Some(Extra::Event) => Further::Text("signup"),
        // The most visited page.
        Some(Extra::Page) => Further::Text("/page/0/"),
        Some(Extra::Goals) => Further::Goals(&goals),
        Some(Extra::Steps) => Further::Steps(&funnel),
    };
    asked.ask(&session.client, question, further).await?;
    let mut took = Vec::new();
    for _ in 0..TIMES {
        let begun = Instant::now();
        asked.ask(&session.client, question, further).await?;
        took.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    took.sort_by(f64::total_cmp);
    took.get(TIMES / 2).copied().context("it was asked")
}
