//! The fast tick: everything that one pipelined round trip reports of a server.

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use pg::PgError;
use schema::tables::{DatabaseSample, DbSample};
use schema::{Row, Sample};

use super::cache::FindingCache;
use super::epoch::Marks;
use super::family::{Asked, FAMILIES, family, rendered};
use super::fill::Draft;
use super::link::{Answer, Link, setting_sources, unreadable};
use super::rights::{self, Right};
use super::visit::NOTHING_MISSING;
use super::{Postgres, sessions};
use crate::{CollectError, Collector, Moment, Outcome};

/// The fast tick of a server as a collector.
pub(super) struct Fast<'a>(pub(super) &'a mut Postgres);

impl Collector for Fast<'_> {
    fn name(&self) -> Cow<'static, str> {
        self.0.run_name("postgres").into()
    }

    /// Connecting and asking are bounded by themselves; this is the net below.
    fn deadline(&self) -> Duration {
        self.0.instance.timeout * 3
    }

    async fn collect(&mut self, at: &Moment, out: &mut Vec<Row>) -> Result<Outcome, CollectError> {
        let began = tokio::time::Instant::now();
        let mut server = Draft::new(DbSample::TABLE);
        self.0.gaps.begin(false);
        let asked = self.0.ask(at, &mut server, out).await;
        let unseen = self.0.gaps.unseen(false);
        let error = match &asked {
            Ok(()) => unseen
                .as_ref()
                .map(|families| format!("cannot see {families}")),
            Err(error) => Some(error.to_string()),
        };
        let epoch = asked.as_ref().ok().and_then(|()| self.0.marks.of_server());
        server.set_epoch(epoch.as_deref());
        server.set("instance", self.0.instance.name.clone());
        server.set("up", asked.is_ok());
        server.set("duration_ms", began.elapsed().as_secs_f64() * 1000.0);
        server.set("error", error);
        out.push(server.into_row(at.ts));
        // Of a server that is gone nobody knows whether its other gaps are fixed.
        let gaps = self.0.gaps.all(asked.is_ok()).cloned();
        out.extend(gaps.map(|gap| gap.into_row(at.ts)));
        asked.map_err(CollectError::from)?;
        Ok(match unseen {
            Some(families) => Outcome::Partial(CollectError::Unseen { families }),
            None => Outcome::Collected,
        })
    }
}

impl Postgres {
    /// Returns a usable session, opened when its time has come.
    pub(super) async fn link(&mut self, at: &Moment) -> Result<&mut Link, Box<PgError>> {
        if self
            .link
            .as_ref()
            .is_some_and(|link| !link.session.is_usable())
        {
            self.link = None;
        }
        if self.link.is_none() {
            if at.monotonic < self.retry.not_before {
                return Err(Box::new(PgError::Answer {
                    what: format!("reach {}", self.instance.target),
                    answer: self.retry.cause.clone().unwrap_or_default(),
                }));
            }
            match Link::open(&self.instance, &self.instance.target).await {
                Ok(link) => {
                    self.retry = super::Retry::default();
                    // Another server may answer now, or a newer one: nothing found before holds.
                    self.cache = FindingCache::default();
                    self.marks = Marks::default();
                    self.link = Some(link);
                }
                Err(error) => {
                    self.retry.failed(at.monotonic, &error);
                    return Err(Box::new(error));
                }
            }
        }
        self.link.as_mut().ok_or_else(|| {
            Box::new(PgError::Gone {
                what: format!("reach {}", self.instance.target),
            })
        })
    }

    /// Asks every family of the tick. An error means that the server answered nothing.
    async fn ask(
        &mut self,
        at: &Moment,
        server: &mut Draft,
        out: &mut Vec<Row>,
    ) -> Result<(), Box<PgError>> {
        let deadline = self.instance.timeout;
        let answers = match self.link(at).await {
            Ok(link) => {
                let families = FAMILIES.iter().filter(|family| family.asked == Asked::Tick);
                link.ask(families, deadline).await
            }
            Err(error) => {
                self.note_unreachable(&error);
                return Err(error);
            }
        };
        self.settings_off.clear();
        let mut last = None;
        let mut answered = false;
        for (family, answer) in answers {
            let taken = match answer {
                Ok(answer) => {
                    answered = true;
                    self.take(family.name, &answer, at, server, out)
                }
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                let gap = self.context("").failed(family, &error);
                self.gaps.note(false, gap);
                last = Some(error);
            }
        }
        self.note_settings_off().await;
        self.complete_remedies().await;
        let lost = self
            .link
            .as_ref()
            .is_none_or(|link| !link.session.is_usable());
        match last {
            Some(error) if lost && !answered => {
                self.gaps.begin(false);
                self.note_unreachable(&error);
                Err(Box::new(error))
            }
            _ => Ok(()),
        }
    }

    /// Names in the remedies of this tick the rights that our role lacks according to the server.
    async fn complete_remedies(&mut self) {
        let Some(mut link) = self.link.take() else {
            return;
        };
        let denied: Vec<_> = self
            .gaps
            .all(false)
            .filter(|gap| gap.state == "denied")
            .cloned()
            .collect();
        for mut gap in denied {
            let Some(family) = family(&gap.family).filter(|_| link.session.is_usable()) else {
                continue;
            };
            let context = self.context_of("", link.session.major_version());
            let grant = rendered(family.grant, context.version);
            let found = rights::remedy(&mut link, &context, &Right::all(&grant, None)).await;
            gap.remedy = found.unwrap_or_else(|| NOTHING_MISSING.to_owned());
            self.gaps.note(false, gap);
        }
        self.link = Some(link);
    }

