//! Which lines belong to a stack trace.
//!
//! Java, Python, Rust and Go print a failure over several lines. Most are indented; the others follow
//! from what stood before. Each rule is about how a line begins.

/// Where in a trace the lines are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Trace {
    /// In none.
    #[default]
    Outside,
    /// After `Traceback (most recent call last):` until the line that names the exception.
    Python,
    /// After `goroutine 1 [running]:`: pairs of a function and an indented place, blank lines between.
    Go,
    /// After `thread '…' panicked at`: one line of message, then notes and the backtrace.
    Rust,
}

/// Beginnings of lines that belong to a trace wherever they stand, and where they lead.
const MARKS: &[(&str, Trace)] = &[
    ("Traceback (most recent call last):", Trace::Python),
    ("During handling of the above exception", Trace::Outside),
    ("The above exception was the direct cause", Trace::Outside),
    ("Caused by: ", Trace::Outside),
    ("Suppressed: ", Trace::Outside),
    ("... ", Trace::Outside),
    ("goroutine ", Trace::Go),
    ("created by ", Trace::Go),
    ("[signal ", Trace::Outside),
    ("exit status ", Trace::Outside),
    ("stack backtrace:", Trace::Outside),
    ("note: ", Trace::Outside),
    ("Stack trace:", Trace::Outside),
    ("Exception in thread ", Trace::Outside),
];

/// Beginnings of lines that a trace follows; they may be an event themselves.
const HEADS: &[(&str, Trace)] = &[
    ("Traceback (most recent call last):", Trace::Python),
    ("goroutine ", Trace::Go),
    ("thread '", Trace::Rust),
    ("panic: ", Trace::Go),
    ("fatal error: ", Trace::Go),
];

impl Trace {
    /// Where a line that is an event's first leads.
    pub(crate) fn after(message: &str) -> Self {
        let found = HEADS.iter().find(|(head, _)| message.starts_with(head));
        match found {
            Some((_, Self::Rust)) if !message.contains(" panicked at ") => Self::Outside,
            Some((_, state)) => *state,
            None => Self::Outside,
        }
    }

    /// Whether a program that says nothing of levels has failed: what it printed begins a trace.
    pub(crate) fn is_failure(message: &str) -> bool {
        Self::after(message) != Self::Outside
    }

    /// Whether the line belongs to the event before.
    pub(crate) fn takes(&mut self, line: &str) -> bool {
        if line.starts_with([' ', '\t']) {
            return true;
        }
        if let Some((_, next)) = MARKS.iter().find(|(mark, _)| line.starts_with(mark)) {
            if *next != Self::Outside {
                *self = *next;
            }
            return true;
        }
        match *self {
            Self::Outside => is_java_exception(line),
            // The exception itself ends the trace: `ValueError: bad`, `KeyboardInterrupt`.
            Self::Python | Self::Rust => {
                *self = Self::Outside;
                true
            }
            Self::Go => line.ends_with(')') || line.contains("(0x") || line.contains("(..."),
        }
    }
}

/// `org.example.BadThing: message` or `java.lang.IllegalStateException`.
fn is_java_exception(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    name.contains('.')
        && ["Exception", "Error", "Throwable"]
            .iter()
            .any(|end| name.ends_with(end))
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$'))
}
