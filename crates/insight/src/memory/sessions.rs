//! Sessions of PostgreSQL: the blocking one, the idle one, the one with the longest statement.
//!
//! Only the notable sessions of each server's newest tick are kept, so a session that has ended is no longer named
//! although the window of its problem still includes it.

use super::fields::Fields;
use schema::{Row, Timestamp};

/// What is to blame for a condition; an empty field leaves what the metric states.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Culprit {
    /// Who or what it is, in sentences.
    pub(crate) cause: String,
    /// What to do about it.
    pub(crate) fix: String,
    /// The command for that.
    pub(crate) command: String,
}

/// Longest quotation of a statement, characters.
const QUERY: usize = 160;
const NAME: usize = 60;

/// The notable sessions at the newest tick of each server.
#[derive(Debug, Default)]
pub(crate) struct Sessions {
    all: Vec<Session>,
    /// By server: the instant of its newest tick.
    ticks: Vec<(String, Timestamp)>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Session {
    instance: String,
    /// 0 for a prepared transaction.
    pid: i32,
    database: String,
    role: String,
    application: String,
    state: String,
    query: String,
    query_secs: Option<f64>,
    xact_secs: Option<f64>,
    blocked_by: Option<i32>,
    victims: i64,
}

impl Sessions {
    /// Begins a tick of a server: a newer one replaces the sessions of the one before. Returns whether rows of this
    /// instant count.
    pub(super) fn begin(&mut self, instance: &str, ts: Timestamp) -> bool {
        let known = self.ticks.iter_mut().find(|(name, _)| name == instance);
        match known {
            Some((_, at)) if *at > ts => return false,
            Some((_, at)) if *at == ts => return true,
            Some((_, at)) => *at = ts,
            None => self.ticks.push((instance.to_owned(), ts)),
        }
        self.all.retain(|session| session.instance != instance);
        true
    }

    /// Takes a row of session_samples_raw.
    pub(super) fn take(&mut self, row: &Row) {
        let session = Session::of(Fields(row));
        if self.begin(&session.instance, row.ts) {
            self.all.push(session);
        }
    }

    fn of<'a>(&'a self, instance: &'a str) -> impl Iterator<Item = &'a Session> + Clone {
        self.all
            .iter()
            .filter(move |session| session.instance == instance)
    }

    /// Returns the session at the root of the largest wait tree; of a cycle, which has no root, the one most
    /// sessions wait for.
    pub(crate) fn blocker(&self, instance: &str) -> Option<Culprit> {
        let blocking = self.of(instance).filter(|session| session.victims > 0);
        let roots = blocking
            .clone()
            .filter(|session| session.blocked_by.is_none());
        let others = roots.count().saturating_sub(1);
        let worst = self.root(instance)?;
        let also = match others {
            0 => String::new(),
            n => format!(" {} beside it.", words::counted(n, "other blocker")),
        };
        let cause = format!(
            "{} blocks {}. {}{also}",
            worst.who(),
            worst.victims(),
            worst.doing()
        );
        Some(worst.to_be_ended(cause))
    }

    /// Describes the root of the largest wait tree as a condition: `PID 9150 (…) blocks 2 sessions for 45 s`.
    pub(crate) fn blocking(&self, instance: &str, secs: Option<f64>) -> Option<String> {
        let worst = self.root(instance)?;
        let long = secs.map_or_else(String::new, |secs| {
            format!(" for {}", words::duration(secs))
        });
        Some(format!("{} blocks {}{long}", worst.who(), worst.victims()))
    }

    /// Returns whether the session that a culprit names takes part in a wait tree, blocking or waiting.
    pub(crate) fn is_waiting(&self, instance: &str, command: &str) -> bool {
        let mut of = self.of(instance);
        of.any(|session| {
            (session.victims > 0 || session.blocked_by.is_some())
                && command.contains(&format!("({})", session.pid))
        })
    }

    fn root<'a>(&'a self, instance: &'a str) -> Option<&'a Session> {
        let blocking = self.of(instance).filter(|session| session.victims > 0);
        blocking.max_by_key(|session| (session.blocked_by.is_none(), session.victims))
    }

    /// Returns the session that has been idle in a transaction for longest.
    pub(crate) fn idle(&self, instance: &str) -> Option<Culprit> {
        let idle = self.of(instance).filter(|session| session.is_idle());
        let worst = idle.max_by(|a, b| longer(a.query_secs, b.query_secs))?;
        Some(worst.to_be_ended(format!("{}. {}", worst.who(), worst.doing())))
    }

