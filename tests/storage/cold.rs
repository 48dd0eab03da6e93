//! Organizations, connections, tokens, and deeds in one transaction.

use rollcall::domain::event::EventKind;
use rollcall::domain::ids::{ConnectionId, OrganizationId};
use rollcall::storage::cold::{connections, organizations, tokens};
use rollcall::storage::{
    Db, NewConnection, NewOrganization, NewToken, OrganizationRecord, OrganizationState, RefusedDeed, StorageError,
};

use crate::helpers::*;

fn organization(slug: &str) -> NewOrganization {
    NewOrganization { id: OrganizationId(uuid()), slug: slug.into(), name: slug.to_uppercase() }
}

fn connection(organization: OrganizationId, name: &str) -> NewConnection {
    NewConnection {
        organization,
        id: ConnectionId(uuid()),
        provider: "custom".into(),
        name: name.into(),
        state: "active".into(),
        settings: "{}".into(),
    }
}

fn token(connection: &NewConnection, hash: u8) -> NewToken {
    NewToken {
        organization: connection.organization,
        id: token_id(),
        connection: connection.id,
        name: "first".into(),
        hash: [hash; 32],
        fingerprint: "rc_st_ab…".into(),
        expires_at: Some(AT + 10),
    }
}

async fn kinds(t: &TestDatabase) -> Vec<String> {
    t.lines("SELECT concat_ws(' ', kind, version) AS line FROM events").await
}

