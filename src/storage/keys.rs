//! Columns derived from a resource: promoted columns, comparison keys, rows of `attribute_values`. The compiled filter
//! (`search`) reads what is written here, so both take names, numbers and bounds from this file.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::write::{AttributeValue, GroupColumns, UserColumns};
use crate::protocol::compare;
use crate::protocol::resource::Resource;
use crate::protocol::schema::{Registry, ResourceKind};

/// Characters of a key that is stored as it is. A longer key is its first so many characters, `#`, and 32 hexadecimal
/// digits of the SHA-256 of the whole, so a stored key has more characters than this only when it was cut.
pub const MAX_KEY_CHARS: usize = 255;

/// Multi-valued attributes of users with rows in `attribute_values`. Numbers are stored, so they never change.
/// `addresses` has none: its elements have no `value`, so conditions on it read the document.
const USER_ATTRIBUTES: [(i16, &str); 7] = [
    (1, "emails"),
    (2, "phoneNumbers"),
    (3, "ims"),
    (4, "photos"),
    (5, "entitlements"),
    (6, "roles"),
    (7, "x509Certificates"),
];

/// Number of a core attribute whose elements have rows in `attribute_values`; `None` for all others.
pub fn attribute_number(kind: ResourceKind, name: &str) -> Option<i16> {
    match kind {
        ResourceKind::User => USER_ATTRIBUTES.iter().find(|(_, known)| *known == name).map(|(number, _)| *number),
        ResourceKind::Group => None,
    }
}

/// A key short enough for a B-tree entry on PostgreSQL (about 2.7 kB, and folding lengthens text): a cut key ends in a
/// hash of the whole. Equal keys have equal bounded keys; after a cut equality must be checked on the document.
pub fn bounded(key: &str) -> String {
    // No character is shorter than a byte, so most keys need no count of characters.
    if key.len() <= MAX_KEY_CHARS {
        return key.to_owned();
    }
    match key.char_indices().nth(MAX_KEY_CHARS) {
        None => key.to_owned(),
        Some((cut, _)) => {
            let mut out = key.get(..cut).unwrap_or(key).to_owned();
            out.push('#');
            for byte in Sha256::digest(key.as_bytes()).iter().take(16) {
                for digit in [byte >> 4, byte & 15] {
                    out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
                }
            }
            out
        }
    }
}

/// Whether a stored key was cut by `bounded`.
pub fn is_cut(key: &str) -> bool {
    key.len() > MAX_KEY_CHARS && key.chars().nth(MAX_KEY_CHARS).is_some()
}

/// Columns and attribute values of a user. `access` is the last explicit `active`.
pub fn user_columns(user: &Resource, access: bool) -> (UserColumns, Vec<AttributeValue>) {
    (columns(user, access), attribute_values(user))
}

/// Columns of a user who changes, and the rows of attribute values to add or to set `primary` on, and to remove. Attributes
/// that stay the same are not looked into: most changes are of `active`.
pub fn user_change(
    before: &Resource,
    after: &Resource,
    access: bool,
) -> (UserColumns, Vec<AttributeValue>, Vec<AttributeValue>) {
    let differs = |name: &str| before.attributes.get(name) != after.attributes.get(name);
    let (add, remove) = difference(&values_of(before, differs), &values_of(after, differs));
    (columns(after, access), add, remove)
}

fn columns(user: &Resource, access: bool) -> UserColumns {
    let user_name = user.user_name().unwrap_or_default();
    UserColumns {
        user_name: user_name.to_owned(),
        user_name_key: bounded(&compare::fold(user_name)),
        external_id_key: user.external_id().map(bounded),
        active: user.active(),
        access,
        display_name: user.display_name().map(str::to_owned),
        display_name_key: user.display_name().map(|name| bounded(&compare::fold(name))),
        document: user.to_document(),
    }
}

/// Columns of a group. `unique_name` is false with the connection setting `duplicate_group_names: allow`.
pub fn group_columns(group: &Resource, unique_name: bool) -> GroupColumns {
    let display_name = group.display_name().unwrap_or_default();
    GroupColumns {
        display_name: display_name.to_owned(),
        display_name_key: bounded(&compare::fold(display_name)),
        unique_name,
        external_id_key: group.external_id().map(bounded),
        document: group.to_document(),
    }
}

/// One row per element, sorted. Elements whose folded `value` and `type` are the same share a row. An absent `value` or
/// `type` is the empty key; an absent `primary` is false.
pub fn attribute_values(user: &Resource) -> Vec<AttributeValue> {
    values_of(user, |_| true)
}

fn values_of(user: &Resource, which: impl Fn(&str) -> bool) -> Vec<AttributeValue> {
    let mut out = Vec::new();
    for (number, name) in USER_ATTRIBUTES.into_iter().filter(|(_, name)| which(name)) {
        let Some(Value::Array(elements)) = user.attributes.get(name) else { continue };
        let case_exact = is_case_exact(name, "value");
        let type_exact = is_case_exact(name, "type");
        for element in elements {
            let part = |sub: &str, exact| {
                let text = element.get(sub).and_then(Value::as_str).unwrap_or_default();
                bounded(&compare::key(text, exact))
            };
            out.push(AttributeValue {
                attribute: number,
                value_key: part("value", case_exact),
                type_key: part("type", type_exact),
                primary: element.get("primary").and_then(Value::as_bool).unwrap_or(false),
            });
        }
    }
    // True sorts last within a row's identity; the row is primary if any of its elements is.
    out.sort();
    out.reverse();
    out.dedup_by(|later, kept| same_row(later, kept));
    out.reverse();
    out
}

