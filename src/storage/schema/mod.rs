//! One `table!` set for both backends, by hand: the migrations differ in spelling only. A test compares it with both
//! migrated databases.

mod admin;
mod core;
mod provisioning;

pub(crate) use admin::*;
pub(crate) use core::*;
pub(crate) use provisioning::*;

diesel::allow_tables_to_appear_in_same_query!(
    organizations,
    connections,
    scim_tokens,
    users,
    groups,
    attribute_values,
    members,
    events,
    counts,
    accounts,
    activity,
    tombstones,
    role_grants,
    role_mappings,
    api_keys,
    operators,
    operator_keys,
    idempotency_keys,
    invitations,
    admin_links,
    sub_account_access,
    verified_domains,
    adoptions,
    brake_windows,
    held_changes,
    blocks,
    provisioning_segments,
    connection_health,
    jobs,
);
