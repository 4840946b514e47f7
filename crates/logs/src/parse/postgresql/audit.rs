//! Lines of the extension pgaudit: fields parted by commas, a statement and its parameters among them.
//!
//! `AUDIT: SESSION,1,1,READ,SELECT,TABLE,public.t,"select …",<not logged>`

use redact::MARK;

/// Fields before the statement; class, command, type and name of the object are not constants.
const STATEMENT: usize = 7;

/// Returns the fields without constants.
pub(super) fn clean(fields: &str) -> String {
    let mut out = String::with_capacity(fields.len());
    let mut rest = fields;
    for at in 0.. {
        let (field, after) = field(rest);
        let content = field
            .strip_prefix('"')
            .map_or(field, |quoted| quoted.strip_suffix('"').unwrap_or(quoted));
        if at < STATEMENT {
            out.push_str(field);
        } else if at == STATEMENT {
            let statement = redact::sql(&content.replace("\"\"", "\""));
            let quote = if field.starts_with('"') { "\"" } else { "" };
            out.push_str(
                &[
                    quote,
                    &statement.replace('"', if quote.is_empty() { "\"" } else { "\"\"" }),
                    quote,
                ]
                .concat(),
            );
        } else {
            let is_shown = content.is_empty()
                || content.starts_with('<') && content.ends_with('>') && !content.contains(' ')
                || matches!(content, "<not logged>");
            out.push_str(if is_shown { field } else { MARK });
        }
        match after.strip_prefix(',') {
            Some(after) => {
                out.push(',');
                rest = after;
            }
            None => return out,
        }
    }
    out
}

/// Returns the field that the text begins with, with its quotes, and what follows.
fn field(text: &str) -> (&str, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        return text.split_at(text.find(',').unwrap_or(text.len()));
    };
    let mut from = 0;
    while let Some(at) = quoted[from..].find('"') {
        let end = from + at + 1;
        if !quoted[end..].starts_with('"') {
            return text.split_at(end + 1);
        }
        from = end + 1;
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_loses_its_constants_and_parameters_go() {
        let cases = [
            (
                "SESSION,1,1,READ,SELECT,TABLE,public.t,\"select \"\"a\"\", 'x' from t where b = 1\",<not logged>",
                "SESSION,1,1,READ,SELECT,TABLE,public.t,\"select \"\"a\"\", '…' from t where b = …\",<not logged>",
            ),
            (
                "SESSION,1,1,WRITE,INSERT,,,insert into t values ('x'),\"x,7\"",
                "SESSION,1,1,WRITE,INSERT,,,insert into t values ('…'),…",
            ),
            (
                "SESSION,1,1,WRITE,INSERT,,,\"insert into t values ('x",
                "SESSION,1,1,WRITE,INSERT,,,\"insert into t values ('…'\"",
            ),
            ("OBJECT,1", "OBJECT,1"),
        ];
        for (fields, expected) in cases {
            assert_eq!(clean(fields), expected, "{fields}");
            assert_eq!(clean(expected), expected, "again: {fields}");
        }
    }
}
