//! Bodies as identity providers write them, and the few parts of an answer that the checks look at.
//!
//! Users come in two shapes, Okta's and Entra's, about 1 kB each; every value is derived from a number, so that a
//! read tells whether it belongs to the user asked for. Answers are read borrowed and ignore what is not named here.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
pub(crate) const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
pub(crate) const LIST: &str = "urn:ietf:params:scim:api:messages:2.0:ListResponse";
const ENTERPRISE: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
const PATCH: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

const GIVEN: [&str; 8] = ["Ada", "Björn", "Chidi", "Dolores", "Emre", "Françoise", "Grace", "Hiroshi"];
const FAMILY: [&str; 8] = ["Lovelace", "Ångström", "Okafor", "O'Brien", "Yıldız", "Sørensen", "Hopper", "Tanaka"];

/// A user as this run last wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// Counts the users of the run; even ones have Okta's shape, odd ones Entra's.
    pub(crate) number: u64,
    /// The server's id; empty before the user was created.
    pub(crate) id: String,
    pub(crate) user_name: String,
    /// Unknown for users that this run found on the server.
    pub(crate) display_name: Option<String>,
    pub(crate) active: Option<bool>,
    /// `meta.version` of the last write's answer, where the server gives one.
    pub(crate) version: Option<String>,
    /// How often it was replaced; part of the display name.
    pub(crate) revision: u32,
    /// Whether this run has put it into its member group.
    pub(crate) member: bool,
}

impl User {
    /// The user numbered `number` of the run `prefix`, not created yet.
    pub(crate) fn new(prefix: &str, number: u64) -> Self {
        let mut user = Self {
            number,
            id: String::new(),
            user_name: format!("{prefix}-{number:07}@load.example"),
            display_name: None,
            active: Some(true),
            version: None,
            revision: 0,
            member: false,
        };
        user.display_name = Some(user.display_name_at(0));
        user
    }

    /// The display name that the `revision`th PUT gives.
    pub(crate) fn display_name_at(&self, revision: u32) -> String {
        format!("{} {} ({}.{revision})", self.given(), self.family(), self.number)
    }

    fn given(&self) -> &'static str {
        pick(&GIVEN, self.number)
    }

    fn family(&self) -> &'static str {
        pick(&FAMILY, self.number / 8)
    }
}

fn pick(from: &[&'static str; 8], number: u64) -> &'static str {
    usize::try_from(number % 8).ok().and_then(|index| from.get(index)).copied().unwrap_or("Ada")
}

/// The body that creates or replaces `user`; with its id once it has one, as Okta's PUT sends it.
pub(crate) fn user_body(user: &User) -> Vec<u8> {
    let mut body = if user.number.is_multiple_of(2) { okta_user(user) } else { entra_user(user) };
    if let (false, Some(object)) = (user.id.is_empty(), body.as_object_mut()) {
        object.insert("id".to_owned(), json!(user.id));
    }
    body.to_string().into_bytes()
}

fn okta_user(user: &User) -> Value {
    let (given, family, number) = (user.given(), user.family(), user.number);
    json!({
        "schemas": [USER, ENTERPRISE],
        "userName": user.user_name,
        "name": {"givenName": given, "familyName": family, "formatted": format!("{given} {family}")},
        "displayName": user.display_name,
        "nickName": given,
        "title": "Site reliability engineer",
        "emails": [
            {"primary": true, "value": user.user_name, "type": "work"},
            {"primary": false, "value": format!("home-{number}@mail.example"), "type": "home"},
        ],
        "phoneNumbers": [{"value": format!("+44 20 7946 {:04}", number % 10_000), "type": "work", "primary": true}],
        "addresses": [{"type": "work", "streetAddress": format!("{} Fleet Street", number % 200), "locality": "London",
            "postalCode": "EC4Y 1AA", "country": "GB", "primary": true}],
        "locale": "en-GB",
        "preferredLanguage": "en-GB",
        "timezone": "Europe/London",
        "externalId": format!("00u{number:017}"),
        "groups": [],
        "active": user.active,
        ENTERPRISE: {"employeeNumber": number.to_string(), "costCenter": "4130", "department": "Operations"},
    })
}

fn entra_user(user: &User) -> Value {
    let (given, family, number) = (user.given(), user.family(), user.number);
    json!({
        "schemas": [USER, ENTERPRISE],
        "externalId": format!("{number:08x}-7e1d-4c7a-9f33-5d0f00c0ffee"),
        "userName": user.user_name,
        "active": user.active,
        "displayName": user.display_name,
        "emails": [{"primary": true, "type": "work", "value": user.user_name}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": format!("{given} {family}"), "familyName": family, "givenName": given},
        "title": "Senior accountant",
        "preferredLanguage": "de-DE",
        "addresses": [{"type": "work", "formatted": format!("Unter den Linden {}, 10117 Berlin", number % 77),
            "streetAddress": format!("Unter den Linden {}", number % 77), "locality": "Berlin", "region": "BE",
            "postalCode": "10117", "country": "DE"}],
        "phoneNumbers": [
            {"type": "work", "value": format!("+49 30 9018 {:04}", number % 10_000)},
            {"type": "mobile", "value": format!("+49 151 2345 {:04}", number % 10_000)},
        ],
        "roles": [],
        ENTERPRISE: {"employeeNumber": number.to_string(), "department": "Finance", "organization": "Example AG",
            "costCenter": "DE-200"},
    })
}

/// A PATCH that sets `active`, in Okta's shape or in Entra's default one with its text booleans.
pub(crate) fn active_body(active: bool, entra: bool) -> Vec<u8> {
    let text = if active { "True" } else { "False" };
    let operation = if entra {
        json!({"op": "Replace", "path": "active", "value": text})
    } else {
        json!({"op": "replace", "value": {"active": active}})
    };
    json!({"schemas": [PATCH], "Operations": [operation]}).to_string().into_bytes()
}

/// A PATCH that adds `members` to a group.
pub(crate) fn add_members_body(members: &[String]) -> Vec<u8> {
    let value: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": value}]})
        .to_string()
        .into_bytes()
}

/// A PATCH that removes one member by its value.
pub(crate) fn remove_member_body(member: &str) -> Vec<u8> {
    let path = format!("members[value eq \"{member}\"]");
    json!({"schemas": [PATCH], "Operations": [{"op": "remove", "path": path}]}).to_string().into_bytes()
}

/// The body that creates a group.
pub(crate) fn group_body(name: &str, members: &[String]) -> Vec<u8> {
    let members: Vec<Value> = members.iter().map(|id| json!({"value": id})).collect();
    json!({"schemas": [GROUP], "displayName": name, "members": members}).to_string().into_bytes()
}

/// Text that borrows from the answer unless an escape forbids it (serde never borrows into `Option<Cow>`).
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(transparent)]
pub(crate) struct Text<'a>(#[serde(borrow)] pub(crate) Cow<'a, str>);

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The checked part of a user.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserAnswer<'a> {
    #[serde(borrow, default)]
    pub(crate) schemas: Vec<Text<'a>>,
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) user_name: Text<'a>,
    #[serde(borrow)]
    pub(crate) display_name: Option<Text<'a>>,
    pub(crate) active: Option<bool>,
    #[serde(borrow)]
    pub(crate) groups: Option<Vec<Reference<'a>>>,
    #[serde(borrow)]
    pub(crate) meta: Option<Meta<'a>>,
}

