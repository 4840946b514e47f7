//! Which of the fields after the usual ones of an access log is the duration.

use super::quoted;

/// The fields after the usual ones, of `LogFormat` or `log_format`.
#[derive(Debug, Default)]
pub(crate) struct Format {
    is_known: bool,
    /// Whether referer and agent are before them.
    is_combined: bool,
    fields: Vec<Field>,
}

/// A word of a format.
#[derive(Debug, Default)]
struct Field {
    /// Which part of the word, between slashes, has the duration (`%T/%D`).
    part: usize,
    /// What is before it there.
    prefix: String,
    /// Milliseconds of one, if the word has a duration.
    millis: Option<f64>,
}

/// Formats that have a name: of Apache's and nginx's own configuration, and of the ingress controller.
const FORMATS: &[(&str, &str)] = &[
    ("common", "%b"),
    ("vhost_common", "%b"),
    ("combined", "%{User-Agent}i"),
    ("vhost_combined", "%{User-Agent}i"),
    ("combinedio", "%{User-Agent}i %I %O"),
    ("main", "$http_user_agent \"$http_x_forwarded_for\""),
    (
        "ingress-nginx",
        "$http_user_agent $request_length $request_time [$proxy_upstream_name] \
         [$proxy_alternative_upstream_name] $upstream_addr $upstream_response_length \
         $upstream_response_time $upstream_status $req_id",
    ),
];

/// What stands for the duration of a request, and milliseconds of one.
const DURATIONS: &[(&str, f64)] = &[
    ("%{ms}T", 1.0),
    ("%{us}T", 0.001),
    ("%{s}T", 1000.0),
    ("%D", 0.001),
    ("%T", 1000.0),
    ("$request_time", 1000.0),
];

impl Format {
    /// Reads a format, or the name of one.
    pub(crate) fn new(setting: &str) -> Self {
        let named = FORMATS.iter().find(|(name, _)| *name == setting.trim());
        let setting = named.map_or(setting, |(_, format)| format);
        let setting = setting.replace("\\\"", "\"");
        // `%>D` and `%<D` are `%D`.
        let setting = setting.replace("%>", "%").replace("%<", "%");
        let lower = setting.to_ascii_lowercase();
        let behind = |words: &[&str]| {
            let ends = words
                .iter()
                .filter_map(|word| lower.find(word).map(|at| at + word.len()));
            ends.min()
        };
        let agent = behind(&["%{user-agent}i", "$http_user_agent"]);
        let bytes = behind(&["%b", "%o", "$body_bytes_sent", "$bytes_sent"]);
        let Some(end) = agent.or(bytes) else {
            return Self::default();
        };
        let rest = setting[end..].trim_start_matches(['"', '\'']);
        let fields = Words(rest).map(|word| {
            // Of `%T/%D` the finer.
            let found = DURATIONS.iter().find_map(|(sign, millis)| {
                let mut parts = word.split('/').enumerate();
                parts.find_map(|(part, text)| {
                    text.find(sign).map(|at| Field {
                        part,
                        prefix: text[..at].to_owned(),
                        millis: Some(*millis),
                    })
                })
            });
            found.unwrap_or_default()
        });
        Self {
            is_known: true,
            is_combined: agent.is_some(),
            fields: fields.collect(),
        }
    }

    /// Returns the duration of a request in milliseconds, where it is known which number that is. `text`
    /// follows the bytes of the answer, `added` the agent.
    pub(super) fn duration(&self, text: &str, added: &str) -> Option<f64> {
        if !self.is_known {
            return ingress(added).or_else(|| added.split(' ').find_map(named));
        }
        let text = if self.is_combined { added } else { text };
        let mut found = self.fields.iter().zip(Words(text));
        found.find_map(|(field, word)| {
            let value = word.split('/').nth(field.part)?;
            milliseconds(value.strip_prefix(field.prefix.as_str())?, field.millis?)
        })
    }
}

/// Words between blanks; what is in quotes or brackets is one, and so is a list.
struct Words<'a>(&'a str);

impl<'a> Iterator for Words<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        let text = self.0.trim_start_matches(' ');
        let end = match text.as_bytes().first()? {
            b'"' => text.len() - quoted(&text[1..]).map_or("", |(_, rest)| rest).len(),
            b'[' => text.find(']').map_or(text.len(), |end| end + 1),
            _ => {
                let mut end = text.find(' ').unwrap_or(text.len());
                // nginx writes lists of upstream servers with blanks.
                while text[..end].ends_with(',') && end < text.len() {
                    let next = text[end + 1..].find(' ');
                    end = next.map_or(text.len(), |next| end + 1 + next);
                }
                end
            }
        };
        let (word, rest) = text.split_at(end);
        self.0 = rest;
        let inner = word
            .strip_prefix('"')
            .map(|word| word.strip_suffix('"').unwrap_or(word));
        Some(inner.unwrap_or(word))
    }
}

/// Parses `348 0.250 [default-web-8080] [] …`: length and duration of a request, as the nginx ingress controller
/// writes them after the agent.
fn ingress(text: &str) -> Option<f64> {
    let mut words = Words(text);
    let (length, time) = (words.next()?, words.next()?);
    let is_name = |word: &str| word.starts_with('[') && word.ends_with(']');
    let is_one = length.bytes().all(|byte| byte.is_ascii_digit())
        && time.contains('.')
        && is_name(words.next()?)
        && is_name(words.next()?);
    milliseconds(time, 1000.0).filter(|_| is_one)
}

