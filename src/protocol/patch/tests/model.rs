//! PATCH against a model that knows a user as plain fields, under random operations.

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{ENTERPRISE, PatchRequest, body, patch, rt, stored};
use crate::protocol::policy::Policy;
use crate::protocol::schema::ResourceKind;

/// A user with three texts and e-mails as (value, type, primary).
#[derive(Debug, Clone, Default, PartialEq)]
struct Model {
    title: Option<String>,
    given_name: Option<String>,
    department: Option<String>,
    emails: Vec<(String, String, Option<bool>)>,
}

#[derive(Debug, Clone)]
enum Deed {
    Text(usize, Option<String>, bool),
    AddEmail(String, String, bool),
    ReplaceEmails(Vec<(String, String)>),
    RemoveType(String),
    RemoveAll,
    Rename(String, String),
}

fn deed() -> impl Strategy<Value = Deed> {
    let text = "[a-c]{1,2}";
    let kind = || proptest::sample::select(vec!["work".to_owned(), "home".to_owned(), "other".to_owned()]);
    prop_oneof![
        (0_usize..3, proptest::option::of(text), any::<bool>())
            .prop_map(|(field, text, path)| Deed::Text(field, text, path)),
        (text, kind(), any::<bool>()).prop_map(|(value, kind, primary)| Deed::AddEmail(value, kind, primary)),
        proptest::collection::btree_set((text, kind()), 0..3)
            .prop_map(|set| Deed::ReplaceEmails(set.into_iter().collect())),
        kind().prop_map(Deed::RemoveType),
        Just(Deed::RemoveAll),
        (kind(), text).prop_map(|(kind, value)| Deed::Rename(kind, value)),
    ]
}

impl Deed {
    fn operation(&self) -> Value {
        match self {
            Deed::Text(field, text, by_path) => {
                let path = ["title", "name.givenName", &format!("{ENTERPRISE}:department")][*field].to_owned();
                match (text, by_path) {
                    (None, true) => json!({ "op": "remove", "path": path }),
                    (text, true) => json!({ "op": "Replace", "path": path, "value": text }),
                    (text, false) => json!({ "op": "add", "value": { path: text } }),
                }
            }
            Deed::AddEmail(value, kind, true) => {
                json!({ "op": "add", "path": "emails", "value": [{ "value": value, "type": kind, "primary": true }] })
            }
            Deed::AddEmail(value, kind, false) => {
                json!({ "op": "add", "path": "emails", "value": { "value": value, "type": kind } })
            }
            Deed::ReplaceEmails(emails) => {
                let values: Vec<Value> =
                    emails.iter().map(|(value, kind)| json!({ "value": value, "type": kind })).collect();
                json!({ "op": "replace", "value": { "emails": values } })
            }
            Deed::RemoveType(kind) => json!({ "op": "remove", "path": format!("emails[type eq \"{kind}\"]") }),
            Deed::RemoveAll => json!({ "op": "remove", "path": "emails" }),
            Deed::Rename(kind, value) => {
                json!({ "op": "replace", "path": format!("emails[type eq \"{kind}\"].value"), "value": value })
            }
        }
    }

    fn apply(&self, model: &mut Model) {
        match self {
            Deed::Text(0, text, _) => model.title.clone_from(text),
            Deed::Text(1, text, _) => model.given_name.clone_from(text),
            Deed::Text(_, text, _) => model.department.clone_from(text),
            Deed::AddEmail(value, kind, primary) => {
                let at =
                    model.emails.iter().position(|(v, k, _)| v == value && k == kind).unwrap_or(model.emails.len());
                if at == model.emails.len() {
                    model.emails.push((value.clone(), kind.clone(), None));
                }
                if *primary {
                    for (index, (_, _, is_primary)) in model.emails.iter_mut().enumerate() {
                        *is_primary = if index == at { Some(true) } else { is_primary.map(|_| false) };
                    }
                }
            }
            Deed::ReplaceEmails(emails) => {
                model.emails = emails.iter().map(|(value, kind)| (value.clone(), kind.clone(), None)).collect();
            }
            Deed::RemoveType(kind) => model.emails.retain(|(_, k, _)| k != kind),
            Deed::RemoveAll => model.emails.clear(),
            Deed::Rename(kind, value) => {
                let mut kept: Option<usize> = None;
                let mut renamed: Vec<(String, String, Option<bool>)> = Vec::new();
                for (v, k, primary) in model.emails.drain(..) {
                    match kept {
                        // All of one type get one value, so they become one; a later one's `primary` is the last word.
                        Some(at) if k == *kind => {
                            renamed[at].2 = primary.or(renamed[at].2);
                        }
                        None if k == *kind => {
                            kept = Some(renamed.len());
                            renamed.push((value.clone(), k, primary));
                        }
                        _ => renamed.push((v, k, primary)),
                    }
                }
                if kept.is_none() {
                    renamed.push((value.clone(), kind.clone(), None));
                }
                model.emails = renamed;
            }
        }
    }
}