/// The checked part of a group.
#[derive(Debug, Deserialize)]
pub(crate) struct GroupAnswer<'a> {
    #[serde(borrow)]
    pub(crate) id: Text<'a>,
    #[serde(borrow)]
    pub(crate) members: Option<Vec<Reference<'a>>>,
}

/// A member, or a group of a user.
#[derive(Debug, Deserialize)]
pub(crate) struct Reference<'a> {
    #[serde(borrow)]
    pub(crate) value: Text<'a>,
}

/// The checked part of `meta`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Meta<'a> {
    #[serde(borrow)]
    pub(crate) resource_type: Option<Text<'a>>,
    #[serde(borrow)]
    pub(crate) version: Option<Text<'a>>,
}

/// A list of users (RFC 7644 section 3.4.2).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListAnswer<'a> {
    #[serde(borrow, default)]
    pub(crate) schemas: Vec<Text<'a>>,
    pub(crate) total_results: u64,
    pub(crate) start_index: Option<u64>,
    pub(crate) items_per_page: Option<u64>,
    #[serde(borrow, default, rename = "Resources")]
    pub(crate) resources: Vec<UserAnswer<'a>>,
    /// RFC 9865.
    #[serde(borrow)]
    pub(crate) next_cursor: Option<Text<'a>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_shapes_are_about_a_kilobyte_and_name_their_user() {
        for number in [0, 1, 999] {
            let mut user = User::new("load-x", number);
            let body = user_body(&user);
            assert!((850..1300).contains(&body.len()), "{number}: {} bytes", body.len());
            let value: Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(value["userName"], user.user_name);
            assert_eq!(value["active"], true);
            assert!(value.get("id").is_none());
            user.id = "7".to_owned();
            let value: Value = serde_json::from_slice(&user_body(&user)).unwrap();
            assert_eq!(value["id"], "7");
        }
    }

    #[test]
    fn the_two_dialects_of_a_deactivation_differ() {
        let okta: Value = serde_json::from_slice(&active_body(false, false)).unwrap();
        assert_eq!(okta["Operations"], json!([{"op": "replace", "value": {"active": false}}]));
        let entra: Value = serde_json::from_slice(&active_body(false, true)).unwrap();
        assert_eq!(entra["Operations"], json!([{"op": "Replace", "path": "active", "value": "False"}]));
    }

    #[test]
    fn text_is_borrowed_from_the_answer_and_owned_only_with_escapes() {
        let list: ListAnswer<'_> = serde_json::from_str(
            r#"{"totalResults":1,"Resources":[{"id":"a","userName":"b","displayName":"c\u0041","x":[{"y":1}]}]}"#,
        )
        .unwrap();
        let user = &list.resources[0];
        assert!(matches!(user.id.0, Cow::Borrowed("a")));
        assert_eq!(user.display_name.as_ref().unwrap().0, "cA");
        assert!(matches!(user.display_name.as_ref().unwrap().0, Cow::Owned(_)));
    }
}