    /// Returns the session with the oldest transaction.
    pub(crate) fn transaction(&self, instance: &str) -> Option<Culprit> {
        let open = self
            .of(instance)
            .filter(|session| session.xact_secs.is_some());
        let worst = open.max_by(|a, b| longer(a.xact_secs, b.xact_secs))?;
        Some(worst.to_be_ended(format!("{}. {}", worst.who(), worst.doing())))
    }

    /// Returns the session with the longest statement; when it waits for another session, that one.
    pub(crate) fn statement(&self, instance: &str) -> Option<Culprit> {
        let active = self
            .of(instance)
            .filter(|session| session.state == "active");
        let worst = active.max_by(|a, b| longer(a.query_secs, b.query_secs))?;
        if worst.blocked_by.is_some() {
            return self.blocker(instance);
        }
        Some(Culprit {
            cause: format!("{}. {}", worst.who(), worst.doing()),
            fix: "See its plan under Queries; when its result is not needed any more, cancel it:"
                .to_owned(),
            command: format!("SELECT pg_cancel_backend({});", worst.pid),
        })
    }
}

fn longer(a: Option<f64>, b: Option<f64>) -> std::cmp::Ordering {
    a.unwrap_or(-1.0).total_cmp(&b.unwrap_or(-1.0))
}

impl Session {
    fn of(row: Fields<'_>) -> Self {
        let id = |name| row.int(name).and_then(|pid| i32::try_from(pid).ok());
        Self {
            instance: row.text("instance").to_owned(),
            pid: id("pid").unwrap_or_default(),
            database: row.text("database").to_owned(),
            role: row.text("role").to_owned(),
            application: row.text("application").to_owned(),
            state: row.text("state").to_owned(),
            query: row
                .text("query")
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            query_secs: row.number("query_secs"),
            xact_secs: row.number("xact_secs"),
            blocked_by: id("blocked_by"),
            victims: row.int("victims").unwrap_or_default(),
        }
    }

    fn victims(&self) -> String {
        let victims = usize::try_from(self.victims).unwrap_or(usize::MAX);
        words::counted(victims, "session")
    }

    fn is_idle(&self) -> bool {
        self.state.starts_with("idle in transaction")
    }

    fn name(&self) -> String {
        match self.pid {
            0 => "a prepared transaction".to_owned(),
            pid => format!("PID {pid}"),
        }
    }

    /// Formats `PID 4711 (application billing, user app, database shop)`.
    fn who(&self) -> String {
        let about: Vec<String> = [
            ("application", &self.application),
            ("user", &self.role),
            ("database", &self.database),
        ]
        .into_iter()
        .filter(|(_, name)| !name.is_empty())
        .map(|(what, name)| format!("{what} {}", words::cut(name, NAME)))
        .collect();
        let name = match self.pid {
            0 => "A prepared transaction".to_owned(),
            _ => self.name(),
        };
        if about.is_empty() {
            return name;
        }
        format!("{name} ({})", about.join(", "))
    }

    /// Describes what it does, for how long, and with which statement.
    fn doing(&self) -> String {
        let query = words::cut(self.query.trim(), QUERY);
        let long = self.query_secs.map(words::duration);
        let how_long = long.map_or_else(String::new, |long| format!(" for {long}"));
        let (doing, with) = match self.state.as_str() {
            "active" => (format!("Its statement has been running{how_long}"), ":"),
            _ if self.is_idle() => (
                format!("It has been idle in a transaction{how_long}"),
                "; last statement:",
            ),
            _ if self.pid == 0 => (format!("It was prepared and left open{how_long}"), ";"),
            state => (
                format!("It has been {state}{how_long}"),
                "; last statement:",
            ),
        };
        if query.is_empty() {
            return format!("{doing}.");
        }
        format!("{doing}{with} {query}")
    }