    fn note_unreachable(&mut self, error: &PgError) {
        let remedy = "look whether the server runs and takes sessions of this role";
        let gap = self
            .context("")
            .gap("server", "unreachable", error.to_string(), remedy);
        self.gaps.note(false, gap);
    }

    /// Takes the answer of a family. Marks come first, so that it is known whose counters the others are.
    fn take(
        &mut self,
        family: &'static str,
        answer: &Answer,
        at: &Moment,
        server: &mut Draft,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        match family {
            "server" => self.take_server(answer, server),
            "activity" => self.take_activity(answer, server),
            "databases" | "replication" => self.take_rows(answer, at, out),
            "sessions" => {
                let found =
                    sessions::read(&self.instance.name, &answer.rows).map_err(unreadable)?;
                out.extend(found.into_iter().map(|session| session.into_row(at.ts)));
                Ok(())
            }
            _ => {
                if let Some(row) = answer.rows.first() {
                    let mark = answer.prepared.plan.reset(row).map_err(unreadable)?;
                    mark.into_iter()
                        .for_each(|mark| self.marks.note(family, mark));
                }
                answer.fill_one(server)
            }
        }
    }

    fn take_server(&mut self, answer: &Answer, server: &mut Draft) -> Result<(), PgError> {
        answer.fill_one(server)?;
        let Some(row) = answer.rows.first() else {
            return Ok(());
        };
        self.settings_off = row.try_get("off").map_err(unreadable)?;
        Ok(())
    }

    /// Notes the settings that are off, with where each was set when this session began: that is asked
    /// once, as it does not change for a session but by a change of the value.
    async fn note_settings_off(&mut self) {
        let off = std::mem::take(&mut self.settings_off);
        if off.is_empty() {
            return;
        }
        let Some(mut link) = self.link.take() else {
            return;
        };
        link.setting_sources.retain(|name, _| off.contains(name));
        if off.len() > link.setting_sources.len() {
            // Without an answer the usual remedy is given, and it is asked again.
            if let Ok(sources) = setting_sources(&mut link, &off).await {
                link.setting_sources = sources;
            }
        }
        for setting in &off {
            let source = link.setting_sources.get(setting);
            let source = source.map_or("", String::as_str);
            let gap = self
                .context_of("", link.session.major_version())
                .off(setting, source);
            self.gaps.note(false, gap);
        }
        self.link = Some(link);
    }

    /// Takes the counts of sessions. Of those that are closed to our role nothing is known, not even how many there are of which
    /// kind: then the counts stay NULL.
    fn take_activity(&mut self, answer: &Answer, server: &mut Draft) -> Result<(), PgError> {
        let Some(row) = answer.rows.first() else {
            return Ok(());
        };
        let hidden: i64 = row.try_get("conn_hidden").map_err(unreadable)?;
        if hidden == 0 {
            return answer.fill_one(server);
        }
        server.set("conn_hidden", hidden);
        let context = self.context("");
        let message = format!(
            "{hidden} sessions are closed to role {}: no counts of sessions, no waits, no statements \
             of others, no state of standbys",
            context.role
        );
        let remedy = context.granted("GRANT pg_read_all_stats TO %ROLE%");
        let gap = context.gap("activity", "denied", message, remedy);
        self.gaps.note(false, gap);
        Ok(())
    }

    fn take_rows(
        &mut self,
        answer: &Answer,
        at: &Moment,
        out: &mut Vec<Row>,
    ) -> Result<(), PgError> {
        let plan = &answer.prepared.plan;
        let sizes = match plan.table().name == DatabaseSample::TABLE.name {
            true => self.unreported_sizes(),
            false => HashMap::new(),
        };
        for row in &answer.rows {
            let mut draft = Draft::new(plan.table());
            draft.set("instance", self.instance.name.clone());
            plan.fill(row, &mut draft).map_err(unreadable)?;
            if let Some(size) = draft.text("database").and_then(|name| sizes.get(name)) {
                draft.set("size_bytes", size.bytes);
                draft.set("xid_age", size.xid_age);
                draft.set("mxid_age", size.mxid_age);
            }
            let reset = plan.reset(row).map_err(unreadable)?.unwrap_or_default();
            draft.set_epoch(self.marks.epoch(reset).as_deref());
            out.push(draft.into_row(at.ts));
        }
        Ok(())
    }
}

impl super::Retry {
    /// A refusal at once costs nothing: it is tried again at the next tick. What took its time, was a
    /// refused login that the server may count, or cost a full server a process, is tried less and less often.
    fn failed(&mut self, now: Duration, error: &PgError) {
        self.is_crowded = error.is_crowded();
        let costly = self.is_crowded
            || matches!(error, PgError::ConnectTimeout { .. })
            || error.class() == pg::Class::Refused;
        self.not_before = match costly {
            true => now + self.backoff.next(jitter()),
            false => now,
        };
        self.cause = Some(error.to_string());
    }
}

/// Returns a number from 0 to 1, so that the sessions of many hosts do not come back in step.
fn jitter() -> f64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let random = RandomState::new().build_hasher().finish();
    f64::from(u32::try_from(random >> 32).unwrap_or_default()) / f64::from(u32::MAX)
}
