//! Which lines belong to a stack trace.
//!
//! Programs print a failure over several lines. Most are indented; the others follow from what stood
//! before, or have a shape that nothing else has. Each rule is about how a line begins or ends.

use super::head::is_number;

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
    /// After the place of a failure of Node: an excerpt, the error, its frames.
    Node,
    /// Within the quotes of nginx's `FastCGI sent in stderr: "`, until `" while reading …`.
    Quoted,
    /// Within a report whose lines have no form of their own: all of them.
    Report,
}

/// Beginnings of lines that belong to a trace wherever they stand, and where they lead.
const MARKS: &[(&str, Trace)] = &[
    ("Traceback (most recent call last):", Trace::Python),
    ("During handling of the above exception", Trace::Outside),
    ("The above exception was the direct cause", Trace::Outside),
    ("Exception ignored in: ", Trace::Outside),
    ("Caused by:", Trace::Outside),
    ("Suppressed: ", Trace::Outside),
    ("Wrapped by: ", Trace::Outside),
    ("... ", Trace::Outside),
    ("goroutine ", Trace::Go),
    ("runtime stack:", Trace::Go),
    ("created by ", Trace::Go),
    ("[signal ", Trace::Outside),
    ("exit status ", Trace::Outside),
    ("stack backtrace:", Trace::Outside),
    ("Stack backtrace:", Trace::Outside),
    ("note: ", Trace::Outside),
    ("Stack trace:", Trace::Outside),
    ("PHP Stack trace:", Trace::Outside),
    ("Exception in thread ", Trace::Outside),
    ("--- End of ", Trace::Outside),
    ("Node.js v", Trace::Outside),
    ("** ", Trace::Outside),
];

/// Beginnings of lines that a trace follows; they may be an event themselves.
const HEADS: &[(&str, Trace)] = &[
    ("Traceback (most recent call last):", Trace::Python),
    ("goroutine ", Trace::Go),
    ("thread '", Trace::Rust),
    ("panic: ", Trace::Go),
    ("fatal error: ", Trace::Go),
    ("node:internal/", Trace::Node),
    (QUOTED, Trace::Quoted),
];

/// How nginx begins what a FastCGI program wrote.
const QUOTED: &str = "FastCGI sent in stderr: \"";

impl Trace {
    /// Returns where a line that is an event's first leads.
    pub(crate) fn after(message: &str) -> Self {
        let first = message.as_bytes().first();
        let found = (HEADS.iter())
            .find(|(head, _)| head.as_bytes().first() == first && message.starts_with(head));
        match found {
            Some((_, Self::Rust)) if !message.contains(" panicked at ") => Self::Outside,
            Some((head, Self::Quoted)) if ends_quote(&message[head.len()..]) => Self::Outside,
            Some((_, state)) => *state,
            None if is_place_of_node(message) => Self::Node,
            None => Self::Outside,
        }
    }

    /// Returns whether a program that states nothing of levels has failed: what it printed begins a trace.
    pub(crate) fn is_failure(message: &str) -> bool {
        Self::after(message) != Self::Outside
            || is_frame_of_ruby(message)
            || message.starts_with("Unhandled exception. ")
            || message.starts_with("Exception in thread ")
            || message.starts_with("Uncaught ")
    }

    /// Returns whether the line belongs to the event before.
    pub(crate) fn takes(&mut self, line: &str) -> bool {
        match *self {
            Self::Report => return true,
            Self::Quoted => {
                if ends_quote(line) {
                    *self = Self::Outside;
                }
                return true;
            }
            _ if line.starts_with([' ', '\t']) => return true,
            // A bracket that closes what was opened on the lines before begins nothing.
            _ if matches!(line, "}" | "]" | ")" | "};" | "});") => return true,
            _ => {}
        }
        if let Some((_, next)) = MARKS.iter().find(|(mark, _)| line.starts_with(mark)) {
            if *next != Self::Outside {
                *self = *next;
            }
            return true;
        }
        match *self {
            // The exception itself ends the trace: `ValueError: bad`, `KeyboardInterrupt`.
            Self::Python | Self::Rust => {
                *self = Self::Outside;
                true
            }
            Self::Go => {
                line.ends_with(')')
                    || line.contains("(0x")
                    || line.contains("(...")
                    || is_function_of_go(line)
            }
            Self::Node if is_error_of_node(line) => {
                *self = Self::Outside;
                true
            }
            _ if is_function_of_go(line) && is_path_of_go(line) => {
                *self = Self::Go;
                true
            }
            _ => is_java_exception(line) || is_frame(line),
        }
    }
}

