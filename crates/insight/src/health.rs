//! Health scores: one number for each part of the system, with what it is made of.
//!
//! A score is the weighted mean of components of 0 to 100 ([`Part`] has the weights): how far each metric is from its
//! thresholds, whether objectives are met, and findings that no metric has. A mean hides what is dead among much that is well, so
//! what is open caps it: a critical alert at [`CRITICAL_CAP`], and something that delivers no data at [`SILENT_CAP`]; the
//! row names it. A part of which nothing is known has no score.

use crate::lifecycle::Lifecycle;
use crate::live::Reading;
use crate::slos::{SloFacts, Standing};
use schema::finding::Kind;
use schema::tables::HealthScore;
use schema::{Better, Finding, Json, Levels, Metric, Row, Sample, Severity, Timestamp};
use serde_json::json;
use std::collections::BTreeMap;

/// A part is at most so healthy while a critical alert of it is open: red, as the reference has it below 40.
pub const CRITICAL_CAP: f64 = 39.0;
/// A part is at most so healthy while something of it delivers no data: amber, as the reference has it below 70.
pub const SILENT_CAP: f64 = 69.0;
/// Most components that are listed; the best are left out.
const LISTED: usize = 20;

/// The parts of the system that have a score, with the domains of metrics and findings that belong to each.
pub const AREAS: &[(&str, &[&str])] = &[
    ("system", &["system", "network", "mount", "disk"]),
    ("process", &["process", "process_one"]),
    ("db", &["db", "database", "table", "index"]),
    ("replication", &["replication"]),
    ("statement", &["statement"]),
    ("io", &["io"]),
    ("api", &["api"]),
    ("proxy", &["proxy"]),
    ("target", &["target", "check", "traffic"]),
    ("logs", &["log", "logs", "security"]),
    ("collector", &["collector"]),
];

/// What a component is about; each has its weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The distance of a metric from its thresholds.
    Threshold,
    /// An objective.
    Slo,
    /// A finding that no metric and no objective has.
    Finding,
    /// How unusual a metric is.
    Anomaly,
}

impl Part {
    /// Returns the weight of such a component: that of the reference for metrics and objectives; a finding was made because
    /// somebody has to act, as an objective is.
    #[must_use]
    pub const fn weight(self) -> f64 {
        match self {
            Self::Threshold | Self::Anomaly => 1.0,
            Self::Slo | Self::Finding => 2.0,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Slo => "slo",
            Self::Finding => "finding",
            Self::Anomaly => "anomaly",
        }
    }
}

/// A component of a score.
#[derive(Clone, Debug, PartialEq)]
pub struct Component {
    /// What it is about.
    pub part: Part,
    /// The domain of the metric or finding.
    pub domain: &'static str,
    /// Metric, objective or rule.
    pub name: String,
    /// The key or the target; of a metric with several that of the worst.
    pub key: String,
    /// 0 to 100.
    pub score: f64,
}

/// Collects components.
#[derive(Debug, Default)]
pub struct Health {
    components: Vec<Component>,
    /// What caps an area, and what it is.
    caps: BTreeMap<&'static str, (f64, String)>,
}

impl Health {
    /// Adds a component, as an evaluation of anomalies does.
    pub fn add(&mut self, component: Component) {
        self.components.push(component);
    }