impl Model {
    fn attributes(&self) -> Value {
        let mut out = Map::new();
        if let Some(title) = &self.title {
            out.insert("title".into(), json!(title));
        }
        if let Some(name) = &self.given_name {
            out.insert("name".into(), json!({ "givenName": name }));
        }
        if let Some(department) = &self.department {
            out.insert(ENTERPRISE.into(), json!({ "department": department }));
        }
        if !self.emails.is_empty() {
            let email = |(value, kind, primary): &(String, String, Option<bool>)| match primary {
                Some(primary) => json!({ "value": value, "type": kind, "primary": primary }),
                None => json!({ "value": value, "type": kind }),
            };
            out.insert("emails".into(), self.emails.iter().map(email).collect());
        }
        Value::Object(out)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn patch_does_what_the_model_does(
        first in proptest::collection::vec(deed(), 0..6),
        second in proptest::collection::vec(deed(), 1..10),
    ) {
        let mut model = Model::default();
        first.iter().for_each(|deed| deed.apply(&mut model));
        let before = model.attributes();
        second.iter().for_each(|deed| deed.apply(&mut model));
        let operations: Vec<Value> = second.iter().map(Deed::operation).collect();
        let outcome = patch(&before, &json!(operations)).unwrap();
        let expected = stored(ResourceKind::User, &model.attributes());
        prop_assert_eq!(&outcome.resource, &expected, "{}", json!(operations));
        prop_assert_eq!(outcome.changed.is_empty(), expected == stored(ResourceKind::User, &before));
    }

    #[test]
    fn any_operation_ends_in_an_outcome_or_a_refusal(
        op in proptest::sample::select(vec!["add", "remove", "replace", "Replace", "x"]),
        path in proptest::sample::select(vec![
            "", "userName", "name", "name.givenName", "emails", "emails.value", "emails[type eq \"work\"]", "active",
            "emails[type eq \"work\"].value", "emails[primary eq true].primary", "manager", "manager[value eq \"M\"]",
            "manager.value", "schemas", "id", "members", "members[type eq \"User\"]", "members.display", ENTERPRISE,
            "password", "addresses", "x509Certificates", "photos[value pr]", "meta", "externalId",
        ]),
        value in proptest::sample::select(vec![
            json!(null), json!(""), json!("x"), json!(1), json!(true), json!([]), json!({}), json!(["x"]), json!([null]),
            json!({ "value": "x" }), json!([{ "value": "x", "primary": true }]), json!([[{}]]), json!({ "name": [] }),
            json!({ "emails": { "value": { "value": 1 } } }), json!({ ENTERPRISE: { "manager": [["x"]] } }),
        ]),
        group in any::<bool>(),
    ) {
        let kind = if group { ResourceKind::Group } else { ResourceKind::User };
        let policy = Policy::default();
        let operations = json!([{ "op": op, "path": path, "value": value }]);
        let current = stored(kind, &json!({}));
        let applied = PatchRequest::parse(body(&operations), rt(kind), &policy)
            .and_then(|request| request.apply(rt(kind), &current, &[], &policy));
        if let Err(error) = applied {
            prop_assert!(error.status == 400 && error.scim_type.is_some());
        }
    }
}
