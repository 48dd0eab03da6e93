//! The built-in roles as a list, with how many people hold each; roles in bodies.

use super::Caller;
use super::error::{Invalid, Result};
use super::paging::{Page, PageRequest, of_rows};
use crate::domain::permission::{Permission, Role, RoleSet};
use crate::service::cursor::Key;
use crate::storage::Database;
pub use crate::storage::cold::roles::Holders;

/// A page of the roles with their holders; `keys` selects some of them, all where it is empty.
///
/// # Errors
/// `PermissionDenied`; those of storage.
pub async fn list(
    caller: &Caller,
    db: &Database,
    keys: &[Role],
    request: &PageRequest,
) -> Result<Page<(Role, Holders)>> {
    caller.permitted(Permission::RolesRead)?;
    let holders = db.role_holders(caller.organization).await?;
    let selected = Role::ALL.into_iter().filter(|role| keys.is_empty() || keys.contains(role));
    let rows = selected.map(|role| (role, holders.get(&role).copied().unwrap_or_default())).collect();
    let key = |row: &(Role, Holders), field: &str| {
        Key::Text(if field == "name" { row.0.name() } else { row.0.key() }.to_owned())
    };
    Ok(of_rows(rows, request, key, |row| row.0.key().to_owned()))
}

/// The roles that a body names.
pub(super) fn role_keys(keys: &[String], errors: &mut Vec<Invalid>) -> RoleSet {
    let mut set = RoleSet::NONE;
    for (at, key) in keys.iter().enumerate() {
        match Role::parse(key) {
            Some(role) => set.insert(role),
            None => {
                let known: Vec<&str> = Role::ALL.into_iter().map(Role::key).collect();
                errors.push(Invalid::new(format!("/roles/{at}"), format!("a role is one of {}", known.join(", "))));
            }
        }
    }
    set
}
