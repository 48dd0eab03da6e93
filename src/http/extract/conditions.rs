//! `If-Match`, `If-None-Match` (RFC 7644 §3.14, RFC 9110 §13.1) and `Prefer` (RFC 7240 §4.2).

use std::convert::Infallible;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::{FromRequest, HttpRequest};

use crate::protocol::etag::Condition;
use crate::service::scim::resources::Conditions;

/// The conditions of a request.
pub(crate) struct RequestConditions(pub(crate) Conditions);

impl FromRequest for RequestConditions {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(RequestConditions(parse(request.headers()))))
    }
}

fn parse(headers: &HeaderMap) -> Conditions {
    Conditions {
        // What cannot be read cannot be fulfilled: 412 rather than a write that the client meant to guard.
        if_match: joined(headers, &header::IF_MATCH)
            .map(|field| Condition::parse(&field).unwrap_or(Condition::Versions(Vec::new()))),
        if_none_match: joined(headers, &header::IF_NONE_MATCH).and_then(|field| Condition::parse(&field)),
    }
}

/// All fields of a list header as one; an unreadable one makes the whole malformed.
fn joined(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    let mut fields = headers.get_all(name).map(|field| field.to_str().unwrap_or("\u{0}"));
    let first = fields.next()?.to_owned();
    Some(fields.fold(first, |all, field| all + ", " + field))
}

/// `Prefer: return=…`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Prefer {
    /// Not said.
    Nothing,
    /// `return=minimal`
    Minimal,
    /// `return=representation`
    Representation,
}

impl Prefer {
    /// The first `return` preference that is known (RFC 7240 §2).
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        for field in headers.get_all(HeaderName::from_static("prefer")) {
            for preference in field.to_str().unwrap_or_default().split(',') {
                let token = preference.split(';').next().unwrap_or_default();
                let Some((name, value)) = token.split_once('=') else { continue };
                if name.trim().eq_ignore_ascii_case("return") {
                    match value.trim().trim_matches('"') {
                        "minimal" => return Prefer::Minimal,
                        "representation" => return Prefer::Representation,
                        _ => {}
                    }
                }
            }
        }
        Prefer::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(name: &'static str, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        headers
    }

    #[test]
    fn a_malformed_if_match_matches_nothing_and_a_malformed_if_none_match_is_absent() {
        let conditions = parse(&headers("if-match", &["nonsense"]));
        assert!(conditions.check(1).is_err());
        let conditions = parse(&headers("if-match", &["ä"]));
        assert!(conditions.check(1).is_err());
        let conditions = parse(&headers("if-none-match", &["nonsense"]));
        assert_eq!(conditions, Conditions::default());
    }

    #[test]
    fn several_fields_are_one_list() {
        let conditions = parse(&headers("if-match", &["W/\"1\"", "W/\"2\""]));
        assert!(conditions.check(2).is_ok());
        assert!(conditions.check(3).is_err());
    }

    #[test]
    fn no_condition_lets_everything_through() {
        assert!(parse(&HeaderMap::new()).check(7).is_ok());
        assert!(!parse(&HeaderMap::new()).is_unmodified(7));
    }

    #[test]
    fn the_return_preference_is_found_among_others() {
        for (values, expected) in [
            (&[][..], Prefer::Nothing),
            (&["return=minimal"], Prefer::Minimal),
            (&["respond-async, Return = \"representation\"; x=y"], Prefer::Representation),
            (&["wait=10", "return=minimal"], Prefer::Minimal),
            (&["return=other"], Prefer::Nothing),
            (&["return"], Prefer::Nothing),
        ] {
            assert_eq!(Prefer::of(&headers("prefer", values)), expected, "{values:?}");
        }
    }
}
