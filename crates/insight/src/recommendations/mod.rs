//! Recommendations: findings that state what to do.
//!
//! Nothing is judged twice. A recommendation follows from an open finding, whatever its kind: it has that finding's evidence,
//! steps and statement, and a category, subject and title of its own ([`RECOMMENDATIONS`]), which are written into the
//! details of the finding and which the view `collector.recommendations` reads from there. What follows from another finding that
//! has one has none: who resolves the cause resolves both. A rule that no other part of the
//! system needs has a judge here: statements ([`StatementJudge`]) and updates of tables ([`ChurnJudge`]).
//!
//! What was recommended is verified a day after its cause has ended ([`verification`]).

mod catalogue;
mod churn;
mod decay;
mod statements;
pub mod verification;

pub use catalogue::{RECOMMENDATIONS, Recommendation};
pub use churn::ChurnJudge;
pub use statements::StatementJudge;

use schema::Finding;
use serde_json::{Map, Value, json};
use std::collections::HashMap;
use std::sync::LazyLock;

/// By rule.
static BY_RULE: LazyLock<HashMap<&'static str, &'static Recommendation>> = LazyLock::new(|| {
    let each = RECOMMENDATIONS.iter();
    each.flat_map(|one| one.rules.iter().map(move |rule| (*rule, one)))
        .collect()
});

/// Returns the recommendation that follows from findings of a rule.
#[must_use]
pub fn of_rule(rule: &str) -> Option<&'static Recommendation> {
    BY_RULE.get(rule).copied()
}

/// Returns the details of a finding that follows from one of the rule `cause`: a JSON object, with the recommendation that
/// follows from it under `advice`.
pub(crate) fn details(finding: &Finding, cause: Option<&str>) -> Option<String> {
    let is_recommended = |rule| of_rule(rule).is_some();
    let Some(advice) = of_rule(finding.rule).filter(|_| !cause.is_some_and(is_recommended)) else {
        return finding.details.clone();
    };
    let own = finding.details.as_deref().unwrap_or("{}");
    let mut details: Map<String, Value> = serde_json::from_str(own).unwrap_or_default();
    let target = target(advice.target, finding, &details);
    details.insert(
        "advice".to_owned(),
        json!({"category": advice.category, "target": target, "title": advice.title}),
    );
    Some(Value::Object(details).to_string())
}

/// Fills the form of a target.
fn target(form: &str, finding: &Finding, details: &Map<String, Value>) -> String {
    let key = finding.target.as_str();
    // The target of a process ends in its id.
    let process = match key.rsplit_once(' ') {
        Some((name, pid)) if pid.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => key,
    };
    let source = details.get("source").and_then(Value::as_str);
    let (form, part) = match form {
        form if form.contains("{process}") => (form, ("{process}", process)),
        form if form.contains("{source}") => (form, ("{source}", source.unwrap_or(key))),
        form => (form, ("{key}", key)),
    };
    let form = form.replace("{rule}", finding.rule);
    let filled = form.replacen(part.0, part.1, 1);
    // Of a subject that is the only one of its kind, its kind is left.
    match filled.strip_suffix(':') {
        Some(kind) if key.is_empty() => kind.to_owned(),
        _ => filled,
    }
}

#[cfg(test)]
mod tests;
