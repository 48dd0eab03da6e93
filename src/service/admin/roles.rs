//! The built-in roles as a list.

use super::paging::{Page, PageRequest, of_rows};
use crate::domain::permission::Role;
use crate::service::cursor::Key;

/// A page of the roles; `keys` selects some of them, all where it is empty.
pub fn list(keys: &[Role], request: &PageRequest) -> Page<Role> {
    let rows = Role::ALL.into_iter().filter(|role| keys.is_empty() || keys.contains(role)).collect();
    let key = |role: &Role, field: &str| Key::Text(if field == "name" { role.name() } else { role.key() }.to_owned());
    of_rows(rows, request, key, |role| role.key().to_owned())
}
