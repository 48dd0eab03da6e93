//! Media types: which body is accepted and which type answers (R38, R39).

use actix_web::http::header::{self, HeaderMap, HeaderValue};

/// `application/scim+json`
pub(crate) const SCIM_JSON: HeaderValue = HeaderValue::from_static("application/scim+json");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Whether a body of this `Content-Type` is read: either JSON type with any parameters, or none at all.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let mut fields = headers.get_all(header::CONTENT_TYPE);
    match (fields.next(), fields.next()) {
        (None, _) => true,
        (Some(field), None) => field.to_str().is_ok_and(|text| {
            let essence = essence(text);
            essence.eq_ignore_ascii_case("application/scim+json") || essence.eq_ignore_ascii_case("application/json")
        }),
        (Some(_), Some(_)) => false,
    }
}

/// Whether the body comes as it is.
pub(crate) fn is_identity(headers: &HeaderMap) -> bool {
    headers.get_all(header::CONTENT_ENCODING).all(|field| {
        field.to_str().is_ok_and(|text| text.split(',').all(|coding| coding.trim().eq_ignore_ascii_case("identity")))
    })
}

/// The type of an answer: `application/scim+json`, unless `Accept` names `application/json` and nothing else.
pub(crate) fn answer(headers: &HeaderMap) -> HeaderValue {
    let mut named_json = false;
    for field in headers.get_all(header::ACCEPT) {
        let Ok(text) = field.to_str() else { return SCIM_JSON };
        for range in text.split(',').map(str::trim).filter(|range| !range.is_empty() && !is_excluded(range)) {
            if !essence(range).eq_ignore_ascii_case("application/json") {
                return SCIM_JSON;
            }
            named_json = true;
        }
    }
    if named_json { JSON } else { SCIM_JSON }
}

/// A media type without its parameters.
pub(crate) fn essence(text: &str) -> &str {
    text.split(';').next().unwrap_or_default().trim()
}

/// `q=0`: not acceptable (RFC 9110 §12.4.2).
fn is_excluded(range: &str) -> bool {
    range.split(';').skip(1).any(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.trim().eq_ignore_ascii_case("q") && value.trim().parse::<f32>().is_ok_and(|q| q == 0.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderName;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn both_json_types_are_read_with_any_parameters() {
        for (values, read) in [
            (&[][..], true),
            (&["application/scim+json"], true),
            (&["application/json"], true),
            (&["Application/SCIM+JSON; charset=utf-8"], true),
            (&["application/json ;x=y; z"], true),
            (&["text/plain"], false),
            (&["text/json"], false),
            (&["application/jsonx"], false),
            (&["application/x-www-form-urlencoded"], false),
            (&[""], false),
            (&["application/json", "application/json"], false),
        ] {
            assert_eq!(is_json(&headers(header::CONTENT_TYPE, values)), read, "{values:?}");
        }
    }

    #[test]
    fn only_identity_is_no_encoding() {
        for (values, read) in [
            (&[][..], true),
            (&["identity"], true),
            (&["Identity, identity"], true),
            (&["gzip"], false),
            (&["identity, gzip"], false),
            (&["identity", "br"], false),
            (&[""], false),
        ] {
            assert_eq!(is_identity(&headers(header::CONTENT_ENCODING, values)), read, "{values:?}");
        }
    }

    #[test]
    fn scim_json_answers_unless_only_json_is_named() {
        for (values, expected) in [
            (&[][..], SCIM_JSON),
            (&["application/scim+json"], SCIM_JSON),
            (&["application/json"], JSON),
            (&["APPLICATION/JSON; charset=utf-8; q=0.5"], JSON),
            (&["application/json", "application/json"], JSON),
            (&["application/json, application/scim+json"], SCIM_JSON),
            (&["application/json, text/plain, */*"], SCIM_JSON),
            (&["application/json", "*/*"], SCIM_JSON),
            (&["application/scim+json;q=0, application/json"], JSON),
            (&["application/json, */*;q=0.0"], JSON),
            (&["*/*"], SCIM_JSON),
            (&["text/html"], SCIM_JSON),
            (&["application/scim+json; charset=utf-8"], SCIM_JSON),
            (&[""], SCIM_JSON),
        ] {
            assert_eq!(answer(&headers(header::ACCEPT, values)), expected, "{values:?}");
        }
    }
}