/// Milliseconds of `rt=0.005` and `request_time=0.005`: nginx's `$request_time`, seconds with a point.
fn named(word: &str) -> Option<f64> {
    let (name, value) = word.split_once('=')?;
    let value = value.trim_matches('"');
    (matches!(name, "rt" | "request_time") && value.contains('.'))
        .then(|| milliseconds(value, 1000.0))
        .flatten()
}

/// Returns a number of a unit that has so many milliseconds.
fn milliseconds(value: &str, unit: f64) -> Option<f64> {
    let end = value
        .bytes()
        .position(|byte| !(byte.is_ascii_digit() || byte == b'.'))
        .unwrap_or(value.len());
    let rest = &value[end..];
    // The number ends the word, or what the format has after it begins.
    if end == 0 || rest.starts_with(|c: char| c.is_alphanumeric()) {
        return None;
    }
    let number: f64 = value[..end].parse().ok()?;
    let millis = number * unit;
    // Whole microseconds: more would be noise of the multiplication.
    millis
        .is_finite()
        .then(|| (millis * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_number_is_a_duration_where_that_is_known() {
        use super::super::super::testing::events_in;
        use crate::parse::ParserOptions;

        const COMBINED: &str = "%h %l %u %t \"%r\" %>s %O \"%{Referer}i\" \"%{User-Agent}i\"";
        let apache = |more: &str| format!("{} {more}", COMBINED.replace('"', "\\\""));
        let nginx = |more: &str| {
            format!(
                "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \
                 \"$http_referer\" \"$http_user_agent\" {more}"
            )
        };
        let none = String::new();
        // Format; what follows the agent; milliseconds.
        let cases = [
            (
                none.clone(),
                "348 0.250 [default-web-8080] [] 192.0.2.6:8080 61 0.250 200 8351",
                Some(250.0),
            ),
            (
                none.clone(),
                "911 1.500 [default-web-8080] [] 192.0.2.6:80, 192.0.2.7:80 0, 150 0.500, 1.000 502, 502 9351",
                Some(1500.0),
            ),
            (none.clone(), "512 1480", None),
            (none.clone(), "5123", None),
            (none.clone(), "0.250", None),
            (none.clone(), "0/5123", None),
            (none.clone(), "348 0.250 x y", None),
            (none.clone(), "\"-\" rt=0.250 uct=0.001", Some(250.0)),
            (none.clone(), "\"-\" rt=250", None),
            (none.clone(), "\"-\" request_time=\"0.250\"", Some(250.0)),
            (none.clone(), "\"-\" duration=250", None),
            (apache("%D"), "5123", Some(5.123)),
            (apache("%T"), "2", Some(2000.0)),
            (apache("%{ms}T %I"), "51 7", Some(51.0)),
            (apache("%I %O %{us}T"), "512 1480 5123", Some(5.123)),
            (apache("%I %O"), "512 1480", None),
            (apache("%T/%D"), "0/5123", Some(5.123)),
            (apache("**%T/%D**"), "**0/5123**", Some(5.123)),
            (
                apache("\\\"%{X-Forwarded-For}i\\\" %D"),
                "\"192.0.2.1, 192.0.2.2\" 5123",
                Some(5.123),
            ),
            (apache("%D"), "-", None),
            (
                nginx("\"$http_x_forwarded_for\" $request_time"),
                "\"-\" 0.250",
                Some(250.0),
            ),
            (
                nginx("$upstream_response_time $request_time"),
                "0.100, 0.150 0.250",
                Some(250.0),
            ),
            (nginx("rt=$request_time"), "rt=0.250", Some(250.0)),
            (nginx("\"$http_x_forwarded_for\""), "\"-\" rt=0.250", None),
            ("combinedio".to_owned(), "512 1480", None),
            (
                "ingress-nginx".to_owned(),
                "348 0.250 [a] [] b 1 0.1 200 c",
                Some(250.0),
            ),
            ("no such format".to_owned(), "5123", None),
        ];
        for (format, more, expected) in cases {
            let line = format!(
                "192.0.2.1 - - [23/Nov/2026:00:10:49 +0000] \"GET /a HTTP/1.1\" 200 61 \"-\" \"x (y)\" {more}"
            );
            let options = ParserOptions {
                access_format: Some(format.clone()).filter(|format| !format.is_empty()),
                ..ParserOptions::default()
            };
            let events = events_in("access", options, &line);
            let access = events[0].access.clone().unwrap();
            assert_eq!(access.duration_ms, expected, "{format}: {more}");
        }
        // Without referer and agent.
        let options = ParserOptions {
            access_format: Some("%h %l %u %t \\\"%r\\\" %>s %b %D".to_owned()),
            ..ParserOptions::default()
        };
        let line = "192.0.2.1 - - [23/Nov/2026:00:10:49 +0000] \"GET /a HTTP/1.1\" 200 61 5123";
        let events = events_in("access", options, line);
        assert_eq!(events[0].access.clone().unwrap().duration_ms, Some(5.123));
    }
}
