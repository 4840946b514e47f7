//! Goals, and the steps of funnels.

use serde_json::{Value, json};

/// What a visitor does: a page is seen or an event happens; `*` stands for any characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A page, by its path.
    Page(String),
    /// An event, by its name.
    Event(String),
}

impl Step {
    /// Parses a step of a funnel: `event:` and the name of one, or else a path.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text.strip_prefix("event:") {
            Some(name) => Self::Event(name.to_owned()),
            None => Self::Page(text.to_owned()),
        }
    }

    /// Returns the words for it.
    #[must_use]
    pub fn label(&self) -> String {
        match self {
            Self::Page(path) => path.clone(),
            Self::Event(name) => format!("event {name}"),
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Page(path) => json!({ "page": path }),
            Self::Event(name) => json!({ "event": name }),
        }
    }
}

/// What visits shall lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Goal {
    /// The domain of its site; `None`: every site.
    pub site: Option<String>,
    /// Its name.
    pub name: String,
    /// What meets it.
    pub step: Step,
}

impl Goal {
    pub(crate) fn to_json(&self) -> Value {
        let mut value = self.step.to_json();
        value["name"] = Value::from(self.name.as_str());
        value
    }
}

/// Steps that visitors take one after another, two to eight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Funnel {
    /// The domain of its site; `None`: every site.
    pub site: Option<String>,
    /// Its name.
    pub name: String,
    /// The steps, in their order.
    pub steps: Vec<Step>,
}
