//! Makes an entry of a request. Bodies are kept of writes only, as JSON without secrets; what cannot be read as JSON is not
//! kept, since nobody could tell what is secret in it.

use serde_json::Value;

use super::Seen;
use super::verdict::{Judged, reads, target_of};
use crate::domain::ids::{LogEntryId, ResourceId};
use crate::domain::provisioning::{redact, redact_text};
use crate::storage::{LogEntry, NewLogEntry};

/// Characters of a target that are kept.
const MOST_TARGET: usize = 1_000;
/// Parameters of a search that are kept; no other parameter of a request says anything.
const PARAMETERS: [&str; 7] =
    ["filter", "sortby", "sortorder", "startindex", "count", "attributes", "excludedattributes"];

pub(super) fn of(seen: &Seen, id: LogEntryId) -> NewLogEntry {
    let request = seen.request_body.as_deref().and_then(json);
    let response = seen.response_body.as_deref().and_then(json);
    let detail: Option<Value> = seen.happened.as_ref().and_then(|happened| serde_json::from_str(&happened.detail).ok());
    let (resource_type, in_path) = target_of(&seen.target);
    let is_group = resource_type == Some("Group");
    let refusal = response.as_ref().filter(|_| seen.status >= 400);
    let documents = || {
        let sides = ["after", "before"].into_iter().filter_map(|side| detail.as_ref()?.get(side));
        let answered = response.as_ref().filter(|_| seen.status < 400);
        answered.into_iter().chain(sides).chain(request.as_ref()).filter(|_| resource_type.is_some())
    };
    let subject = documents().find_map(|document| subject(document, is_group));
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(clean);
    let scim_type = text(refusal.and_then(|body| body.get("scimType")));
    let refused = text(refusal.and_then(|body| body.get("detail")));
    let rejected = seen.rejected.as_ref();
    let verdict = Judged {
        method: &seen.method,
        target: &seen.target,
        body: request.as_ref(),
        status: seen.status,
        scim_type: scim_type.as_deref(),
        detail: refused.as_deref(),
        happened: seen.happened.as_ref(),
        subject: subject.as_deref(),
        rejected: rejected.map(|(_, why)| *why),
    }
    .verdict();
    let resource = seen.happened.as_ref().map(|happened| happened.resource);
    let entry = LogEntry {
        organization: seen.scope.organization,
        id,
        at: seen.at,
        connection: seen.scope.connection,
        token: Some(seen.token),
        fingerprint: rejected.map(|(fingerprint, _)| fingerprint.clone()),
        method: redact_text(&clean(&seen.method)),
        path: target(&seen.target),
        resource_type: resource_type.map(str::to_owned),
        resource: resource.or_else(|| in_path.and_then(ResourceId::parse)).map(|id| id.0),
        external_id: documents().find_map(|document| text(document.get("externalId"))).map(|id| redact_text(&id)),
        subject,
        operation: verdict.operation.as_str().to_owned(),
        status: i16::try_from(seen.status).unwrap_or_default(),
        outcome: verdict.outcome.as_str().to_owned(),
        scim_type,
        explanation: redact_text(&verdict.explanation),
        duration_us: i64::try_from(seen.duration.as_micros()).unwrap_or(i64::MAX),
        request_id: seen.request_id.to_string(),
        ip: seen.ip.map(|ip| ip.to_string()),
        changes: Value::Array(verdict.changes).to_string(),
    };
    let writes = !reads(&seen.method, &seen.target);
    let kept = |body: Option<Value>| {
        let mut body = body.filter(|_| writes)?;
        redact(&mut body);
        Some(body.to_string())
    };
    NewLogEntry { entry, request_body: kept(request), response_body: kept(response) }
}

fn json(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok()
}

/// PostgreSQL stores no NUL, and nobody calls anything so.
fn clean(text: &str) -> String {
    text.replace('\0', "")
}

/// What people call a user or group: an e-mail address where there is one.
fn subject(document: &Value, is_group: bool) -> Option<String> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(clean).filter(|text| !text.is_empty());
    if is_group {
        return text(document.get("displayName")).map(|name| redact_text(&name));
    }
    let user_name = text(document.get("userName"));
    if user_name.as_ref().is_some_and(|name| name.contains('@')) {
        return user_name.map(|name| redact_text(&name));
    }
    let emails = document.get("emails").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let email = emails.iter().find(|email| email.get("primary") == Some(&Value::Bool(true))).or(emails.first());
    let email = email.and_then(|email| text(email.get("value")));
    email.or(user_name).map(|name| redact_text(&name))
}

