//! Meaning over whole resources.

use serde_json::{Value, json};

use crate::protocol::filter::bind::bind;
use crate::protocol::filter::evaluate::evaluate;
use crate::protocol::filter::parse::parse;
use crate::protocol::policy::Policy;
use crate::protocol::schema::Registry;

fn babs() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "id": "2819c223", "externalId": "Ext", "userName": "Bjensen@Example.com", "displayName": "Straße",
        "name": { "givenName": "Barbara", "familyName": "O'Malley", "middleName": "" },
        "nickName": "", "active": true, "photos": [], "roles": [{ "value": "" }], "title": null,
        "emails": [
            { "value": "bjensen@example.com", "type": "work", "primary": true },
            { "value": "babs@jensen.org", "type": "home" },
        ],
        "groups": [{ "value": "G1", "display": "Tour Guides" }],
        "meta": { "resourceType": "User", "created": "2011-05-13T04:42:34Z", "lastModified": "2011-05-13T06:42:34.5+02:00" },
    })
}

#[test]
fn each_operator_means_what_the_table_says() {
    let cases = [
        ("userName eq \"BJENSEN@example.COM\"", true),
        ("userName eq \"bjensen\"", false),
        ("id eq \"2819C223\"", false),
        ("externalId eq \"ext\"", false),
        ("displayName eq \"STRASSE\"", true),
        ("displayName sw \"strass\"", true),
        ("userName sw \"BJ\"", true),
        ("userName ew \".COM\"", true),
        ("userName co \"@EXAMPLE\"", true),
        ("userName co \"\"", true),
        ("userName co \"%\"", false),
        ("userName co \"_\"", false),
        ("userName gt \"a\" and userName lt \"c\"", true),
        ("userName ge \"bjensen@example.com\" and userName le \"bjensen@example.com\"", true),
        ("userName gt \"bjensen@example.com\" or userName lt \"bjensen@example.com\"", false),
        ("userName ne \"bjensen@example.com\"", false),
        ("active eq true", true),
        ("active eq \"False\"", false),
        ("active ne false", true),
        // absent, null, "" and empty
        ("nickName pr or photos pr or roles pr or title pr or locale pr or name.middleName pr", false),
        ("name pr and emails pr and active pr and meta.created pr", true),
        ("title eq null and locale eq null and userName ne null", true),
        ("title eq \"x\" or title co \"\" or title gt \"\" or title lt \"z\"", false),
        ("title ne \"x\"", true),
        ("not (title eq \"x\")", true),
        ("nickName eq \"\"", true),
        // multi-valued: any element; ne: no element equals
        ("emails.value eq \"babs@jensen.org\"", true),
        ("emails co \"example.com\"", true),
        ("emails.type ne \"work\"", false),
        ("emails.type ne \"other\"", true),
        ("emails.type eq \"home\" and emails.primary eq true", true),
        ("schemas eq \"urn:ietf:params:scim:schemas:core:2.0:User\"", true),
        ("groups eq \"G1\"", true),
        // one and the same element
        ("emails[type eq \"home\" and primary eq true]", false),
        ("emails[type eq \"work\" and value co \"@example.com\"]", true),
        ("emails[type eq \"home\"].value ew \".ORG\"", true),
        ("emails[primary ne true]", true),
        ("emails[not (type pr)]", false),
        ("ims[type ne \"x\"]", false),
        ("not (ims[type pr])", true),
        ("name[givenName eq \"barbara\"]", true),
        // moments
        ("meta.created eq \"2011-05-13T06:42:34+02:00\"", true),
        ("meta.lastModified gt \"2011-05-13T04:42:34Z\"", true),
        ("meta.lastModified le \"2011-05-13T04:42:34.5Z\"", true),
        ("meta.lastModified lt \"2011-05-13T04:42:34.50Z\"", false),
        // logic
        ("title pr or active eq true and userName pr", true),
        ("(title pr or active eq true) and locale pr", false),
    ];
    let babs = babs();
    for (text, expected) in cases {
        let policy = Policy::default();
        let filter = bind(&parse(text, &policy.limits).unwrap(), &Registry::builtin().user, &policy).unwrap();
        assert_eq!(evaluate(&filter, babs.as_object().unwrap()), expected, "{text}");
    }
}

#[test]
fn values_of_a_type_that_the_schema_forbids_compare_false() {
    let policy = Policy::default();
    let odd = json!({ "userName": 5, "active": "yes", "emails": "a@b", "meta": { "created": "soon" } });
    for text in
        ["userName eq \"5\"", "active eq true", "emails.value eq \"a@b\"", "meta.created gt \"2011-05-13T04:42:34Z\""]
    {
        let filter = bind(&parse(text, &policy.limits).unwrap(), &Registry::builtin().user, &policy).unwrap();
        assert!(!evaluate(&filter, odd.as_object().unwrap()), "{text}");
    }
}
