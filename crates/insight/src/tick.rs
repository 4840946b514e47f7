//! All judges of the tick, with the memory that they share.

use crate::causes::CauseJudge;
use crate::changes::ChangeDetector;
use crate::checks::ChecksJudge;
use crate::connections::ConnectionJudge;
use crate::delivery::DeliveryJudge;
use crate::health::Health;
use crate::io_pressure::IoPressureJudge;
use crate::judge::{Judge, TickFacts};
use crate::lifecycle::{Evaluation, Lifecycle};
use crate::live::Intervals;
use crate::memory::Memory;
use crate::mounts::MountJudge;
use crate::normal::NormalJudge;
use crate::processes::ProcessJudge;
use crate::recommendations::{ChurnJudge, StatementJudge};
use crate::rule::Rule;
use crate::storing::StoringJudge;
use crate::thresholds::Thresholds;
use crate::vacuum::VacuumJudge;
use schema::expr::ExprError;
use schema::tables::{ChangeMarker, FindingTransition};
use schema::{Row, Timestamp};
use store::changes::Change;
use store::crowding::Crowding;
use store::findings::Begun;

/// Declares the judges of the tick, each with its rules and its turn.
macro_rules! judges {
    ($($judge:ident: $kind:ty,)+) => {
        #[derive(Debug, Default)]
        struct Judges {
            $($judge: $kind,)+
        }

        impl Judges {
            fn rules() -> impl Iterator<Item = &'static Rule> {
                std::iter::empty()$(.chain(<$kind>::rules()))+
            }

            fn evaluate(
                &mut self,
                facts: &mut TickFacts<'_>,
                open: &Lifecycle,
                at: Timestamp,
            ) -> Evaluation {
                let mut whole = Evaluation::default();
                $(whole.join(self.$judge.evaluate(facts.lend(), open, at));)+
                whole
            }
        }
    };
}

judges! {
    thresholds: Thresholds,
    processes: ProcessJudge,
    delivery: DeliveryJudge,
    storing: StoringJudge,
    checks: ChecksJudge,
    vacuum: VacuumJudge,
    connections: ConnectionJudge,
    io_pressure: IoPressureJudge,
    mounts: MountJudge,
    normal: NormalJudge,
    statements: StatementJudge,
    churn: ChurnJudge,
}

/// Judges rows as they are collected.
#[derive(Debug)]
pub struct TickJudges {
    memory: Memory,
    intervals: Intervals,
    judges: Judges,
    changes: ChangeDetector,
    causes: CauseJudge,
}

/// What follows from the rows of a tick, each with its time.
#[derive(Debug, Default)]
pub struct Judged {
    /// Transitions of findings.
    pub transitions: Vec<(Timestamp, FindingTransition)>,
    /// What was changed on the host.
    pub changes: Vec<(Timestamp, ChangeMarker)>,
}

impl TickJudges {
    /// Begins without rows.
    ///
    /// # Errors
    /// When an expression of the catalogue cannot be evaluated in memory; a test shows that all can.
    pub fn new(intervals: Intervals) -> Result<Self, ExprError> {
        Ok(Self {
            memory: Memory::new(intervals)?,
            intervals,
            judges: Judges::default(),
            changes: ChangeDetector::default(),
            causes: CauseJudge::new(intervals),
        })
    }

    /// Returns the rules of all judges of the tick.
    pub fn rules() -> impl Iterator<Item = &'static Rule> {
        Judges::rules()
    }

    /// Adds how far the metrics in memory are from their thresholds.
    pub fn add_health(&mut self, health: &mut Health, at: Timestamp) {
        let (live, _) = self.memory.parts();
        live.read(at, |metric, readings| health.add_metric(metric, readings));
    }

    /// Notes that the run before this one ended without being stopped; `last` is when it wrote last.
    pub fn note_crash(&mut self, last: Timestamp) {
        self.judges.delivery.note_crash(last);
    }

    /// Takes the sessions that the database has no room for now.
    pub fn note_crowding(&mut self, crowding: Crowding) {
        self.judges.delivery.note_crowding(crowding);
    }

    /// Returns the judge of what is unusual, which learns: its state is to be saved and restored.
    pub const fn normal(&mut self) -> &mut NormalJudge {
        &mut self.judges.normal
    }

    /// Follows a change of the configuration: what is watched, and how often.
    pub fn reconfigure(&mut self, intervals: Intervals) {
        self.intervals = intervals;
        self.memory.set_intervals(intervals);
        self.memory.forget_services();
        self.causes.set_intervals(intervals);
        self.judges.processes.forget();
        self.changes.reconfigure();
    }

    /// Takes batches of rows, evaluates every judge up to `at` and returns what follows.
    #[must_use]
    pub fn judge(&mut self, batches: &[&[Row]], findings: &mut Lifecycle, at: Timestamp) -> Judged {
        for rows in batches {
            self.memory.take(rows);
        }
        let mut facts = TickFacts {
            memory: &mut self.memory,
            rows: batches,
            intervals: self.intervals,
        };
        let changes = self.changes.observe(&facts, at);
        let evaluation = self.judges.evaluate(&mut facts, findings, at);
        self.causes.note_tick(at);
        let known = changes.iter().map(|(at, marker)| Change::new(*at, marker));
        self.causes.note_changes(known);
        let mut transitions = findings.reconcile(evaluation, at);
        transitions.extend(self.causes.follow(&transitions, findings, at));
        Judged {
            transitions,
            changes,
        }
    }

    /// Takes the evaluation of another judge and returns the transitions that follow from it, and from what began with it.
    #[must_use]
    pub fn settle(
        &mut self,
        evaluation: Evaluation,
        findings: &mut Lifecycle,
        at: Timestamp,
    ) -> Vec<(Timestamp, FindingTransition)> {
        let mut transitions = findings.reconcile(evaluation, at);
        transitions.extend(self.causes.follow(&transitions, findings, at));
        transitions
    }

    /// Takes what began on this host since `known_since`, once the life cycle has what the database has open; from now on
    /// problems that begin together are one. Returns the transitions that follow.
    #[must_use]
    pub fn begin_relating(
        &mut self,
        begun: &[Begun],
        known_since: Timestamp,
        findings: &mut Lifecycle,
        at: Timestamp,
    ) -> Vec<(Timestamp, FindingTransition)> {
        self.causes.begin(begun, known_since, findings, at);
        self.causes.follow(&[], findings, at)
    }

    /// Takes changes of the host that its logs report.
    pub fn note_changes(&mut self, changes: Vec<Change>) {
        self.causes.note_changes(changes);
    }
}
