//! The access line: one a request, at level `info`, target `rollcall::access`.

use std::fmt::{self, Display, Write as _};

use super::{RequestFacts, format};
use crate::config::LogFormat;

/// Target of access lines in `RUST_LOG`.
pub(super) const TARGET: &str = "rollcall::access";

/// Fields of a line: `name=value` for people, members of an object in JSON.
pub(super) struct Line<'a> {
    pub(super) facts: &'a RequestFacts<'a>,
    pub(super) form: LogFormat,
}

impl Display for Line<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.form {
            LogFormat::Text => self.text(f),
            LogFormat::Json => self.json(f),
        }
    }
}

impl Line<'_> {
    fn text(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts;
        f.write_str(facts.method)?;
        f.write_char(' ')?;
        f.write_str(facts.path)?;
        write!(f, " status={} us={} request=", facts.status, facts.elapsed.as_micros())?;
        f.write_str(facts.request_id)?;
        if let Some(id) = facts.organization {
            write!(f, " organization={id}")?;
        }
        if let Some(id) = facts.connection {
            write!(f, " connection={id}")?;
        }
        if let Some(id) = facts.token {
            write!(f, " token={id}")?;
        }
        Ok(())
    }

    fn json(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let facts = self.facts;
        f.write_str("\"method\":\"")?;
        escaped(f, facts.method)?;
        f.write_str("\",\"path\":\"")?;
        escaped(f, facts.path)?;
        write!(f, "\",\"status\":{},\"us\":{},\"request\":\"", facts.status, facts.elapsed.as_micros())?;
        escaped(f, facts.request_id)?;
        f.write_char('"')?;
        if let Some(id) = facts.organization {
            write!(f, ",\"organization\":\"{id}\"")?;
        }
        if let Some(id) = facts.connection {
            write!(f, ",\"connection\":\"{id}\"")?;
        }
        if let Some(id) = facts.token {
            write!(f, ",\"token\":\"{id}\"")?;
        }
        Ok(())
    }
}

fn escaped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut result = Ok(());
    format::escape(text, format::Escape::Json, |piece| {
        if result.is_ok() {
            result = f.write_str(piece);
        }
    });
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ConnectionId, OrganizationId, TokenId};
    use std::time::Duration;
    use uuid::Uuid;

    fn facts(known: bool) -> RequestFacts<'static> {
        RequestFacts {
            route: "/scim/v2/Users/{id}",
            method: "GET",
            path: "/scim/v2/Users/\"7",
            status: 404,
            elapsed: Duration::from_micros(1234),
            request_id: "r1",
            organization: known.then_some(OrganizationId(Uuid::from_u128(1))),
            connection: known.then_some(ConnectionId(Uuid::from_u128(2))),
            token: known.then_some(TokenId(Uuid::from_u128(3))),
        }
    }

    #[test]
    fn line_for_people_names_its_fields() {
        let line = |known| Line { facts: &facts(known), form: LogFormat::Text }.to_string();
        assert_eq!(line(false), "GET /scim/v2/Users/\"7 status=404 us=1234 request=r1");
        assert!(line(true).ends_with(
            " request=r1 organization=00000000-0000-0000-0000-000000000001 \
             connection=00000000-0000-0000-0000-000000000002 token=00000000-0000-0000-0000-000000000003"
        ));
    }

    #[test]
    fn json_line_is_members_of_an_object() {
        for known in [false, true] {
            let members = Line { facts: &facts(known), form: LogFormat::Json }.to_string();
            let object: serde_json::Value = serde_json::from_str(&format!("{{{members}}}")).unwrap();
            assert_eq!(object["path"], "/scim/v2/Users/\"7");
            assert_eq!((object["status"].as_u64(), object["us"].as_u64()), (Some(404), Some(1234)));
            assert_eq!(object.get("organization").is_some(), known);
        }
    }
}