    /// Adds the values of a metric: the worst of its keys counts.
    pub fn add_metric<'a>(
        &mut self,
        metric: &'static Metric,
        readings: impl Iterator<Item = Reading<'a>>,
    ) {
        let Some(levels) = metric.levels else { return };
        let scored = readings.filter_map(|reading| {
            let value = reading.over?;
            let key = reading.key.unwrap_or_default();
            Some((margin(metric.better, &levels, value), key.to_owned()))
        });
        let worst = scored.min_by(|(a, _), (b, _)| a.total_cmp(b));
        if let Some((score, key)) = worst {
            self.add(Component {
                part: Part::Threshold,
                domain: metric.domain.as_str(),
                name: metric.id(),
                key,
                score,
            });
        }
    }

    /// Adds the objectives that have data: as in the reference, one that is missed counts by how much of its budget is spent,
    /// and one that is met or has no budget left does not count.
    pub fn add_slos(&mut self, facts: &SloFacts) {
        for one in &facts.standings {
            if let Some(score) = of_slo(one) {
                self.add(Component {
                    part: Part::Slo,
                    domain: one.slo.metric.domain.as_str(),
                    name: one.slo.name.clone(),
                    key: one.key.clone(),
                    score,
                });
            }
        }
    }

    /// Adds the confirmed findings: what they cap, and those that nothing else stands for.
    pub fn add_findings(&mut self, findings: &Lifecycle) {
        for (finding, is_unknown) in findings.confirmed() {
            self.add_finding(finding, is_unknown);
        }
    }

    fn add_finding(&mut self, finding: &Finding, is_unknown: bool) {
        let Some(area) = area_of(finding.domain) else {
            return;
        };
        let is_critical = finding.kind == Kind::Alert && finding.severity == Severity::Critical;
        let cap = match (is_unknown, is_critical) {
            (true, _) => Some((SILENT_CAP, format!("{}: no data", finding.title))),
            (false, true) => Some((CRITICAL_CAP, finding.message.clone())),
            (false, false) => None,
        };
        if let Some(cap) = cap {
            let known = self.caps.get(area);
            if known.is_none_or(|known| cap.0 < known.0) {
                self.caps.insert(area, cap);
            }
        }
        let stands_elsewhere = finding.rule.contains('.') || finding.rule.starts_with("slo_");
        let score = match finding.severity {
            Severity::Critical => 0.0,
            Severity::Warn => 40.0,
            Severity::Info | Severity::Ok | Severity::Unknown => return,
        };
        if !stands_elsewhere {
            self.add(Component {
                part: Part::Finding,
                domain: finding.domain,
                name: finding.rule.to_owned(),
                key: finding.target.clone(),
                score,
            });
        }
    }

    /// Returns the row of each part of which anything is known.
    #[must_use]
    pub fn rows(&self, at: Timestamp) -> Vec<Row> {
        let scored = AREAS
            .iter()
            .filter_map(|(area, domains)| self.score(area, domains));
        scored.map(|score| score.into_row(at)).collect()
    }

    fn score(&self, area: &'static str, domains: &[&str]) -> Option<HealthScore> {
        let of_area = self.components.iter();
        let mut of_area: Vec<&Component> = of_area
            .filter(|one| domains.contains(&one.domain))
            .collect();
        let cap = self.caps.get(area);
        if of_area.is_empty() && cap.is_none() {
            return None;
        }
        of_area.sort_by(|a, b| {
            a.score
                .total_cmp(&b.score)
                .then_with(|| a.name.cmp(&b.name))
        });
        let weights: f64 = of_area.iter().map(|one| one.part.weight()).sum();
        let sum: f64 = of_area
            .iter()
            .map(|one| one.part.weight() * one.score)
            .sum();
        let mean = (weights > 0.0).then(|| sum / weights);
        let is_silent_only = mean.is_none() && cap.is_some_and(|(most, _)| *most > CRITICAL_CAP);
        let score = match (mean, cap) {
            _ if is_silent_only => None,
            (mean, Some((most, _))) => Some(mean.map_or(*most, |mean| mean.min(*most))),
            (mean, None) => mean,
        };
        // A cap that is above the mean explains nothing.
        let capped_by = cap.filter(|(most, _)| mean.is_none_or(|mean| mean > *most));
        let listed = of_area.iter().take(LISTED).map(|one| {
            json!({
                "part": one.part.as_str(),
                "name": one.name,
                "key": one.key,
                "score": one.score.round(),
                "weight": one.part.weight(),
            })
        });
        Some(HealthScore {
            domain: area.to_owned(),
            score: score.map(f64::round),
            mean_score: mean.map(f64::round),
            capped_by: capped_by.map(|(_, what)| what.clone()),
            component_count: i64::try_from(of_area.len()).unwrap_or(i64::MAX),
            components: document(&json!(listed.collect::<Vec<_>>())),
        })
    }
}

/// Wraps a document; NUL, which `jsonb` does not take, becomes its symbol.
fn document(value: &serde_json::Value) -> Json {
    Json(value.to_string().replace("\\u0000", "\u{2400}"))
}

/// Returns the area that a domain belongs to.
fn area_of(domain: &str) -> Option<&'static str> {
    let found = AREAS.iter().find(|(_, domains)| domains.contains(&domain));
    found.map(|(area, _)| *area)
}