/// Returns whether the text is `… on line 19" while reading response header from upstream, client: …`
fn ends_quote(line: &str) -> bool {
    line.contains("\" while ")
}

/// Returns whether the text is `org.example.BadThing: message` or `java.lang.IllegalStateException`.
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

/// Returns a frame whose blanks in front were lost, or never written: of Java, .NET and Node (`at a.B(C.java:1)`),
/// PHP (`#0 /srv/x.php(7): f()`), Ruby (``/srv/x.rb:7:in `f'``).
fn is_frame(line: &str) -> bool {
    if let Some(place) = line.strip_prefix("at ") {
        return place.ends_with(')') || place.contains(":line ") || place.contains(".js:");
    }
    if let Some(frame) = line.strip_prefix('#') {
        let digits = frame.bytes().take_while(u8::is_ascii_digit).count();
        return digits > 0 && digits <= 4 && frame[digits..].starts_with(' ');
    }
    if let Some(frame) = line.strip_prefix("from ") {
        return has_place_of_ruby(frame);
    }
    has_place_of_ruby(line) && !is_frame_of_ruby(line)
}

/// Returns whether the text is ``/srv/x.rb:7:in `f'``
fn has_place_of_ruby(line: &str) -> bool {
    let Some(at) = line.find(":in ") else {
        return false;
    };
    let is_place = line[..at]
        .rsplit_once(':')
        .is_some_and(|(file, number)| !file.is_empty() && is_number(number));
    is_place && line[at + 4..].starts_with(['`', '\''])
}

/// Returns whether the text is ``/srv/x.rb:7:in `f': message (ArgumentError)``: the frame that a failure begins with.
fn is_frame_of_ruby(line: &str) -> bool {
    has_place_of_ruby(line) && line.contains("': ")
}

/// Returns whether the text is `/srv/index.js:7`: where the excerpt stands that Node begins with.
fn is_place_of_node(line: &str) -> bool {
    line.starts_with(['/', 'f'])
        && line.rsplit_once(':').is_some_and(|(file, number)| {
            is_number(number)
                && [".js", ".mjs", ".cjs", ".ts"]
                    .iter()
                    .any(|end| file.ends_with(end))
        })
}

/// Returns whether the text is `TypeError: x is not a function`, `Error [ERR_X]: …`, `Uncaught 'x'`.
fn is_error_of_node(line: &str) -> bool {
    let name = line.split([':', ' ']).next().unwrap_or_default();
    name.ends_with("Error") || name.ends_with("Exception") || name == "Uncaught"
}

/// Returns whether the text is `example.org/a/b.(*T[...]).f`, `main.main`: nothing but the name of a function.
fn is_function_of_go(line: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/()*[]~$%{},".contains(&byte);
    let last = line.rsplit('/').next().unwrap_or_default();
    line.starts_with(|first: char| first.is_ascii_alphabetic())
        && line.bytes().all(plain)
        && last
            .split_once('.')
            .is_some_and(|(package, function)| !package.is_empty() && !function.is_empty())
}