    /// Returns it as a culprit with the command that terminates it. A prepared transaction has no process;
    /// the command looks up its identifier.
    fn to_be_ended(&self, cause: String) -> Culprit {
        if self.pid == 0 {
            return Culprit {
                cause,
                fix: "Find its identifier, then COMMIT PREPARED or ROLLBACK PREPARED it:".to_owned(),
                command: "SELECT gid, prepared, owner, database FROM pg_prepared_xacts ORDER BY prepared;"
                    .to_owned(),
            };
        }
        Culprit {
            cause,
            fix: "When its transaction may be rolled back, end the session:".to_owned(),
            command: format!("SELECT pg_terminate_backend({});", self.pid),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(pid: i32, state: &str, secs: f64) -> Session {
        Session {
            instance: "store".to_owned(),
            pid,
            database: "shop".to_owned(),
            role: "app".to_owned(),
            application: "billing".to_owned(),
            state: state.to_owned(),
            query: format!("UPDATE t{pid}"),
            query_secs: Some(secs),
            xact_secs: Some(secs),
            ..Session::default()
        }
    }

    fn those(all: Vec<Session>) -> Sessions {
        Sessions {
            all,
            ..Sessions::default()
        }
    }

    fn waiting(pid: i32, secs: f64, blocked_by: i32) -> Session {
        Session {
            blocked_by: Some(blocked_by),
            ..session(pid, "active", secs)
        }
    }

    fn blocking(victims: i64, session: Session) -> Session {
        Session { victims, ..session }
    }

    #[test]
    fn the_root_is_named_and_not_its_waiters() {
        let sessions = those(vec![
            blocking(1, waiting(2, 50.0, 1)),
            blocking(2, session(1, "idle in transaction", 720.0)),
            waiting(3, 40.0, 2),
            blocking(
                9,
                Session {
                    instance: "other".to_owned(),
                    ..session(9, "active", 1.0)
                },
            ),
        ]);
        let found = sessions.blocker("store").unwrap();
        assert_eq!(
            found.cause,
            "PID 1 (application billing, user app, database shop) blocks 2 sessions. It has been idle in a \
             transaction for 12 min; last statement: UPDATE t1"
        );
        assert_eq!(found.command, "SELECT pg_terminate_backend(1);");
        // The longest statement only waits: the one to act on is the same.
        assert_eq!(sessions.statement("store"), Some(found));
        assert_eq!(sessions.blocker("nowhere"), None);
    }

    #[test]
    fn several_blockers_are_counted_and_a_cycle_has_one_too() {
        let two = those(vec![
            blocking(1, session(1, "active", 9.0)),
            blocking(3, session(2, "active", 9.0)),
        ]);
        let found = two.blocker("store").unwrap();
        assert!(found.cause.starts_with("PID 2 ("), "{}", found.cause);
        assert!(
            found
                .cause
                .ends_with("UPDATE t2 1 other blocker beside it."),
            "{}",
            found.cause
        );
        let ring = those(vec![
            blocking(2, waiting(1, 9.0, 2)),
            blocking(1, waiting(2, 9.0, 1)),
        ]);
        assert_eq!(
            ring.blocker("store").unwrap().command,
            "SELECT pg_terminate_backend(1);"
        );
    }

    #[test]
    fn idle_sessions_and_statements_are_distinguished() {
        let sessions = those(vec![
            session(1, "active", 300.0),
            session(2, "idle in transaction (aborted)", 400.0),
            session(3, "idle in transaction", 100.0),
        ]);
        assert_eq!(
            sessions.idle("store").unwrap().command,
            "SELECT pg_terminate_backend(2);"
        );
        assert_eq!(
            sessions.transaction("store").unwrap().command,
            "SELECT pg_terminate_backend(2);"
        );
        assert_eq!(
            sessions.statement("store").unwrap().command,
            "SELECT pg_cancel_backend(1);"
        );
        assert_eq!(those(vec![session(1, "active", 9.0)]).idle("store"), None);
    }

    #[test]
    fn a_prepared_transaction_has_no_process_to_end() {
        let prepared = Session {
            application: String::new(),
            role: String::new(),
            query: String::new(),
            ..session(0, "prepared transaction", 60.0)
        };
        let found = those(vec![blocking(1, prepared)]).blocker("store").unwrap();
        assert_eq!(
            found.cause,
            "A prepared transaction (database shop) blocks 1 session. It was prepared and left open for 60 s."
        );
        assert!(!found.command.contains("backend"), "{}", found.command);
    }

    #[test]
    fn long_texts_are_cut() {
        let long = Session {
            query: "x".repeat(500),
            application: "y".repeat(90),
            ..session(1, "active", 9.0)
        };
        let cause = those(vec![long]).statement("store").unwrap().cause;
        assert!(cause.chars().count() < 330, "{}", cause.chars().count());
    }
}
