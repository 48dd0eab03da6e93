//! Point 1: who may call which route. `admin::routes` asks every route with every role for what the route's own permission says;
//! here stands which permission that must be, and that permissions of several roles add up.

use std::collections::BTreeSet;

use rollcall::domain::permission::{PermissionSet, Role, RoleSet};
use rollcall::http::admin;

use crate::helpers::*;

/// The routes as they are specified. A route that needs two permissions has two lines.
const SPECIFIED: &str = "
    GET /organization organization.read
    GET /roles roles.read
    GET /users users.read
    GET /users/{id} users.read
    GET /users/{id}/export users.read
    GET /users/{id}/export audit.read
    PATCH /users/{id} users.write
    PUT /users/{id}/roles users.write
    POST /users/{id}/suspend users.write
    POST /users/{id}/unsuspend users.write
    DELETE /users/{id} users.delete
    POST /users/{id}/release users.delete
    POST /users/{id}/release connections.write
    POST /users/bulk users.write
    GET /invitations users.invite
    POST /invitations users.invite
    POST /invitations/{id}/resend users.invite
    DELETE /invitations/{id} users.invite
    GET /groups groups.read
    POST /groups groups.write
    GET /groups/{id} groups.read
    PATCH /groups/{id} groups.write
    DELETE /groups/{id} groups.write
    GET /groups/{id}/members groups.read
    PUT /groups/{id}/members/{user} groups.write
    DELETE /groups/{id}/members/{user} groups.write
    PUT /groups/{id}/role-mapping groups.write
    GET /connections connections.read
    POST /connections connections.write
    GET /connections/{id} connections.read
    PATCH /connections/{id} connections.write
    POST /connections/{id}/observe connections.write
    POST /connections/{id}/activate connections.write
    POST /connections/{id}/pause connections.write
    POST /connections/{id}/resume connections.write
    POST /connections/{id}/decommission connections.write
    GET /connections/{id}/scim-tokens scim_tokens.write
    POST /connections/{id}/scim-tokens scim_tokens.write
    POST /connections/{id}/scim-tokens/{tid}/rotate scim_tokens.write
    DELETE /connections/{id}/scim-tokens/{tid} scim_tokens.write
    GET /connections/{id}/adoptions adoptions.write
    POST /connections/{id}/adoptions/{aid}/accept adoptions.write
    POST /connections/{id}/adoptions/{aid}/refuse adoptions.write
    GET /connections/{id}/held-changes connections.write
    POST /connections/{id}/held-changes/release connections.write
    POST /connections/{id}/held-changes/discard connections.write
    GET /domains connections.read
    POST /domains connections.write
    GET /domains/{domain} connections.read
    POST /domains/{domain}/verify connections.write
    DELETE /domains/{domain} connections.write
    GET /provisioning-log provisioning_log.read
    GET /provisioning-log/{id} provisioning_log.read
    POST /provisioning-log/{id}/replay provisioning_log.read
    GET /audit-events audit.read
    GET /audit-events/{id} audit.read
    GET /api-keys api_keys.read
    POST /api-keys api_keys.write
    GET /api-keys/{id} api_keys.read
    PATCH /api-keys/{id} api_keys.write
    DELETE /api-keys/{id} api_keys.write
    POST /api-keys/{id}/rotate api_keys.write
    GET /security-settings security.read
    PATCH /security-settings security.write
    GET /sub-accounts sub_accounts.read
    POST /sub-accounts sub_accounts.write
    GET /sub-accounts/{id} sub_accounts.read
    PATCH /sub-accounts/{id} sub_accounts.write
    POST /sub-accounts/{id}/archive sub_accounts.write
    GET /sub-accounts/{id}/access sub_accounts.read
    GET /sub-accounts/{id}/access users.read
    PUT /sub-accounts/{id}/access/{user} sub_accounts.write
    PUT /sub-accounts/{id}/access/{user} users.read
    DELETE /sub-accounts/{id}/access/{user} sub_accounts.write
    DELETE /sub-accounts/{id}/access/{user} users.read";

#[test]
fn every_route_needs_the_permission_that_is_specified() {
    let line = |(method, path, permission): (_, String, rollcall::domain::permission::Permission)| {
        format!("{method} {path} {}", permission.key())
    };
    let mounted: BTreeSet<String> = admin::routes().into_iter().chain(admin::second_permissions()).map(line).collect();
    let specified: BTreeSet<String> =
        SPECIFIED.lines().map(|l| l.trim().to_owned()).filter(|l| !l.is_empty()).collect();
    let missing: Vec<_> = mounted.difference(&specified).collect();
    let gone: Vec<_> = specified.difference(&mounted).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not specified: {missing:#?}\nspecified: {gone:#?}");
}

on_both! {
    async fn permissions_of_several_roles_add_up(app: &TestApp) {
        let tenant = app.tenant().await;
        let second = admin::second_permissions();
        for roles in ["data_admin,sub_accounts", "team_management,billing", "sub_accounts,read_only,billing"] {
            let admin = app.admin(&tenant, roles).await;
            let all = PermissionSet::of(RoleSet::parse(roles));
            for (method, path, permission) in admin::routes() {
                let also = second.iter().filter(|(m, p, _)| *m == method && *p == path).map(|(_, _, also)| *also);
                let is_open = [permission].into_iter().chain(also).all(|needed| all.allows(needed));
                let path = path.split('/').map(|s| if s.starts_with('{') { NOBODY } else { s });
                let path = path.collect::<Vec<_>>().join("/");
                let answer = send(admin.request(method.as_str(), &path)).await;
                assert_eq!(answer.status != 403, is_open, "{roles} {method} {path}: {}", answer.text);
            }
        }
        // No role but admin is open to all of it.
        let needed = admin::routes().into_iter().map(|(_, _, permission)| permission).collect::<Vec<_>>();
        for role in Role::ALL {
            let set = PermissionSet::of(role.into());
            assert_eq!(needed.iter().all(|permission| set.allows(*permission)), role == Role::Admin, "{role:?}");
        }
    }
}

const NOBODY: &str = "0192f3a0-0000-7000-8000-000000000000";
