//! Any bytes are a PATCH that applies or a refusal; what it makes is legal, so that an empty change to it is none.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rollcall::protocol::patch::PatchRequest;
use rollcall::protocol::policy::Policy;
use rollcall::protocol::resource::Resource;
use rollcall::protocol::schema::Registry;
use rollcall::protocol::validate;

const USER: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"userName":"bjensen",
    "name":{"givenName":"Barbara"},"emails":[{"value":"a@b","type":"work","primary":true}]}"#;
const GROUP: &str = r#"{"schemas":["urn:ietf:params:scim:schemas:core:2.0:Group"],"displayName":"Guides"}"#;

fuzz_target!(|bytes: &[u8]| {
    let policy = Policy::default();
    let Ok(body) = validate::parse_json(bytes, &policy.limits) else { return };
    let registry = Registry::builtin();
    for (rt, document) in [(&registry.user, USER), (&registry.group, GROUP)] {
        let Ok(request) = PatchRequest::parse(body.clone(), rt, &policy) else { continue };
        let Ok(current) = Resource::from_document(document) else { continue };
        let Ok(outcome) = request.apply(rt, &current, &[], &policy) else { continue };
        assert_eq!(outcome.changed.is_empty(), outcome.resource == current);
        assert!(validate::check(&outcome.resource, rt, &policy).is_ok());
    }
});
