//! API keys: what storage keeps of them, what the service permits, what their secrets open.

use std::net::IpAddr;

use rollcall::domain::actor::Actor;
use rollcall::domain::ids::{OrganizationId, ResourceId, TokenId};
use rollcall::domain::permission::{PermissionSet, Role};
use rollcall::domain::token::{self, SecretKind};
use rollcall::service::admin::api_keys::{self, CreateApiKey, Expiry, Issued, PatchApiKey};
use rollcall::service::admin::{Caller, Credential, Refusal};
use rollcall::service::auth::api_key::{ApiKeys, Authenticated, Circumstances, touch};
use rollcall::service::backoffice::{self, OperatorCtx};
use rollcall::storage::{NewOrganization, OrganizationState};

use crate::helpers::*;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

async fn organization(t: &TestDatabase, slug: &str) -> OrganizationId {
    let id = OrganizationId(uuid());
    let new = NewOrganization { id, slug: slug.into(), name: slug.into() };
    t.db.insert_organization(deed(), new).await.expect("inserted");
    id
}

/// A person with one role.
fn person(organization: OrganizationId, role: Role) -> Caller {
    Caller {
        organization,
        actor: Actor::User(ResourceId(uuid())),
        credential: Credential::ApiKey(token_id()),
        roles: role.into(),
        permissions: PermissionSet::of(role.into()),
        now: AT,
        request_id: "r-1".into(),
        client_ip: Some("192.0.2.1".parse().expect("an address")),
        user_agent: None,
    }
}