/// Returns whether the name of a function cannot be anything else, as a host or a file.
fn is_path_of_go(line: &str) -> bool {
    let host = line.split('/').next().unwrap_or_default();
    (line.contains('/') && host.contains('.'))
        || line.contains(".(*")
        || ["main.", "runtime.", "net/http."]
            .iter()
            .any(|package| line.starts_with(package))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns how many of the lines belong to the event that the first begins.
    fn taken(text: &str) -> usize {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let mut trace = Trace::after(lines.next().unwrap());
        lines.take_while(|line| trace.takes(line)).count()
    }

    #[test]
    fn traces_of_every_language_are_taken() {
        // Lines of an event, and what follows it; lines that join.
        let cases = [
            (
                "failed\njava.lang.IllegalStateException: no\n\tat a.B.c(B.java:1)\nCaused by: x.Y: z\n\t... 3 more\n\tSuppressed: x.Y: z\nnext",
                5,
            ),
            (
                "failed\njava.lang.IllegalStateException: no\nat a.B.c(B.java:1)\nat a.B.d(Unknown Source)\nnext",
                3,
            ),
            (
                "Traceback (most recent call last):\n  File \"x\", line 1\nKeyError: 'a'\n\nDuring handling of the above exception, another exception occurred:\n\nTraceback (most recent call last):\n  File \"x\", line 2\nValueError: b\nnext",
                6,
            ),
            (
                "panic: no [recovered]\n\tpanic: no\n[signal SIGSEGV: x]\ngoroutine 1 [running]:\nmain.f(0x1)\n\t/srv/main.go:4\nmain.main()\n\t/srv/main.go:8\ncreated by main.g in goroutine 1\n\t/srv/main.go:9\nexit status 2\nnext line",
                10,
            ),
            (
                "no data\nexample.org/a/internal.NewSender.func3\n\texample.org/a/s.go:1\nexample.org/a/b.(*c[...]).Consume\n\tx.go:23\nruntime.goexit\n\tasm.s:1\nnext",
                6,
            ),
            (
                "/srv/index.js:7\n    throw new Error('no')\n    ^\n\nError: no\n    at main (/srv/index.js:7:9)\n    at node:internal/x:1 {\n  code: 'E'\n}\n\nNode.js v20.1.0\nnext",
                8,
            ),
            (
                "node:internal/x:496\n    x;\n    ^\nError: connect ECONNREFUSED\n    at x\nnext",
                4,
            ),
            (
                "Unhandled exception. System.InvalidOperationException: no\n   at A.B() in /srv/a.cs:line 1\n   --- End of inner exception stack trace ---\n--- End of stack trace from previous location ---\n   at A.C()\nnext",
                4,
            ),
            (
                "System.Exception: no\n ---> System.ArgumentException: x\n   at A.B()\nnext",
                2,
            ),
            (
                "/srv/x.rb:7:in `f': no (ArgumentError)\n\tfrom /srv/x.rb:9:in `g'\n\tfrom /srv/x.rb:11:in `<main>'\nnext",
                2,
            ),
            (
                "NoMethodError (undefined method):\napp/models/x.rb:7:in `f'\n/usr/lib/ruby/y.rb:9:in 'Foo#g'\nnext",
                2,
            ),
            (
                "thread 'main' panicked at src/main.rs:1:1:\nno\nstack backtrace:\n   0: main\nnote: run with `RUST_BACKTRACE=1`\nnext",
                4,
            ),
            (
                "Error: no\n\nCaused by:\n    0: x\n\nStack backtrace:\n   0: y\nnext",
                4,
            ),
            (
                "PHP Fatal error:  no in /x.php:3\nStack trace:\n#0 /x.php(7): f()\n#1 {main}\n  thrown in /x.php on line 3\nnext",
                4,
            ),
            (
                "FastCGI sent in stderr: \"PHP message: no\nStack trace:\nanything at all\n#2 {main}\n  thrown\" while reading response header from upstream, client: 192.0.2.1\nnext",
                4,
            ),
            (
                "FastCGI sent in stderr: \"no\" while reading upstream, client: 192.0.2.1\nnext",
                0,
            ),
            (
                "no\n** (RuntimeError) x\n    (app 0.1) lib/x.ex:12: X.y/1\nnext",
                2,
            ),
            ("done\nwww.example.com\nnext", 0),
            ("done\nreport.txt\nnext", 0),
            ("done\n# a comment\nnext", 0),
            ("done\nat noon it rained\nnext", 0),
        ];
        for (text, lines) in cases {
            assert_eq!(taken(text), lines, "{text}");
        }
    }

    #[test]
    fn a_failure_is_known_by_its_first_line() {
        let cases = [
            ("Traceback (most recent call last):", true),
            ("panic: no", true),
            ("/srv/x.rb:7:in `f': no (ArgumentError)", true),
            ("Unhandled exception. System.Exception: no", true),
            ("/srv/index.js:7", true),
            ("thread 'main' started", false),
            ("all is well", false),
        ];
        for (line, is_one) in cases {
            assert_eq!(Trace::is_failure(line), is_one, "{line}");
        }
    }
}
