//! What a role lacks, asked of the server: a remedy names what is missing and nothing that the role has.
//!
//! A family names in one statement which right its figures need. That a question was denied does not show
//! which of them is missing, nor whether it is one of these: the schema of an extension may be closed. So
//! each is looked up, and the remedy grants what is missing.

use pg::PgError;
use tokio_postgres::types::Type;

use super::gaps::{GapContext, quoted};
use super::link::{Link, Param, Question};
use super::text::text;

/// A right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Right {
    kind: Kind,
    schema: String,
    /// Of a function without its arguments.
    name: String,
    /// As SQL writes it.
    written: String,
}

/// What it is a right on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Role,
    Schema,
    Table,
    Function,
}

impl Kind {
    const fn word(self) -> &'static str {
        match self {
            Self::Role => "role",
            Self::Schema => "schema",
            Self::Table => "table",
            Self::Function => "function",
        }
    }

    const fn grant(self) -> &'static str {
        match self {
            Self::Role => "",
            Self::Schema => "USAGE ON SCHEMA ",
            Self::Table => "SELECT ON ",
            Self::Function => "EXECUTE ON FUNCTION ",
        }
    }
}

impl Right {
    /// Reads the rights in a family's grant, as `GRANT SELECT ON a, b TO %ROLE%`. Objects of an extension are in
    /// its schema, which must be open first; all others are the server's own.
    pub(super) fn all(grant: &str, extension_schema: Option<&str>) -> Vec<Self> {
        let schema = extension_schema.unwrap_or("pg_catalog");
        let mut rights = Vec::new();
        for part in grant.split(';') {
            let what = part.trim().trim_start_matches("GRANT ");
            let what = what.split(" TO %ROLE%").next().unwrap_or_default().trim();
            let kinds = [Kind::Table, Kind::Function];
            let found = kinds
                .into_iter()
                .find_map(|kind| Some((kind, what.strip_prefix(kind.grant())?)));
            let (kind, list) = found.unwrap_or((Kind::Role, what));
            for item in list.split(", ").filter(|item| !item.is_empty()) {
                let name = item.split('(').next().unwrap_or(item);
                let written = match extension_schema {
                    Some(schema) if kind != Kind::Role => format!("{}.{item}", quoted(schema)),
                    _ => item.to_owned(),
                };
                rights.push(Self {
                    kind,
                    schema: schema.to_owned(),
                    name: name.to_owned(),
                    written,
                });
            }
        }
        if let Some(schema) = extension_schema {
            rights.insert(
                0,
                Self {
                    kind: Kind::Schema,
                    schema: schema.to_owned(),
                    name: schema.to_owned(),
                    written: quoted(schema),
                },
            );
        }
        rights
    }
}

/// Returns a remedy that grants what is missing of these rights; `None` when nothing is, so that something else
/// is wrong.
pub(super) async fn remedy(
    link: &mut Link,
    context: &GapContext<'_>,
    rights: &[Right],
) -> Option<String> {
    // Where even that cannot be asked, all of them are named.
    let missing = match missing(link, rights).await {
        Ok(missing) => missing,
        Err(_) => rights.iter().map(|right| (right, false)).collect(),
    };
    let role = quoted(context.role);
    let version = link.session.major_version();
    let mut steps: Vec<String> = Vec::new();
    let mut is_local = false;
    for (right, is_member) in missing {
        is_local |= right.kind != Kind::Role;
        steps.push(match (right.kind, is_member) {
            // It may become the role but does not have its rights by itself.
            (Kind::Role, true) if version < 16 => format!("ALTER ROLE {role} INHERIT;"),
            (Kind::Role, true) => format!("GRANT {} TO {role} WITH INHERIT TRUE;", right.written),
            (kind, _) => format!("GRANT {}{} TO {role};", kind.grant(), right.written),
        });
    }
    let place = match is_local {
        true => context.place(link),
        false => context.standby(link).to_owned(),
    };
    (!steps.is_empty()).then(|| format!("{}{place}", steps.join(" ")))
}

/// Returns those of the rights that the role lacks, and of which it is a member without inheriting them.
async fn missing<'a>(
    link: &mut Link,
    rights: &'a [Right],
) -> Result<Vec<(&'a Right, bool)>, PgError> {
    let words: Vec<&str> = rights.iter().map(|right| right.kind.word()).collect();
    let schemas: Vec<&str> = rights.iter().map(|right| right.schema.as_str()).collect();
    let names: Vec<&str> = rights.iter().map(|right| right.name.as_str()).collect();
    let lists = [words, schemas, names];
    let array = |list| -> Param<'_> { (list, Type::TEXT_ARRAY) };
    let params = [array(&lists[0]), array(&lists[1]), array(&lists[2])];
    let question = Question {
        name: "missing_rights",
        sql: include_str!("sql/missing_rights.sql").into(),
        params: &params,
        again: false,
    };
    let mut found = Vec::new();
    link.read(question, |row| {
        let place: i64 = row.try_get("n")?;
        let right = usize::try_from(place - 1)
            .ok()
            .and_then(|at| rights.get(at));
        if let Some(right) = right {
            let is_member: Option<bool> = row.try_get("is_member")?;
            found.push((right, is_member.unwrap_or_default()));
        }
        Ok(())
    })
    .await?;
    Ok(found)
}

/// Returns a remedy for sequences or tables that are closed one by one: a grant for the schemas they are in.
pub(super) async fn opening(
    link: &mut Link,
    context: &GapContext<'_>,
    sequences: bool,
    own: &str,
) -> Option<String> {
    let sql = include_str!("sql/closed_schemas.sql").replace("{own}", own);
    let params: [Param<'_>; 1] = [(&sequences, Type::BOOL)];
    let question = Question {
        name: "closed_schemas",
        sql: sql.into(),
        params: &params,
        again: false,
    };
    let mut schemas = Vec::new();
    let asked = link.read(question, |row| {
        schemas.push(quoted(&text(row, "name")?));
        Ok(())
    });
    asked.await.ok()?;
    let what = if sequences { "SEQUENCES" } else { "TABLES" };
    (!schemas.is_empty()).then(|| {
        format!(
            "GRANT SELECT ON ALL {what} IN SCHEMA {} TO {};{}",
            schemas.join(", "),
            quoted(context.role),
            context.place(link)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_is_taken_apart() {
        let written = |grant: &str, schema: Option<&str>| {
            let rights = Right::all(grant, schema);
            let each = rights
                .iter()
                .map(|right| format!("{} {}", right.kind.word(), right.written));
            each.collect::<Vec<_>>().join("; ")
        };
        let cases = [
            (
                "GRANT pg_read_all_stats TO %ROLE%",
                None,
                "role pg_read_all_stats",
            ),
            (
                "GRANT SELECT ON pg_class, pg_index TO %ROLE%",
                None,
                "table pg_class; table pg_index",
            ),
            (
                "GRANT EXECUTE ON FUNCTION f(), g(oid) TO %ROLE%",
                None,
                "function f(); function g(oid)",
            ),
            (
                "GRANT SELECT ON info TO %ROLE%; GRANT EXECUTE ON FUNCTION f(boolean) TO %ROLE%",
                Some("Ext"),
                "schema \"Ext\"; table \"Ext\".info; function \"Ext\".f(boolean)",
            ),
        ];
        for (grant, schema, expected) in cases {
            assert_eq!(written(grant, schema), expected);
        }
    }
}
