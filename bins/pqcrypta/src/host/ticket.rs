//! The line that lets a host in: `host add` prints it once, `enroll` reads it.
//!
//! It is a word that names the form, and JSON in the alphabet of URLs without padding, so that it can be pasted into a terminal. A line
//! that was cut is no JSON. Its password is good for one enrolment: `enroll` gives the role another one.

use anyhow::{Context as _, Result, anyhow};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use config::Secret;
use serde_json::{Value, json};

const FORM: &str = "pqcrypta-host-1.";

/// What a host needs to reach the store.
#[derive(Clone, Debug)]
pub(crate) struct Ticket {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password: Secret,
    /// The certificates that may have signed the server's, PEM; `None`: those of the system.
    pub(crate) authority: Option<String>,
}

impl Ticket {
    /// Returns the line.
    pub(crate) fn line(&self) -> String {
        let content = json!({
            "host": self.host,
            "port": self.port,
            "database": self.database,
            "user": self.user,
            "password": self.password.expose(),
            "authority": self.authority,
        });
        format!("{FORM}{}", URL_SAFE_NO_PAD.encode(content.to_string()))
    }

    /// Reads a line.
    ///
    /// # Errors
    /// When it is not one, or not whole; the message repeats nothing of it.
    pub(crate) fn read(line: &str) -> Result<Self> {
        // A terminal hands over 4,095 characters of a line (N_TTY of Linux), which two certificates exceed.
        const CUT: &str = "the line is not whole: copy it again, from `pqcrypta-host` to its end; of a line of more than \
                           4,095 characters a terminal drops the rest, so put it into a file: pqcrypta enroll < FILE";
        let coded = line
            .trim()
            .strip_prefix(FORM)
            .ok_or_else(|| anyhow!("this is no line of `pqcrypta host add`"))?;
        let bytes = URL_SAFE_NO_PAD.decode(coded).map_err(|_| anyhow!(CUT))?;
        let content: Value = serde_json::from_slice(&bytes).map_err(|_| anyhow!(CUT))?;
        let text = |name: &str| {
            let text = content.get(name).and_then(Value::as_str);
            text.map(str::to_owned).context(CUT)
        };
        let port = content.get("port").and_then(Value::as_u64);
        Ok(Self {
            host: text("host")?,
            port: port
                .and_then(|port| u16::try_from(port).ok())
                .context(CUT)?,
            database: text("database")?,
            user: text("user")?,
            password: Secret::new(text("password")?),
            authority: text("authority").ok(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_whole_or_not_at_all() {
        let ticket = Ticket {
            host: "store.example".to_owned(),
            port: 5433,
            database: "pqcrypta".to_owned(),
            user: "pqcrypta_host_web-1".to_owned(),
            password: Secret::new("canary"),
            authority: Some("-----BEGIN CERTIFICATE-----\n".to_owned()),
        };
        let line = ticket.line();
        assert!(!line.contains(char::is_whitespace) && !line.contains("canary"));
        let read = Ticket::read(&format!("  {line}\n")).unwrap();
        assert_eq!((read.host, read.port), (ticket.host, ticket.port));
        assert_eq!((read.user, read.authority), (ticket.user, ticket.authority));
        assert_eq!(read.password.expose(), "canary");
        for cut in 0..line.len() {
            let error = Ticket::read(&line[..cut]).unwrap_err().to_string();
            assert!(!error.contains("canary"), "{error}");
        }
        assert!(Ticket::read(&line[1..]).is_err());
        assert!(Ticket::read("").is_err());
    }
}