/// Scores the distance of a value from the thresholds of its metric: 0 at the critical one, 40 from the warning on, and below it
/// 100, less the nearer it is than four fifths of the way.
fn margin(better: Better, levels: &Levels, value: f64) -> f64 {
    const NEAR: f64 = 0.8;
    match levels.reached(better, value) {
        Some((Severity::Critical, _)) => return 0.0,
        Some((Severity::Warn, _)) => return 40.0,
        Some(_) | None => {}
    }
    let Some(limit) = levels.warn.or(levels.critical) else {
        return 100.0;
    };
    let way = match better {
        Better::Lower if limit > 0.0 => value / limit,
        // Of a share in percent, 100 is where the way begins.
        Better::Higher if limit > 1.0 && limit < 100.0 => (100.0 - value) / (100.0 - limit),
        Better::Lower | Better::Higher | Better::Neither => return 100.0,
    };
    let near = ((way - NEAR) / (1.0 - NEAR)).clamp(0.0, 1.0);
    100.0 - 30.0 * near
}

/// Scores an objective that is missed, as the reference does; `None`: it is met, has no data, or tolerates nothing.
fn of_slo(one: &Standing) -> Option<f64> {
    let spent = one.consumed().filter(|_| one.is_met() == Some(false))?;
    Some(match spent {
        spent if spent <= 2.0 => 50.0,
        spent if spent <= 4.0 => 30.0,
        _ => 10.0,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Evaluation, rule};

    fn reading(
        id: &str,
        key: Option<&'static str>,
        value: f64,
    ) -> (&'static Metric, Reading<'static>) {
        let metric = schema::metric(id).unwrap();
        let reading = Reading {
            metric,
            key,
            now: Some(value),
            over: Some(value),
            recent: Some(value),
            covered_secs: None,
            sampled_at: None,
        };
        (metric, reading)
    }

    fn of(health: &Health, area: &str) -> Option<HealthScore> {
        let (area, domains) = AREAS.iter().find(|(name, _)| *name == area).unwrap();
        health.score(area, domains)
    }

    #[test]
    fn the_worst_key_counts_and_nearness_costs() {
        let (cpu, calm) = reading("system.cpu_busy_pct", None, 10.0);
        let (full, _) = reading("mount.used_pct", None, 0.0);
        let mut health = Health::default();
        health.add_metric(cpu, [calm].into_iter());
        assert_eq!(of(&health, "system").unwrap().score, Some(100.0));
        let mounts = [("/", 10.0), ("/srv", 100.0)]
            .map(|(key, value)| reading("mount.used_pct", Some(key), value).1);
        health.add_metric(full, mounts.into_iter());
        let score = of(&health, "system").unwrap();
        assert_eq!((score.score, score.component_count), (Some(50.0), 2));
        assert!(
            score.components.0.contains("/srv"),
            "{:?}",
            score.components
        );
        let levels = Levels::new(70.0, 80.0);
        let scores = [10.0, 56.0, 63.0, 70.0, 80.0]
            .map(|value| margin(Better::Lower, &levels, value).round());
        assert_eq!(scores, [100.0, 100.0, 85.0, 40.0, 0.0]);
        assert_eq!(of(&health, "proxy"), None, "nothing is known of it");
    }

    #[test]
    fn what_is_dead_or_silent_caps_the_mean_and_is_named() {
        let up = rule("target.up").unwrap();
        let at = Timestamp(1_000_000_000);
        let mut findings = Lifecycle::new(crate::rules());
        let open = |found: Vec<Finding>, absent: Vec<(&'static str, String)>| Evaluation {
            rules: vec![up],
            found,
            absent,
            ..Evaluation::default()
        };
        let dead = up.finding("api", Severity::Critical, "api does not answer".to_owned());
        drop(findings.reconcile(open(vec![dead.clone()], Vec::new()), at));
        drop(findings.reconcile(open(vec![dead], Vec::new()), Timestamp(2_000_000_000)));
        let mut health = Health::default();
        for id in ["target.bad_values", "target.unfilled_pct"] {
            let (metric, good) = reading(id, Some("api"), 0.0);
            health.add_metric(metric, [good].into_iter());
        }
        assert_eq!(of(&health, "target").unwrap().score, Some(100.0));
        health.add_findings(&findings);
        let score = of(&health, "target").unwrap();
        assert_eq!(
            (score.score, score.mean_score),
            (Some(CRITICAL_CAP), Some(100.0))
        );
        assert_eq!(score.capped_by.as_deref(), Some("api does not answer"));
        // It is silent: whether it still holds is not known.
        let absent = vec![("target.up", "api".to_owned())];
        drop(findings.reconcile(open(Vec::new(), absent), Timestamp(3_000_000_000)));
        let mut silent = Health::default();
        silent.add_findings(&findings);
        let score = of(&silent, "target").unwrap();
        assert_eq!(score.score, None, "of nothing there is no score");
        assert!(score.capped_by.unwrap().contains("no data"));
    }
}
