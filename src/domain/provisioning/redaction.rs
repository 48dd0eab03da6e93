//! Takes passwords and secrets out of what is kept of a request.

use std::borrow::Cow;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use serde_json::Value;

use crate::domain::token::SecretKind;

/// What stands in place of a secret.
pub const REDACTED: &str = "[redacted]";

/// Parts of names whose values are secrets, in lower case.
const SECRET_NAMES: [&str; 9] =
    ["password", "passwd", "passphrase", "secret", "token", "credential", "apikey", "api_key", "authorization"];
/// Beginnings of secrets that this service makes.
const PREFIXES: [&str; 6] = [
    SecretKind::ScimToken.prefix(),
    SecretKind::ApiKey.prefix(),
    SecretKind::OperatorKey.prefix(),
    SecretKind::Invitation.prefix(),
    SecretKind::AdminLink.prefix(),
    "whsec_",
];
/// What each of them begins with, short enough to be found fast.
const BEGINNINGS: [&str; 2] = ["rc_", "whsec_"];
/// Shorter texts with such a beginning are no secrets: fingerprints, names.
const SECRET_LENGTH: usize = 20;

/// What the JSON text of a body has at the least, in any case of its letters, where `redact` finds something in it: a part of
/// a name, a beginning, or an escape behind which either can hide. `None`: cannot be built, which the test excludes.
static SIGNS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    let signs = SECRET_NAMES.iter().chain(&PREFIXES).chain(&["\\u"]);
    AhoCorasick::builder().ascii_case_insensitive(true).kind(Some(AhoCorasickKind::DFA)).build(signs).ok()
});

/// Whether `redact` may find something in a body; `false` is certain, and costs a look at each byte instead of a parse.
pub fn may_hold_secret(text: &str) -> bool {
    SIGNS.as_ref().is_none_or(|signs| signs.is_match(text))
}

/// The same of what this service printed itself, whose names are those of its schemas: only a text can be a secret there.
pub fn may_quote_secret(text: &str) -> bool {
    BEGINNINGS.iter().any(|beginning| text.contains(beginning))
}

/// Whether what stands under a name, or at a path, is a secret.
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// Replaces the values of secrets in a body: members by their names, those of a PATCH operation by its path, and secrets of
/// this service wherever they stand.
pub fn redact(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Some(clean) = without_secrets(text) {
                *text = clean;
            }
        }
        Value::Array(elements) => elements.iter_mut().for_each(redact),
        Value::Object(members) => {
            let names_secret = members
                .iter()
                .any(|(name, path)| name.eq_ignore_ascii_case("path") && path.as_str().is_some_and(is_secret_name));
            for (name, member) in members.iter_mut() {
                if is_secret_name(name) || (names_secret && name.eq_ignore_ascii_case("value")) {
                    *member = REDACTED.into();
                } else {
                    redact(member);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text without secrets of this service.
pub fn redact_text(text: &str) -> String {
    redacted(text).into_owned()
}

/// The same, as it is where there are none.
pub fn redacted(text: &str) -> Cow<'_, str> {
    without_secrets(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// `None` where there are none.
fn without_secrets(text: &str) -> Option<String> {
    if !PREFIXES.iter().any(|prefix| text.contains(prefix)) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((at, prefix)) = first(rest) {
        let (before, found) = rest.split_at_checked(at)?;
        let body = found.get(prefix.len()..)?;
        let length = prefix.len() + body.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let (secret, behind) = found.split_at_checked(length)?;
        out.push_str(before);
        out.push_str(if secret.len() >= SECRET_LENGTH { REDACTED } else { secret });
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}

fn first(text: &str) -> Option<(usize, &'static str)> {
    PREFIXES.iter().filter_map(|prefix| Some((text.find(prefix)?, *prefix))).min()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_by_name_path_and_form() {
        let token = crate::domain::token::format(SecretKind::ScimToken, &[7; 32]);
        let mut body = json!({
            "userName": "ben", "password": "p1", "urn:x:User": { "clientSecret": { "a": "p2" }, "Api_Key": ["p3"] },
            "Operations": [
                { "op": "replace", "path": "password", "value": "p4" },
                { "Op": "add", "Path": "urn:ietf:params:scim:schemas:core:2.0:User:Password", "Value": { "x": "p5" } },
                { "op": "replace", "path": "title", "value": "boss" },
                { "op": "replace", "value": { "password": "p6", "note": format!("my token is {token}, keep it") } },
            ],
        });
        redact(&mut body);
        let text = body.to_string();
        for secret in ["p1", "p2", "p3", "p4", "p5", "p6", &token[6..]] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert_eq!(body["userName"], "ben");
        assert_eq!(body["Operations"][2]["value"], "boss");
        assert_eq!(body["Operations"][3]["value"]["note"], "my token is [redacted], keep it");
    }

    #[test]
    fn what_holds_no_sign_is_not_changed() {
        assert!(SIGNS.is_some());
        let plain = [r#"{"userName": "ben", "title": "Chef, \"the\" \\ first"}"#, "", "[]"];
        assert_eq!(plain.map(may_hold_secret), [false; 3]);
        let token = crate::domain::token::format(SecretKind::Invitation, &[7; 32]);
        let texts = [
            r#"{"passWord": "p"}"#.to_owned(),
            r#"{"pass\u0077ord": "p"}"#.to_owned(),
            r#"{"path": "urn:x:API_KEY", "value": "p"}"#.to_owned(),
            format!(r#"{{"note": "x{token}"}}"#),
        ];
        for text in &texts {
            let mut value = serde_json::from_str(text).unwrap();
            redact(&mut value);
            assert!(may_hold_secret(text) && value.to_string().contains(REDACTED), "{text}");
        }
    }

    #[test]
    fn each_secret_has_one_of_the_beginnings() {
        assert!(PREFIXES.into_iter().all(may_quote_secret));
        assert!(!may_quote_secret(r#"{"title": "arc whsec password"}"#));
    }

    #[test]
    fn a_text_keeps_what_is_no_secret() {
        let key = crate::domain::token::format(SecretKind::ApiKey, &[9; 32]);
        for (text, expected) in [
            ("", "".to_owned()),
            ("plain", "plain".to_owned()),
            ("rc_st_…abcd", "rc_st_…abcd".to_owned()),
            (&format!("a{key}é{key}"), "a[redacted]é[redacted]".to_owned()),
            (&format!("whsec_x {key}"), "whsec_x [redacted]".to_owned()),
        ] {
            assert_eq!(redact_text(text), expected);
        }
    }
}
