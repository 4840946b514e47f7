//! What is asked: a site, its days, and which visits.

use jiff::civil::Date;
use serde_json::Value;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use super::filter::Filters;
use super::param::{Day, Json};
use super::site::Site;
use super::step::{Funnel, Goal, Step};
use super::{LIVE, Question};
use crate::series::ReadError;

/// What days are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comparison {
    /// As many days before.
    #[default]
    Previous,
    /// The same days a year before.
    Year,
    /// Nothing.
    None,
}

impl Comparison {
    /// Parses the word for it.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "previous" => Some(Self::Previous),
            "year" => Some(Self::Year),
            "none" => Some(Self::None),
            _ => None,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::Year => "year",
            Self::None => "none",
        }
    }
}

/// What all questions about a site have in common.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The site.
    pub site: Site,
    /// The first and last day, in its zone.
    pub days: (Date, Date),
    /// What they are compared with.
    pub comparison: Comparison,
    /// Which visits.
    pub filters: Filters,
}

/// The value of the sixth parameter ([`Extra`](super::Extra)).
#[derive(Clone, Copy, Debug)]
pub enum Further<'a> {
    /// Nothing.
    Nothing,
    /// A text.
    Text(&'a str),
    /// Goals.
    Goals(&'a [&'a Goal]),
    /// The steps of a funnel.
    Steps(&'a Funnel),
}

impl Asked {
    /// Asks a question.
    ///
    /// # Errors
    /// When the statement fails.
    pub async fn ask(
        &self,
        client: &Client,
        question: Question,
        further: Further<'_>,
    ) -> Result<Vec<Row>, ReadError> {
        let days = (Day(self.days.0), Day(self.days.1));
        let comparison = self.comparison.word();
        let filters = Json(self.filters.to_json());
        let mut params: Vec<(&(dyn ToSql + Sync), Type)> = vec![
            (&self.site.id, Type::INT4),
            (&days.0, Type::DATE),
            (&days.1, Type::DATE),
            (&comparison, Type::TEXT),
            (&filters, Type::JSONB),
        ];
        let document = match further {
            Further::Goals(goals) => Some(goals.iter().map(|goal| goal.to_json()).collect()),
            Further::Steps(funnel) => {
                Some(Value::from_iter(funnel.steps.iter().map(Step::to_json)))
            }
            Further::Nothing | Further::Text(_) => None,
        };
        let document = Json(document);
        let text = match &further {
            Further::Text(text) => *text,
            _ => "",
        };
        match further {
            Further::Nothing => {}
            Further::Text(_) => params.push((&text, Type::TEXT)),
            Further::Goals(_) | Further::Steps(_) => params.push((&document, Type::JSONB)),
        }
        let rows = client.query_typed(question.sql, &params).await;
        rows.map_err(|source| ReadError::new(question.name, source))
    }
}

/// Asks who is on a site now, whatever the days and filters.
///
/// # Errors
/// When the statement fails.
pub async fn ask_live(client: &Client, site: i32) -> Result<Vec<Row>, ReadError> {
    let rows = client.query_typed(LIVE.sql, &[(&site, Type::INT4)]).await;
    rows.map_err(|source| ReadError::new(LIVE.name, source))
}