/// What turns the stored rows into the wanted ones: rows to add or to set `primary` on, and rows to remove.
pub fn difference(stored: &[AttributeValue], wanted: &[AttributeValue]) -> (Vec<AttributeValue>, Vec<AttributeValue>) {
    let add = wanted.iter().filter(|w| !stored.contains(w)).cloned().collect();
    let remove = stored.iter().filter(|s| !wanted.iter().any(|w| same_row(s, w))).cloned().collect();
    (add, remove)
}

fn same_row(a: &AttributeValue, b: &AttributeValue) -> bool {
    (a.attribute, &a.value_key, &a.type_key) == (b.attribute, &b.value_key, &b.type_key)
}

fn is_case_exact(attribute: &str, sub: &str) -> bool {
    let user = Registry::builtin().resource_type(ResourceKind::User);
    user.attribute(attribute).and_then(|a| a.sub(sub)).is_some_and(|s| s.case_exact)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_255_characters_are_whole_and_longer_ones_are_cut() {
        for (key, cut) in [
            ("a".repeat(255), false),
            ("a".repeat(256), true),
            ("é".repeat(255), false),
            ("é".repeat(256), true),
            ("𝒳".repeat(255), false),
            ("𝒳".repeat(100_000), true),
            (String::new(), false),
        ] {
            let stored = bounded(&key);
            assert_eq!(is_cut(&stored), cut, "{} characters", key.chars().count());
            assert_eq!(stored.chars().count(), if cut { 255 + 33 } else { key.chars().count() });
            assert!(stored.len() <= 255 * 4 + 33);
        }
        assert_ne!(bounded(&"a".repeat(256)), bounded(&"a".repeat(257)));
    }

    fn value(value_key: &str, type_key: &str, primary: bool) -> AttributeValue {
        AttributeValue { attribute: 1, value_key: value_key.into(), type_key: type_key.into(), primary }
    }

    #[test]
    fn difference_names_only_rows_that_differ() {
        let stored = [value("a", "work", true), value("b", "home", false), value("c", "", false)];
        let wanted = [value("a", "work", false), value("b", "home", false), value("d", "", true)];
        let (add, remove) = difference(&stored, &wanted);
        assert_eq!(add, [value("a", "work", false), value("d", "", true)]);
        assert_eq!(remove, [value("c", "", false)]);
        assert_eq!(difference(&stored, &stored), (vec![], vec![]));
    }

    #[test]
    fn numbers_are_those_that_are_stored() {
        let numbered = |name| attribute_number(ResourceKind::User, name);
        assert_eq!(numbered("emails"), Some(1));
        assert_eq!(numbered("x509Certificates"), Some(7));
        assert_eq!(numbered("addresses"), None);
        assert_eq!(attribute_number(ResourceKind::Group, "members"), None);
    }

    fn resource(text: &str) -> Resource {
        Resource::from_document(text).expect("a document")
    }

    #[test]
    fn user_columns_promote_keys_and_elements() {
        let document = r#"{"userName":"BEN@x","externalId":"E1","displayName":"Ben É","active":false,
            "emails":[{"value":"B@x","type":"Work","primary":true},{"value":"a@x"},{"value":"b@X","type":"work"}],
            "addresses":[{"type":"work","formatted":"x"}],"roles":[{"value":"Admin"}],"photos":[]}"#;
        let (columns, values) = user_columns(&resource(document), true);
        assert_eq!((&*columns.user_name, &*columns.user_name_key), ("BEN@x", "ben@x"));
        assert_eq!(columns.external_id_key.as_deref(), Some("E1"));
        assert_eq!((columns.active, columns.access), (Some(false), true));
        assert_eq!(columns.display_name_key.as_deref(), Some("ben é"));
        let row = |attribute, value_key: &str, type_key: &str, primary| AttributeValue {
            attribute,
            value_key: value_key.into(),
            type_key: type_key.into(),
            primary,
        };
        assert_eq!(values, [row(1, "a@x", "", false), row(1, "b@x", "work", true), row(6, "admin", "", false)]);
    }

    #[test]
    fn a_change_names_the_rows_that_differ() {
        let before =
            resource(r#"{"userName":"b","emails":[{"value":"a@x"},{"value":"b@x"}],"roles":[{"value":"admin"}]}"#);
        let after = resource(
            r#"{"userName":"c","emails":[{"value":"b@x"}],"photos":[{"value":"p"}],"roles":[{"value":"admin"}]}"#,
        );
        let (columns, add, remove) = user_change(&before, &after, false);
        assert_eq!((columns, add, remove), {
            let (columns, wanted) = user_columns(&after, false);
            let (add, remove) = difference(&attribute_values(&before), &wanted);
            assert_eq!((add.len(), remove.len()), (1, 1));
            (columns, add, remove)
        });
    }

    #[test]
    fn group_columns_promote_keys() {
        let columns = group_columns(&resource(r#"{"displayName":"SALES","externalId":"E"}"#), true);
        assert_eq!((&*columns.display_name, &*columns.display_name_key), ("SALES", "sales"));
        assert_eq!((columns.unique_name, columns.external_id_key.as_deref()), (true, Some("E")));
    }
}
