//! What filters compile to: how much of them, and by which index.

use super::*;
use crate::domain::ids::{ConnectionId, OrganizationId};
use crate::protocol::filter::bind::bind;
use crate::protocol::filter::parse::parse;
use crate::protocol::policy::Policy;
use crate::protocol::schema::Registry;
use uuid::Uuid;

fn bound(kind: ResourceKind, text: &str) -> BoundFilter {
    let policy = Policy::default();
    let filter = parse(text, &policy.limits).expect("a filter");
    bind(&filter, Registry::builtin().resource_type(kind), &policy).expect("fits")
}

fn context(kind: ResourceKind, odd_keys: bool) -> Context {
    let scope = Scope { organization: OrganizationId(Uuid::nil()), connection: ConnectionId(Uuid::nil()) };
    Context { backend: Backend::Sqlite, scope, kind, odd_keys, trigrams: false }
}

/// Whether a filter needs no look into documents, without and with keys that were cut.
fn is_exact(kind: ResourceKind, text: &str) -> (bool, bool) {
    let filter = bound(kind, text);
    (compile(&context(kind, false), &filter).exact, compile(&context(kind, true), &filter).exact)
}

#[test]
fn what_has_a_column_or_rows_needs_no_document() {
    let always = (true, true);
    let unless_cut = (true, false);
    let never = (false, false);
    let user = ResourceKind::User;
    for (filter, exact) in [
        (r#"userName eq "a""#, always),
        (r#"userName ne "a" and displayName sw "b""#, always),
        (r#"not (externalId gt "a" or active eq false)"#, always),
        (r#"userName co "a""#, unless_cut),
        (r#"displayName ew "a""#, unless_cut),
        (r#"active ne true"#, always),
        (r#"meta.lastModified ge "2026-01-01T00:00:00Z""#, always),
        (r#"meta.resourceType eq "User""#, always),
        (r#"emails[type eq "work" and value sw "a"]"#, always),
        (r#"emails[type eq "work" and value co "a"]"#, unless_cut),
        (r#"emails[primary eq true]"#, always),
        (r#"emails[primary eq false]"#, never),
        (r#"emails.display eq "a""#, never),
        (r#"emails pr"#, unless_cut),
        (r#"groups.value eq "00000000-0000-0000-0000-000000000001""#, always),
        (r#"groups.display sw "a""#, always),
        (r#"id eq "a""#, always),
        (r#"id sw "0""#, never),
        (r#"title eq "a""#, never),
        (r#"title eq "a" and userName eq "b""#, never),
        (r#"meta.version eq "W/\"1\"""#, never),
    ] {
        assert_eq!(is_exact(user, filter), exact, "{filter}");
    }
    let group = ResourceKind::Group;
    for (filter, exact) in [
        (r#"displayName eq "a""#, always),
        (r#"members eq "00000000-0000-0000-0000-000000000001""#, always),
        (r#"members[type eq "User" and display sw "a"]"#, always),
        (r#"members pr"#, unless_cut),
        (r#"members.$ref eq "a""#, never),
    ] {
        let (without, with) = is_exact(group, filter);
        assert_eq!(without, exact.0, "{filter}");
        assert!(with || !exact.1, "{filter}");
    }
}

#[test]
fn an_inexact_part_leaves_the_rest_to_narrow() {
    let filter = bound(ResourceKind::User, r#"title eq "x" and userName eq "b""#);
    let predicate = compile(&context(ResourceKind::User, false), &filter);
    assert_eq!(predicate.sql.as_str(), "(TRUE AND (u.user_name_key = ?))");
    let negated = bound(ResourceKind::User, r#"not (title eq "x" and userName eq "b")"#);
    assert_eq!(compile(&context(ResourceKind::User, false), &negated), Predicate::unknown());
}

#[test]
fn equalities_that_an_index_serves_are_probes() {
    let probe = |kind, text| Probe::of(kind, &bound(kind, text)).map(|p| (p.unique, p.alone));
    for (filter, wanted) in [
        (r#"userName eq "a""#, Some((true, true))),
        (r#"title pr and userName eq "a""#, Some((true, false))),
        (r#"externalId eq "a" and id eq "b""#, Some((true, false))),
        (r#"emails[type eq "work" and value eq "a"]"#, Some((false, true))),
        (r#"emails[type eq "work"]"#, None),
        (r#"userName eq "a" or title pr"#, None),
        (r#"not (userName eq "a")"#, None),
        (r#"title eq "a""#, None),
    ] {
        assert_eq!(probe(ResourceKind::User, filter), wanted, "{filter}");
    }
    assert_eq!(probe(ResourceKind::Group, r#"members eq "a""#), Some((false, true)));
}

#[test]
fn a_prefix_ends_before_its_successor() {
    for (prefix, end) in [
        ("a", Some("b")),
        ("a\u{10ffff}", Some("b")),
        ("\u{10ffff}", None),
        ("", None),
        ("x\u{d7ff}", Some("x\u{e000}")),
        ("é", Some("ê")),
    ] {
        assert_eq!(text::successor(prefix).as_deref(), end, "{prefix:?}");
    }
}

#[test]
fn a_trigram_needs_three_letters_in_a_row() {
    for (key, has) in
        [("abc", true), ("ab", false), ("ab@cd", false), ("a_b_c", false), ("@123", true), ("straße", true)]
    {
        assert_eq!(text::like_has_trigram(key), has, "{key}");
    }
}