fn new(roles: &[&str]) -> CreateApiKey {
    CreateApiKey {
        name: "Reports".into(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..CreateApiKey::default()
    }
}

async fn create(t: &TestDatabase, caller: &Caller, roles: &[&str]) -> Issued {
    api_keys::create(caller, &t.db, new(roles)).await.expect("created")
}

fn of<T: std::fmt::Debug>(result: Result<T, Refusal>) -> String {
    match result {
        Ok(value) => format!("ok: {value:?}"),
        Err(Refusal::Invalid(errors)) => errors.into_iter().map(|e| e.pointer).collect::<Vec<_>>().join(" "),
        Err(other) => format!("{other:?}"),
    }
}

const UNAUTHENTICATED: &str = "Service(Unauthenticated(Invalid))";

async fn open(t: &TestDatabase, keys: &ApiKeys, secret: &str, now: i64) -> Result<Authenticated, Refusal> {
    open_from(t, keys, secret, now, "192.0.2.1").await
}

async fn open_from(
    t: &TestDatabase,
    keys: &ApiKeys,
    secret: &str,
    now: i64,
    ip: &str,
) -> Result<Authenticated, Refusal> {
    let client_ip: Option<IpAddr> = Some(ip.parse().expect("an address"));
    keys.authenticate(&t.db, secret, Circumstances { now, client_ip, user_agent: None, request_id: "r-2" }).await
}

async fn kinds(t: &TestDatabase) -> Vec<String> {
    t.lines("SELECT concat_ws(' ', kind, version) AS line FROM events WHERE kind >= 80").await
}

on_both! {
    async fn a_key_opens_what_its_roles_permit_for_ninety_days(t: &TestDatabase) {
        let organization = organization(t, "one").await;
        let admin = person(organization, Role::Admin);
        let issued = create(t, &admin, &["billing", "read_only"]).await;
        assert!(token::is_well_formed(SecretKind::ApiKey, &issued.secret));
        assert!(!format!("{issued:?}").contains(&issued.secret));
        let record = &issued.record;
        assert_eq!((&*record.roles, &*record.created_by, record.version), ("read_only,billing", &*admin.actor.to_string(), 1));
        assert_eq!(record.expires_at, Some(AT + 90 * DAY));
        let keys = ApiKeys::default();
        let opened = open(t, &keys, &issued.secret, AT + 90 * DAY - 1).await.expect("valid");
        assert_eq!((opened.caller.organization, opened.caller.actor), (organization, Actor::ApiKey(record.id)));
        assert_eq!(opened.caller.roles, [Role::ReadOnly, Role::Billing].into_iter().collect());
        assert_eq!(opened.caller.request_id, "r-2");
        assert_eq!(of(open(t, &keys, &issued.secret, AT + 90 * DAY).await), UNAUTHENTICATED);
        assert_eq!(kinds(t).await, ["80 1"]);
        let where_from = t.lines("SELECT concat_ws(' ', ip, request_id) AS line FROM events WHERE kind = 80").await;
        assert_eq!(where_from, ["192.0.2.1 r-1"]);
        // The secret occurs nowhere, its hash only where it is looked up.
        let stored = t.lines("SELECT concat(fingerprint, name, description, roles, created_by) AS line FROM api_keys").await;
        assert!(!stored.concat().contains(&issued.secret[6..20]));
    }

    async fn whatever_is_no_valid_key_gets_one_answer(t: &TestDatabase) {
        let organization = organization(t, "one").await;
        let admin = person(organization, Role::Admin);
        let keys = ApiKeys::default();
        let issued = create(t, &admin, &["read_only"]).await;
        let scim = token::format(SecretKind::ScimToken, &[7; 32]);
        for text in ["", "rc_ak_", &scim, &token::format(SecretKind::ApiKey, &[7; 32]), &issued.secret[1..]] {
            assert_eq!(of(open(t, &keys, text, AT).await), UNAUTHENTICATED, "{text}");
        }
        open(t, &keys, &issued.secret, AT).await.expect("valid");
        api_keys::revoke(&admin, &t.db, issued.record.id, None).await.expect("revoked");
        keys.forget(issued.record.id);
        assert_eq!(of(open(t, &keys, &issued.secret, AT).await), UNAUTHENTICATED);
        assert_eq!(of(api_keys::get(&admin, &t.db, issued.record.id).await), "Missing");
        assert_eq!(of(api_keys::revoke(&admin, &t.db, issued.record.id, None).await), "Missing");
        assert_eq!(kinds(t).await, ["80 1", "83 2"]);
    }

    async fn a_suspended_organization_and_a_foreign_address_are_refused(t: &TestDatabase) {
        let organization = organization(t, "one").await;
        let admin = person(organization, Role::Admin);
        let block = CreateApiKey { ip_allowlist: vec!["198.51.100.0/24".into(), "2001:db8::/32".into()], ..new(&["read_only"]) };
        let issued = api_keys::create(&admin, &t.db, block).await.expect("created");
        let fresh = ApiKeys::default;
        assert_eq!(of(open(t, &fresh(), &issued.secret, AT).await), "AddressNotAllowed");
        for ip in ["198.51.100.9", "2001:db8::9", "::ffff:198.51.100.9"] {
            open_from(t, &fresh(), &issued.secret, AT, ip).await.expect("allowed");
        }
        t.db.update_organization_state(deed(), organization, OrganizationState::Suspended).await.expect("suspended");
        assert_eq!(of(open(t, &fresh(), &issued.secret, AT).await), "OrganizationSuspended");
    }

    async fn after_a_rotation_both_secrets_work_until_the_overlap_ends(t: &TestDatabase) {
        let admin = person(organization(t, "one").await, Role::Admin);
        let first = create(t, &admin, &["read_only"]).await;
        let later = Caller { now: AT + 10 * DAY, ..admin.clone() };
        assert_eq!(of(api_keys::rotate(&later, &t.db, first.record.id, None, 169).await), "/overlap_hours");
        assert_eq!(of(api_keys::rotate(&later, &t.db, first.record.id, Some(9), 24).await), "Stale");
        let second = api_keys::rotate(&later, &t.db, first.record.id, Some(1), 24).await.expect("rotated");
        assert_eq!((second.record.id, second.record.version), (first.record.id, 2));
        assert_eq!(second.record.expires_at, Some(AT + 100 * DAY));
        let keys = ApiKeys::default();
        let end = later.now + DAY;
        for (secret, at, works) in [
            (&first.secret, end - 1, true),
            (&first.secret, end, false),
            (&second.secret, end, true),
        ] {
            assert_eq!(open(t, &keys, secret, at).await.is_ok(), works);
        }
        let third = api_keys::rotate(&later, &t.db, first.record.id, None, 0).await.expect("rotated");
        keys.forget(first.record.id);
        for (secret, works) in [(&first.secret, false), (&second.secret, false), (&third.secret, true)] {
            assert_eq!(open(t, &keys, secret, later.now).await.is_ok(), works);
        }
        assert_eq!(kinds(t).await, ["80 1", "82 2", "82 3"]);
    }

    async fn a_former_secret_does_not_outlive_its_key(t: &TestDatabase) {
        let admin = person(organization(t, "one").await, Role::Admin);
        let short = CreateApiKey { expires: Some(Expiry::At(AT + HOUR)), ..new(&["read_only"]) };
        let first = api_keys::create(&admin, &t.db, short).await.expect("created");
        api_keys::rotate(&admin, &t.db, first.record.id, None, 168).await.expect("rotated");
        let keys = ApiKeys::default();
        assert_eq!(of(open(t, &keys, &first.secret, AT + HOUR).await), UNAUTHENTICATED);
        open(t, &keys, &first.secret, AT + HOUR - 1).await.expect("valid");
    }

    async fn a_data_admin_has_keys_of_their_own_and_sees_no_others(t: &TestDatabase) {
        let one = organization(t, "one").await;
        let (admin, data) = (person(one, Role::Admin), person(one, Role::DataAdmin));
        let foreign = create(t, &admin, &["read_only"]).await.record.id;
        let own = create(t, &data, &["data_admin", "read_only"]).await.record.id;
        assert_eq!(of(api_keys::create(&data, &t.db, new(&["admin"])).await.map(drop)), "Guarded(AboveOwn)");
        let seen = |keys: Vec<rollcall::storage::ApiKeyRecord>| keys.into_iter().map(|k| k.id).collect::<Vec<TokenId>>();
        assert_eq!(seen(api_keys::list(&data, &t.db).await.expect("listed")), [own]);
        assert_eq!(seen(api_keys::list(&admin, &t.db).await.expect("listed")), [foreign, own]);
        let read_only = person(one, Role::ReadOnly);
        assert_eq!(seen(api_keys::list(&read_only, &t.db).await.expect("listed")), [foreign, own]);
        assert_eq!(of(api_keys::get(&data, &t.db, foreign).await), "Missing");
        assert_eq!(of(api_keys::revoke(&data, &t.db, foreign, None).await), "Missing");
        assert_eq!(of(api_keys::rotate(&data, &t.db, foreign, None, 0).await.map(drop)), "Missing");
        let up = || PatchApiKey { roles: Some(vec!["billing".into()]), ..PatchApiKey::default() };
        assert_eq!(of(api_keys::patch(&data, &t.db, own, None, up()).await), "Guarded(AboveOwn)");
        // Given more by an Admin, the key is no longer its maker's to hand out.
        api_keys::patch(&admin, &t.db, own, None, up()).await.expect("patched");
        assert_eq!(of(api_keys::rotate(&data, &t.db, own, None, 0).await.map(drop)), "Guarded(AboveOwn)");
        api_keys::revoke(&data, &t.db, own, None).await.expect("revoked");
        for role in [Role::ReadOnly, Role::SubAccounts, Role::TeamManagement, Role::Billing] {
            let refused = api_keys::create(&person(one, role), &t.db, new(&["read_only"])).await;
            assert_eq!(of(refused.map(drop)), "PermissionDenied(ApiKeysWrite)", "{role:?}");
        }
        // Another organization's Admin.
        let other = person(organization(t, "other").await, Role::Admin);
        assert_eq!(of(api_keys::get(&other, &t.db, foreign).await), "Missing");
        assert_eq!(of(api_keys::revoke(&other, &t.db, foreign, None).await), "Missing");
    }

    async fn a_change_is_checked_and_noted_and_leaves_the_rest(t: &TestDatabase) {
        let admin = person(organization(t, "one").await, Role::Admin);
        let key = create(t, &admin, &["read_only"]).await.record;
        let change = |patch| api_keys::patch(&admin, &t.db, key.id, None, patch);
        let bad = PatchApiKey {
            name: Some(" ".into()),
            description: Some("x".repeat(501)),
            roles: Some(vec!["admin".into(), "owner".into()]),
            expires: Some(Expiry::At(AT)),
            ip_allowlist: Some(vec!["10.0.0.0/33".into()]),
        };
        assert_eq!(of(change(bad).await), "/name /description /roles/1 /ip_allowlist/0 /expires_at");
        assert_eq!(of(change(PatchApiKey { roles: Some(vec![]), ..PatchApiKey::default() }).await), "/roles");
        let same = change(PatchApiKey { name: Some("Reports".into()), ..PatchApiKey::default() }).await.expect("as is");
        assert_eq!(same.version, 1);
        let renamed = PatchApiKey { name: Some("Nightly".into()), expires: Some(Expiry::Never), ..PatchApiKey::default() };
        let changed = change(renamed).await.expect("changed");
        assert_eq!((&*changed.name, &*changed.roles, changed.expires_at, changed.version), ("Nightly", "read_only", None, 2));
        assert_eq!(of(api_keys::patch(&admin, &t.db, key.id, Some(1), PatchApiKey::default()).await), "Stale");
        let details = t.lines("SELECT detail AS line FROM events WHERE kind = 81").await;
        assert_eq!(details.len(), 1);
        assert!(details[0].contains(r#""changed":["name","expires_at"]"#), "{details:?}");
    }

    async fn a_key_changes_neither_its_own_roles_nor_shuts_itself_out(t: &TestDatabase) {
        let admin = person(organization(t, "one").await, Role::Admin);
        let issued = create(t, &admin, &["admin"]).await;
        let itself = open(t, &ApiKeys::default(), &issued.secret, AT).await.expect("valid").caller;
        let change = |patch| api_keys::patch(&itself, &t.db, issued.record.id, None, patch);
        let roles = PatchApiKey { roles: Some(vec!["billing".into()]), ..PatchApiKey::default() };
        assert_eq!(of(change(roles).await), "Guarded(OwnRoles)");
        let away = PatchApiKey { ip_allowlist: Some(vec!["10.0.0.0/8".into()]), ..PatchApiKey::default() };
        assert_eq!(of(change(away).await), "/ip_allowlist");
        let here = PatchApiKey { ip_allowlist: Some(vec!["192.0.2.0/24".into()]), ..PatchApiKey::default() };
        assert_eq!(change(here).await.expect("changed").ip_allowlist, "192.0.2.0/24");
    }

    async fn a_use_is_noted_at_most_once_a_minute(t: &TestDatabase) {
        let admin = person(organization(t, "one").await, Role::Admin);
        let issued = create(t, &admin, &["read_only"]).await;
        let keys = ApiKeys::default();
        let minute = 60_000_000;
        for (at, due) in [(AT, true), (AT + minute - 1, false), (AT + minute, true)] {
            let opened = open(t, &keys, &issued.secret, at).await.expect("valid");
            assert_eq!(opened.touch_due, due, "{at}");
            if due {
                touch(&t.db, &opened.caller).await.expect("noted");
            }
        }
        let used = api_keys::get(&admin, &t.db, issued.record.id).await.expect("there");
        assert_eq!((used.last_used_at, used.last_used_ip.as_deref()), (Some(AT + minute), Some("192.0.2.1")));
        assert_eq!(used.version, 1);
        // Another instance, that has noted nothing itself, is spared by what is stored.
        let opened = open(t, &ApiKeys::default(), &issued.secret, AT + minute + 1).await.expect("valid");
        assert!(!opened.touch_due);
        assert!(!t.db.touch_api_key(used.organization, used.id, AT + minute + 1, None).await.expect("answers"));
    }

    async fn the_operator_makes_the_first_key_of_an_organization(t: &TestDatabase) {
        let one = organization(t, "one").await;
        let ctx = OperatorCtx::system(AT);
        let issued = backoffice::api_keys::create(&ctx, &t.db, "one", new(&["admin"])).await.expect("created");
        assert_eq!((issued.record.organization, &*issued.record.created_by), (one, "system"));
        let opened = open(t, &ApiKeys::default(), &issued.secret, AT).await.expect("valid");
        assert!(opened.caller.is_admin());
        let refused = backoffice::api_keys::create(&ctx, &t.db, "one", new(&["owner"])).await;
        assert_eq!(
            refused.map(drop).expect_err("no such role").to_string(),
            "roles/0: a role is one of admin, data_admin, read_only, sub_accounts, team_management, billing"
        );
        let nowhere = backoffice::api_keys::create(&ctx, &t.db, "nobody", new(&["admin"])).await;
        assert!(matches!(nowhere.map(drop), Err(backoffice::Refusal::Missing { .. })));
    }

    async fn two_rotations_at_once_give_two_secrets_of_which_the_later_works(t: &TestDatabase) {
        let admin = person(organization(t, "one").await, Role::Admin);
        let key = create(t, &admin, &["read_only"]).await.record;
        let rotate = || api_keys::rotate(&admin, &t.db, key.id, None, 1);
        let (one, two) = futures_util::future::join(rotate(), rotate()).await;
        let (one, two) = (one.expect("rotated"), two.expect("rotated"));
        let versions: std::collections::BTreeSet<i64> = [one.record.version, two.record.version].into();
        assert_eq!(versions, [2, 3].into());
        for issued in [one, two] {
            open(t, &ApiKeys::default(), &issued.secret, AT).await.expect("valid in the overlap, or present");
        }
        let with_version = || api_keys::rotate(&admin, &t.db, key.id, Some(3), 1);
        let (one, two) = futures_util::future::join(with_version(), with_version()).await;
        assert!(one.is_ok() != two.is_ok(), "one of two that name the same version");
    }
}
