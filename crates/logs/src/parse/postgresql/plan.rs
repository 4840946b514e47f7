//! Plans of `auto_explain`, in each of its formats, without the constants of their statements and
//! conditions. Labels of plans are the same in every language.

use std::fmt::Write as _;

/// Labels of a plan whose values are expressions or statements.
const EXPRESSIONS: &[&str] = &[
    "Filter",
    "Cond",
    "Key",
    "Output",
    "Text",
    "Call",
    "By",
    "Parameters",
    "SQL",
    "Condition",
    "Qual",
    "Expression",
    "Arguments",
    "Sampling",
    "Disabled",
    "Settings",
    "Options",
    "Name",
    "Index",
    "Command",
];

/// Returns where the plan begins within a message.
pub(super) fn begins(message: &str) -> Option<usize> {
    if let Some(at) = message.find("<Query-Text>") {
        return Some(message[..at].rfind("<explain").unwrap_or(at));
    }
    let at = message.find("Query Text")?;
    if message[..at].ends_with('"') && message[at..].starts_with("Query Text\":") {
        return Some(message[..at].rfind('{').unwrap_or(at - 1));
    }
    let own_line = at == 0 || message[..at].ends_with(['\n', ' ']);
    (own_line && message[at..].starts_with("Query Text:")).then_some(at)
}

/// Returns the plan without constants.
pub(super) fn clean(plan: &str) -> String {
    if plan.starts_with('<') {
        xml(plan)
    } else if plan.starts_with('{') || plan.starts_with("Query Text: \"") {
        quoted(plan)
    } else {
        text(plan)
    }
}

/// Returns JSON and YAML without constants: what is between double quotes is a label, a name, an expression or a
/// statement.
fn quoted(plan: &str) -> String {
    let mut out = String::with_capacity(plan.len());
    let mut rest = plan;
    while let Some(at) = rest.find('"') {
        out.push_str(&rest[..=at]);
        let inner = &rest[at + 1..];
        let mut end = inner.len();
        let mut escaped = false;
        for (at, byte) in inner.bytes().enumerate() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        escape(&mut out, &redact::sql(&unescaped(&inner[..end])));
        rest = &inner[end..];
        if let Some(after) = rest.strip_prefix('"') {
            out.push('"');
            rest = after;
        }
    }
    out.push_str(rest);
    out
}

/// Returns a JSON string's content as text. What is not an escape stays as it is.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let mut chars = rest.chars();
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b' | 'f') => out.push(' '),
            Some('u') => {
                let code = rest
                    .get(1..5)
                    .and_then(|code| u32::from_str_radix(code, 16).ok());
                out.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
                if code.is_some() {
                    rest = &rest[5..];
                    continue;
                }
            }
            Some(c) => out.push(c),
            None => return out,
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    out
}

fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if u32::from(c) < 0x20 => {
                let _written = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
}

/// Returns XML without constants: the content of elements; numbers of their own are figures.
fn xml(plan: &str) -> String {
    let mut out = String::with_capacity(plan.len());
    let mut rest = plan;
    while let Some(at) = rest.find('>') {
        out.push_str(&rest[..=at]);
        rest = &rest[at + 1..];
        let end = rest.find('<').unwrap_or(rest.len());
        let content = &rest[..end];
        let figure = content
            .trim()
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'));
        if figure {
            out.push_str(content);
        } else {
            out.push_str(&redact::sql(content));
        }
        rest = &rest[end..];
    }
    // An element that was cut.
    if !rest.is_empty() && !rest.starts_with('<') {
        out.push_str(&redact::sql(rest));
    } else {
        out.push_str(rest);
    }
    out
}

/// Returns the format for people: the statement up to the first line with costs, then lines of labels.
fn text(plan: &str) -> String {
    let costs = plan.find("(cost=").map_or(plan.len(), |at| {
        plan[..at].rfind('\n').map_or(0, |at| at + 1)
    });
    let (statement, lines) = plan.split_at(costs);
    let mut out = redact::sql(statement);
    for line in lines.split_inclusive('\n') {
        let (content, end) = line
            .strip_suffix('\n')
            .map_or((line, ""), |content| (content, "\n"));
        out.push_str(&node(content));
        out.push_str(end);
    }
    out
}

/// Returns a line of a plan: a node with its costs, or a label with its value.
fn node(line: &str) -> String {
    if let Some(at) = line.find("(cost=").or_else(|| line.find("(actual ")) {
        return [&redact::sql(&line[..at]), &line[at..]].concat();
    }
    let figures = line.split_once(": ").is_some_and(|(label, value)| {
        !EXPRESSIONS.iter().any(|known| label.ends_with(known)) && !value.contains(['\'', '"', '$'])
    });
    // `Rows Removed by Filter: 5` ends as a condition does.
    let counts = line.trim_start().starts_with("Rows Removed by ");
    if figures || counts {
        line.to_owned()
    } else {
        redact::sql(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_go_and_figures_stay_in_every_format() {
        let cases = [
            (
                "Query Text: select *\nfrom t where a = 'x'\nSeq Scan on t1  (cost=0.00..35.50 rows=10 width=4) (actual time=0.010..0.011 rows=1 loops=1)\n  Filter: ((a = 'x'::text) AND (b = 42))\n  Rows Removed by Filter: 5\n  Buffers: shared hit=3",
                "Query Text: select *\nfrom t where a = '…'\nSeq Scan on t1  (cost=0.00..35.50 rows=10 width=4) (actual time=0.010..0.011 rows=1 loops=1)\n  Filter: ((a = '…'::text) AND (b = …))\n  Rows Removed by Filter: 5\n  Buffers: shared hit=3",
            ),
            (
                r#"{
  "Query Text": "select \"b\" from t\nwhere a = 'x'",
  "Plan": { "Node Type": "Seq Scan", "Total Cost": 35.5, "Filter": "(a = 42)" }
}"#,
                r#"{
  "Query Text": "select \"b\" from t\nwhere a = '…'",
  "Plan": { "Node Type": "Seq Scan", "Total Cost": 35.5, "Filter": "(a = …)" }
}"#,
            ),
            (
                "Query Text: \"select 'x'\"\nPlan: \n  Node Type: \"Seq Scan\"\n  Plan Rows: 7\n  Filter: \"(a = 'x'::text)\"",
                "Query Text: \"select '…'\"\nPlan: \n  Node Type: \"Seq Scan\"\n  Plan Rows: 7\n  Filter: \"(a = '…'::text)\"",
            ),
            (
                "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query-Text>select 'x' where 1 &lt; 2</Query-Text>\n  <Plan><Plan-Rows>7</Plan-Rows><Filter>(a = 'x')</Filter></Plan>\n</explain>",
                "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query-Text>select '…' where … &lt; …</Query-Text>\n  <Plan><Plan-Rows>7</Plan-Rows><Filter>(a = '…')</Filter></Plan>\n</explain>",
            ),
            // Cut within a text.
            (
                "{\n  \"Query Text\": \"select 'x",
                "{\n  \"Query Text\": \"select '…'",
            ),
            (
                "<explain>\n<Query-Text>select 'x",
                "<explain>\n<Query-Text>select '…'",
            ),
        ];
        for (plan, expected) in cases {
            assert_eq!(begins(plan), Some(0), "{plan}");
            assert_eq!(clean(plan), expected, "{plan}");
            assert_eq!(clean(expected), expected, "again: {plan}");
        }
    }
}