/// Whether a query asks for a password in any spelling; what cannot be read might.
fn names_password(query: &str) -> bool {
    let mut plain = Vec::with_capacity(query.len());
    let mut rest = query.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let hex = behind.first_chunk::<2>().filter(|_| *first == b'%');
        let code = hex.and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
        plain.push(code.unwrap_or(*first).to_ascii_lowercase());
        rest = behind.get(if code.is_some() { 2 } else { 0 }..).unwrap_or_default();
    }
    plain.windows("password".len()).any(|part| part == b"password")
}

/// The path with the parameters of a search, whose filter does not ask for a password.
fn target(target: &str) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut out = clean(path);
    if !names_password(query) {
        let known = query.split('&').filter(|pair| {
            let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
            PARAMETERS.contains(&name.as_str())
        });
        let known: Vec<&str> = known.collect();
        if !known.is_empty() {
            out.push('?');
            out.push_str(&clean(&known.join("&")));
        }
    }
    let out = redact_text(&out);
    out.char_indices()
        .nth(MOST_TARGET)
        .map_or_else(|| out.clone(), |(cut, _)| out.get(..cut).unwrap_or_default().to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::domain::event::EventKind;
    use crate::domain::ids::Scope;
    use crate::domain::provisioning::Happened;
    use crate::service::ids;

    fn seen(method: &str, target: &str, status: u16) -> Seen {
        Seen {
            scope: Scope { organization: ids::organization(), connection: ids::connection() },
            token: ids::token(),
            rejected: None,
            at: 1_700_000_000_000_000,
            method: method.to_owned(),
            target: target.to_owned(),
            status,
            duration: Duration::from_micros(250),
            request_id: "r".into(),
            ip: None,
            request_body: None,
            response_body: None,
            happened: None,
        }
    }

    fn entry(seen: &Seen) -> NewLogEntry {
        of(seen, LogEntryId::at(seen.at, 1))
    }

    #[test]
    fn a_create_is_told_by_its_answer_and_event() {
        let resource = ids::resource();
        let document =
            json!({"userName": "ben", "externalId": "e1", "emails": [{"value": "b@x.org", "primary": true}]});
        let seen = Seen {
            request_body: Some(json!({"userName": "ben", "password": "hunter2"}).to_string().into()),
            response_body: Some(document.to_string().into()),
            happened: Some(Happened {
                resource,
                kind: EventKind::UserCreated,
                changed: true,
                detail: json!({ "after": document }).to_string(),
            }),
            ..seen("POST", "/Users", 201)
        };
        let NewLogEntry { entry, request_body, response_body } = entry(&seen);
        assert_eq!((&*entry.operation, &*entry.outcome, entry.resource), ("create", "applied", Some(resource.0)));
        assert_eq!((entry.subject.as_deref(), entry.external_id.as_deref()), (Some("b@x.org"), Some("e1")));
        assert_eq!(entry.explanation, "Created b@x.org.");
        assert!(entry.changes.contains(r#"{"field":"externalId","from":null,"to":"e1"}"#), "{}", entry.changes);
        assert_eq!(request_body.as_deref(), Some(r#"{"userName":"ben","password":"[redacted]"}"#));
        assert_eq!(response_body, Some(document.to_string()));
    }

    #[test]
    fn a_body_that_is_no_json_is_not_kept() {
        let body = Some(b"{\"password\": \"hunter2\"".to_vec());
        let answer = json!({"detail": "The body is not one JSON document", "scimType": "invalidSyntax"});
        let seen =
            Seen { request_body: body, response_body: Some(answer.to_string().into()), ..seen("POST", "/Users", 400) };
        let NewLogEntry { entry, request_body, .. } = entry(&seen);
        assert_eq!(
            (request_body, &*entry.outcome, entry.scim_type.as_deref()),
            (None, "refused", Some("invalidSyntax"))
        );
    }

    #[test]
    fn a_read_keeps_what_it_searched_but_no_body() {
        let seen = Seen {
            response_body: Some(b"{}".to_vec()),
            ..seen("GET", "/Users?filter=userName%20eq%20%22ben%22&access_token=x&count=1", 200)
        };
        let NewLogEntry { entry, request_body, response_body } = entry(&seen);
        assert_eq!(entry.path, "/Users?filter=userName%20eq%20%22ben%22&count=1");
        assert_eq!((&*entry.operation, &*entry.outcome), ("read", "no_change"));
        assert_eq!((request_body, response_body), (None, None));
        for filter in ["passWord eq \"x\"", "pass%77ord%20eq%20%22x%22", "%70%41ssword", "%zzpassword%"] {
            assert_eq!(target(&format!("/Users?filter={filter}")), "/Users", "{filter}");
        }
        assert_eq!(target("/Users?filter=title%20eq%20%22%"), "/Users?filter=title%20eq%20%22%");
    }
}