on_both! {
    async fn organizations_are_created_found_listed_and_suspended(t: &TestDatabase) {
        let (first, second) = (organization("first"), organization("second"));
        let stored = t.db.insert_organization(deed(), first.clone()).await.expect("inserted");
        t.db.insert_organization(deed(), second.clone()).await.expect("inserted");
        assert_eq!((stored.id, &*stored.slug, &*stored.name, &*stored.state), (first.id, "first", "FIRST", "active"));
        assert_eq!((stored.created, stored.version), (AT, 1));
        let refused = t.db.insert_organization(deed(), organization("first")).await;
        assert_eq!(refusal(refused), "NotUnique(OrganizationSlug)");
        assert_eq!(t.db.find_organization(first.id).await.expect("answers"), Some(stored.clone()));
        assert_eq!(t.db.find_organization(second.id).await.expect("answers").map(|o| o.slug), Some("second".into()));
        let by_slug = async |slug| t.db.find_organization_by_slug_across_organizations(slug).await.expect("answers");
        assert_eq!(by_slug("first").await, Some(stored));
        assert_eq!(by_slug("First").await, None);
        let list = async |after, limit| {
            let page = t.db.list_organizations_across_organizations(after, limit).await.expect("answers");
            page.into_iter().map(|o: OrganizationRecord| o.slug).collect::<Vec<_>>()
        };
        assert_eq!(list(None, 10).await, ["first", "second"]);
        assert_eq!(list(None, 1).await, ["first"]);
        assert_eq!(list(Some(first.id), 10).await, ["second"]);
        for _ in 0..2 {
            let suspended = t.db.update_organization_state(deed(), first.id, OrganizationState::Suspended).await;
            assert_eq!(suspended.map(|o| (o.state, o.version)).expect("suspended"), ("suspended".into(), 2));
        }
        let nobody = t.db.update_organization_state(deed(), OrganizationId(uuid()), OrganizationState::Active).await;
        assert_eq!(refusal(nobody), "Missing");
        assert_eq!(kinds(t).await, ["20 1", "20 1", "21 2"]);
    }

    async fn connections_are_named_within_their_organization(t: &TestDatabase) {
        let (one, other) = (organization("one"), organization("other"));
        for o in [&one, &other] {
            t.db.insert_organization(deed(), o.clone()).await.expect("inserted");
        }
        let okta = connection(one.id, "Okta");
        let stored = t.db.insert_connection(deed(), okta.clone()).await.expect("inserted");
        assert_eq!((stored.id, &*stored.name, &*stored.state, stored.version), (okta.id, "Okta", "active", 1));
        assert_eq!(refusal(t.db.insert_connection(deed(), connection(one.id, "Okta")).await), "NotUnique(ConnectionName)");
        t.db.insert_connection(deed(), connection(other.id, "Okta")).await.expect("inserted");
        let nowhere = t.db.insert_connection(deed(), connection(OrganizationId(uuid()), "Okta")).await;
        assert!(matches!(nowhere, Err(StorageError::Broken(_))), "{nowhere:?}");
        assert_eq!(t.db.find_connection(one.id, okta.id).await.expect("answers"), Some(stored.clone()));
        assert_eq!(t.db.find_connection(other.id, okta.id).await.expect("answers"), None);
        assert_eq!(t.db.find_connection_by_name(one.id, "Okta").await.expect("answers"), Some(stored.clone()));
        assert_eq!(t.db.find_connection_by_name(one.id, "Entra").await.expect("answers"), None);
        assert_eq!(t.db.list_connections(one.id).await.expect("answers"), [stored]);
        assert_eq!(kinds(t).await, ["20 1", "20 1", "30 1", "30 1"]);
    }

    async fn tokens_are_listed_touched_once_a_minute_and_revoked_once(t: &TestDatabase) {
        let one = organization("one");
        t.db.insert_organization(deed(), one.clone()).await.expect("inserted");
        let okta = connection(one.id, "Okta");
        t.db.insert_connection(deed(), okta.clone()).await.expect("inserted");
        let (first, second) = (token(&okta, 1), token(&okta, 2));
        let stored = t.db.insert_token(deed(), first.clone()).await.expect("inserted");
        t.db.insert_token(deed(), second.clone()).await.expect("inserted");
        assert_eq!((stored.id, stored.expires_at, stored.revoked_at, stored.last_used_at), (first.id, Some(AT + 10), None, None));
        assert_eq!((&*stored.created_by, &*stored.fingerprint), ("system", "rc_st_ab…"));
        let listed = t.db.list_tokens(one.id, okta.id).await.expect("answers");
        assert_eq!(listed.iter().map(|t| t.id).collect::<Vec<_>>(), [first.id, second.id]);

        let touch = async |at| t.db.touch_token(one.id, first.id, at, Some("::1".into())).await.expect("answers");
        assert!(touch(AT).await);
        assert!(!touch(AT + 59_999_999).await);
        assert!(touch(AT + 60_000_000).await);
        let used = t.db.find_token(one.id, first.id).await.expect("answers").expect("there");
        assert_eq!((used.last_used_at, used.last_used_ip.as_deref()), (Some(AT + 60_000_000), Some("::1")));

        let revoked = t.db.revoke_token(deed(), one.id, first.id).await.expect("revoked");
        assert_eq!(revoked.revoked_at, Some(AT));
        let later = rollcall::storage::Deed { at: AT + 5, ..deed() };
        assert_eq!(t.db.revoke_token(later, one.id, first.id).await.expect("as is").revoked_at, Some(AT));
        assert_eq!(refusal(t.db.revoke_token(deed(), OrganizationId(uuid()), first.id).await), "Missing");
        assert_eq!(kinds(t).await, ["20 1", "30 1", "40 1", "40 1", "41 1"]);
    }

    async fn credentials_tell_all_states_and_nothing_for_an_unknown_hash(t: &TestDatabase) {
        let one = organization("one");
        t.db.insert_organization(deed(), one.clone()).await.expect("inserted");
        let okta = NewConnection { state: "paused".into(), settings: r#"{"a":1}"#.into(), ..connection(one.id, "Okta") };
        t.db.insert_connection(deed(), okta.clone()).await.expect("inserted");
        let secret = token(&okta, 7);
        t.db.insert_token(deed(), secret.clone()).await.expect("inserted");
        let find = async |hash| t.db.find_credential_across_organizations(&[hash; 32]).await.expect("answers");
        assert_eq!(find(8).await, None);
        let found = find(7).await.expect("known");
        assert_eq!((found.token, found.organization, found.connection), (secret.id, one.id, okta.id));
        assert_eq!((&*found.connection_state, &*found.connection_settings), ("paused", r#"{"a":1}"#));
        assert_eq!((found.organization_suspended, found.expires_at, found.revoked_at), (false, Some(AT + 10), None));
        t.db.update_organization_state(deed(), one.id, OrganizationState::Suspended).await.expect("suspended");
        t.db.revoke_token(deed(), one.id, secret.id).await.expect("revoked");
    }

    async fn a_deed_is_done_whole_or_not_at_all(t: &TestDatabase) {
        let one = organization("one");
        let okta = connection(one.id, "Okta");
        let (o, c, k) = (one.clone(), okta.clone(), token(&okta, 1));
        let done = t.db.transaction(async move |db: &mut Db<'_>| {
            organizations::insert(db, &deed(), &o).await?;
            connections::insert(db, &deed(), &c).await?;
            tokens::insert(db, &deed(), &k).await
        }).await;
        assert!(done.is_ok(), "{done:?}");
        let before = kinds(t).await;
        let (o, c) = (organization("two"), connection(one.id, "Okta"));
        let two = o.id;
        let refused = t.db.transaction(async move |db: &mut Db<'_>| {
            organizations::insert(db, &deed(), &o).await?;
            connections::insert(db, &deed(), &c).await
        }).await;
        assert_eq!(refusal(refused), "NotUnique(ConnectionName)");
        assert_eq!(t.db.find_organization(two).await.expect("answers"), None);
        assert_eq!(kinds(t).await, before);
        // The connection works on.
        t.db.insert_organization(deed(), organization("two")).await.expect("inserted");
    }

    async fn a_refused_deed_leaves_its_event_alone(t: &TestDatabase) {
        let (organization, user) = (OrganizationId(uuid()), id());
        let refused = RefusedDeed {
            organization,
            connection: None,
            kind: EventKind::UserDeleted,
            resource: user.0,
            problem: "managed-externally".into(),
        };
        t.db.record_refusal(deed(), refused).await.expect("recorded");
        let sql = "SELECT concat_ws(' ', {hex:resource}, kind, version, problem, detail) AS line FROM events";
        let line = format!("{} 130 0 managed-externally {{\"action\":\"user.deleted\"}}", hex(user));
        assert_eq!(t.lines(sql).await, [line]);
    }

    async fn a_deed_that_panics_leaves_nothing_and_later_ones_work(t: &TestDatabase) {
        let o = organization("one");
        let gone = o.id;
        let deed_of_panic = t.db.transaction(async move |db: &mut Db<'_>| {
            organizations::insert(db, &deed(), &o).await?;
            if o.slug == "one" {
                panic!("on purpose");
            }
            Ok::<(), StorageError>(())
        });
        // On SQLite it panics on the writer's thread, on PostgreSQL on the caller's.
        let outcome = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(deed_of_panic)).await;
        assert!(!matches!(outcome, Ok(Ok(()))));
        assert_eq!(t.db.find_organization(gone).await.expect("answers"), None);
        t.db.insert_organization(deed(), organization("one")).await.expect("inserted");
        t.users(scope(), ["Ben"]).await;
    }
}
