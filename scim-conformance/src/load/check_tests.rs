//! The checks, on answers written out by hand: right ones pass, each way of being wrong is told by its kind.

use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderValue};
use hyper::{StatusCode, header};
use serde_json::{Value, json};

use super::*;

fn answer(status: u16, body: &Value) -> Answer {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/scim+json; charset=utf-8"));
    headers.insert(header::LOCATION, HeaderValue::from_static("https://x/scim/v2/Users/7"));
    Answer { status: StatusCode::from_u16(status).unwrap(), headers, body: Bytes::from(body.to_string()) }
}

fn expected() -> User {
    let mut user = User::new("p", 3);
    user.id = "7".to_owned();
    user
}

fn user_json() -> Value {
    let user = expected();
    json!({
        "schemas": [USER], "id": "7", "userName": user.user_name, "displayName": user.display_name, "active": true,
        "groups": [{"value": "g1"}, {"value": "g2"}], "meta": {"resourceType": "User", "version": "W/\"2\""},
    })
}

fn list_json(users: &[Value], total: u64) -> Value {
    json!({"schemas": [LIST], "totalResults": total, "startIndex": 1, "itemsPerPage": users.len(), "Resources": users})
}

fn kind<T>(verdict: Verdict<T>) -> String {
    verdict.err().map_or_else(|| "right".to_owned(), |wrong| wrong.kind.into_owned())
}

#[test]
fn a_read_user_is_judged_by_each_of_its_parts() {
    let read_kind = |body: &Value| kind(read(&answer(200, body), &expected(), None));
    assert_eq!(read_kind(&user_json()), "right");
    for (pointer, value, said) in [
        ("/id", json!("8"), "id"),
        ("/userName", json!("else"), "userName"),
        ("/displayName", json!(null), "displayName"),
        ("/active", json!(false), "active"),
        ("/active", json!("True"), "body unreadable"),
        ("/schemas", json!([]), "schemas"),
        ("/meta/resourceType", json!("Group"), "meta.resourceType"),
    ] {
        let mut body = user_json();
        *body.pointer_mut(pointer).unwrap() = value;
        assert_eq!(read_kind(&body), said, "{pointer}");
    }
}

#[test]
fn groups_are_compared_as_a_set() {
    let groups = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        kind(read(&answer(200, &user_json()), &expected(), Some(&ids)))
    };
    assert_eq!(groups(&["g2", "g1"]), "right");
    assert_eq!(groups(&["g1"]), "groups");
    assert_eq!(groups(&["g1", "g3"]), "groups");
    assert_eq!(groups(&[]), "groups");
}

#[test]
fn status_and_content_type_come_before_the_body() {
    assert_eq!(kind(read(&answer(404, &user_json()), &expected(), None)), "status 404");
    let mut html = answer(200, &user_json());
    html.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    assert_eq!(kind(read(&html, &expected(), None)), "content type");
    html.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("Application/JSON"));
    assert_eq!(kind(read(&html, &expected(), None)), "right");
}

#[test]
fn an_etag_that_is_not_the_version_is_wrong() {
    let mut tagged = answer(200, &user_json());
    tagged.headers.insert(header::ETAG, HeaderValue::from_static("W/\"2\""));
    assert_eq!(kind(read(&tagged, &expected(), None)), "right");
    tagged.headers.insert(header::ETAG, HeaderValue::from_static("W/\"3\""));
    assert_eq!(kind(read(&tagged, &expected(), None)), "ETag");
}

#[test]
fn a_created_user_brings_its_id_and_location() {
    let mut fresh = expected();
    fresh.id.clear();
    assert_eq!(created(&answer(201, &user_json()), &fresh), Ok(("7".to_owned(), Some("W/\"2\"".to_owned()))));
    assert_eq!(kind(created(&answer(200, &user_json()), &fresh)), "status 200");
    let mut lost = answer(201, &user_json());
    lost.headers.remove(header::LOCATION);
    assert_eq!(kind(created(&lost, &fresh)), "Location");
}

#[test]
fn a_change_has_another_version() {
    let mut user = expected();
    assert_eq!(changed(&answer(200, &user_json()), &user, &[200]), Ok(Some("W/\"2\"".to_owned())));
    user.version = Some("W/\"2\"".to_owned());
    assert_eq!(kind(changed(&answer(200, &user_json()), &user, &[200])), "version unchanged");
    assert_eq!(kind(changed(&answer(204, &json!("")), &user, &[200, 204])), "right");
    assert_eq!(kind(changed(&answer(204, &json!("")), &user, &[200])), "status 204");
}

#[test]
fn a_lookup_finds_exactly_the_one_or_nobody() {
    let user = expected();
    let one = list_json(&[user_json()], 1);
    let nobody = list_json(&[], 0);
    assert_eq!(kind(found(&answer(200, &one), Some(&user))), "right");
    assert_eq!(kind(found(&answer(200, &nobody), None)), "right");
    assert_eq!(kind(found(&answer(200, &nobody), Some(&user))), "totalResults");
    assert_eq!(kind(found(&answer(200, &one), None)), "totalResults");
    assert_eq!(kind(found(&answer(200, &list_json(&[], 1)), Some(&user))), "Resources");
    let mut other = one.clone();
    other["Resources"][0]["userName"] = json!("else");
    assert_eq!(kind(found(&answer(200, &other), Some(&user))), "userName");
    let mut lying = one;
    lying["itemsPerPage"] = json!(100);
    assert_eq!(kind(found(&answer(200, &lying), Some(&user))), "itemsPerPage");
}

#[test]
fn a_page_has_its_place_its_size_and_nobody_twice() {
    let users: Vec<Value> = (0..2).map(|id| json!({"id": id.to_string(), "userName": "u"})).collect();
    let page_kind = |users: &[Value], start: Option<u64>, count: u64, total: u64| {
        kind(page(&answer(200, &list_json(users, 5)), &Page { start, users: count, total }))
    };
    assert_eq!(page_kind(&users, Some(1), 2, 5), "right");
    assert_eq!(page_kind(&users, None, 2, 5), "right");
    assert_eq!(page_kind(&users, Some(3), 2, 5), "startIndex");
    assert_eq!(page_kind(&users, Some(1), 3, 5), "Resources");
    assert_eq!(page_kind(&users, Some(1), 2, 6), "totalResults");
    assert_eq!(page_kind(&[users[0].clone(), users[0].clone()], Some(1), 2, 5), "Resources");
}

#[test]
fn a_membership_shows_in_the_answer_unless_members_are_left_out() {
    let group = |members: &Value| answer(200, &json!({"id": "g", "members": members}));
    let has = group(&json!([{"value": "a"}, {"value": "b"}]));
    assert_eq!(kind(membership(&has, "g", "b", true)), "right");
    assert_eq!(kind(membership(&has, "g", "b", false)), "members");
    assert_eq!(kind(membership(&has, "h", "b", true)), "id");
    assert_eq!(kind(membership(&group(&json!(null)), "g", "b", true)), "right");
    assert_eq!(kind(membership(&answer(204, &json!("")), "g", "b", true)), "right");
    assert_eq!(kind(members(&has, "g", &HashSet::from(["a", "b"]))), "right");
    assert_eq!(kind(members(&has, "g", &HashSet::from(["a"]))), "members");
    assert_eq!(kind(members(&has, "g", &HashSet::from(["a", "b", "c"]))), "members");
    assert_eq!(kind(members(&has, "g", &HashSet::from(["a", "c"]))), "members");
}
