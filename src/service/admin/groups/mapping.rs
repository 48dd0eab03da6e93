//! The roles that a group is mapped to: the organization's to say, for groups of its directories too.

use serde_json::json;

use super::{ATTEMPTS, GroupEntry, load};
use crate::domain::ids::ResourceId;
use crate::domain::permission::{Permission, Role, RoleSet, check_change_of_roles};
use crate::service::admin::error::{Refusal, Result};
use crate::service::admin::role_change::guarded;
use crate::service::admin::{Caller, role_keys, users};
use crate::storage::cold::groups;
use crate::storage::{Database, Db};

/// Maps a group to exactly these roles.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `Stale`, `Invalid`, `LastAdmin`, `ManagedExternally` for a member; `Guarded` where it gives
/// or takes `admin` and the caller is no Admin, or would change the caller's own roles.
pub async fn map(
    caller: &Caller,
    db: &Database,
    id: ResourceId,
    expected: Option<i64>,
    keys: &[String],
) -> Result<GroupEntry> {
    caller.permitted(Permission::GroupsWrite)?;
    let mut errors = Vec::new();
    let wanted = role_keys(keys, &mut errors);
    if !errors.is_empty() {
        return Err(Refusal::Invalid(errors));
    }
    let mut attempt = 1;
    loop {
        let (caller_of, event) = (caller.clone(), caller.deed());
        let deed = async move |db: &mut Db<'_>| {
            let caller = caller_of;
            let (read, directories) = load(db, &caller, id, expected).await?;
            if read.roles == wanted {
                return Ok(read);
            }
            check_change_of_roles(read.roles.difference(wanted), false, caller.roles)?;
            if wanted.iter().any(|role| !read.roles.contains(role)) {
                users::check_mapping(db, &caller, id).await?;
            }
            let detail = detail(read.roles, wanted);
            groups::set_mapping(db, &event, caller.organization, &read, wanted, &detail).await?;
            groups::find(db, caller.organization, &directories, id).await?.ok_or(Refusal::Missing)
        };
        match guarded(caller, db, deed).await {
            Err(Refusal::Stale) if expected.is_none() && attempt < ATTEMPTS => attempt += 1,
            other => return other,
        }
    }
}

pub(super) fn detail(before: RoleSet, after: RoleSet) -> String {
    let keys = |set: RoleSet| set.iter().map(Role::key).collect::<Vec<_>>();
    json!({ "changed": ["roles"], "before": { "roles": keys(before) }, "after": { "roles": keys(after) } }).to_string()
}
