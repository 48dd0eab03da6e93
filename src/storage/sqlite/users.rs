//! Users: insert, replace, delete.

use diesel::RunQueryDsl as _;
use diesel::sql_types::{BigInt, Integer};

use super::apply::{Counted, Step};
use crate::domain::ids::ResourceId;
use crate::storage::error::{Result, StorageError, UniqueKey};
use crate::storage::hot::{Bind, Hot, hot};
use crate::storage::write::{Action, Applied, AttributeValue, UserColumns};

hot!(
    InsertUser,
    Integer,
    "INSERT INTO users (organization, id, connection, user_name, user_name_key, external_id_key, active, access, \
       display_name, display_name_key, document, version, created, modified) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT DO NOTHING"
);
// An UPDATE that sets an indexed column rewrites its index entry even when the value stays, so the usual replacement,
// where no key differs, has a statement that sets none.
hot!(
    ReplaceSameKeys,
    Integer,
    "UPDATE users SET user_name = ?, active = ?, access = ?, display_name = ?, document = ?, version = version + 1, modified = ? \
     WHERE organization = ? AND id = ? AND connection = ? AND version = ? AND deleted IS NULL \
       AND external_id_key IS ? AND display_name_key IS ?"
);
hot!(
    ReplaceUser,
    Integer,
    "UPDATE users SET user_name = ?, active = ?, access = ?, display_name = ?, document = ?, version = version + 1, modified = ?, \
       external_id_key = ?, display_name_key = ? \
     WHERE organization = ? AND id = ? AND connection = ? AND version = ? AND deleted IS NULL"
);
hot!(
    RenameUser,
    Integer,
    "UPDATE users SET user_name = ?, active = ?, access = ?, display_name = ?, document = ?, version = version + 1, modified = ?, \
       external_id_key = ?, display_name_key = ?, user_name_key = ? \
     WHERE organization = ? AND id = ? AND connection = ? AND version = ? AND deleted IS NULL"
);
hot!(
    UserVersion,
    BigInt,
    "SELECT version FROM users WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL"
);
// The row stays as a tombstone with its userName, so that the audit log can name it; the key is free because the unique
// index leaves deleted rows out.
hot!(
    DeleteUser,
    Integer,
    "UPDATE users SET deleted = ?, modified = ?, version = version + 1, document = '', external_id_key = NULL, \
       display_name = NULL, display_name_key = NULL \
     WHERE organization = ? AND id = ?"
);
hot!(ClearValues, Integer, "DELETE FROM attribute_values WHERE organization = ? AND resource = ?");
hot!(
    PutValue,
    Integer,
    "INSERT INTO attribute_values (organization, resource, attribute, value_key, type_key, is_primary) VALUES (?, ?, ?, ?, ?, ?) \
     ON CONFLICT (organization, resource, attribute, value_key, type_key) DO UPDATE SET is_primary = excluded.is_primary"
);
hot!(
    RemoveValue,
    Integer,
    "DELETE FROM attribute_values WHERE organization = ? AND resource = ? AND attribute = ? AND value_key = ? AND type_key = ?"
);
// Without the hint SQLite looks each membership up by scanning the organization's.
hot!(
    ClearMemberships,
    Integer,
    "DELETE FROM members WHERE (organization, group_id, member_id) IN \
     (SELECT organization, group_id, member_id FROM members INDEXED BY members_of WHERE organization = ? AND member_id = ?)"
);

/// The version of a user that the scope sees.
fn version_of(step: &mut Step<'_>, id: ResourceId) -> Result<Option<i64>> {
    let key = vec![step.organization(), Bind::Id(id.into()), step.connection()];
    Ok(Hot::<UserVersion>::new(key).load::<i64>(step.conn)?.pop())
}

pub(super) fn insert(
    step: &mut Step<'_>,
    id: ResourceId,
    columns: &UserColumns,
    values: &[AttributeValue],
) -> Result<Applied> {
    let binds = vec![
        step.organization(),
        Bind::Id(id.into()),
        step.connection(),
        Bind::Text(&columns.user_name),
        Bind::Text(&columns.user_name_key),
        Bind::OptText(columns.external_id_key.as_deref()),
        Bind::OptBool(columns.active),
        Bind::Bool(columns.access),
        Bind::OptText(columns.display_name.as_deref()),
        Bind::OptText(columns.display_name_key.as_deref()),
        Bind::Text(&columns.document),
        step.at(),
        step.at(),
    ];
    if Hot::<InsertUser>::new(binds).execute(step.conn)? == 0 {
        return Err(StorageError::NotUnique(UniqueKey::UserName));
    }
    put_values(step, id, values)?;
    step.counts.add(step.write, Counted::Users, 1);
    step.done(1)
}

pub(super) fn replace(step: &mut Step<'_>) -> Result<Applied> {
    let Action::ReplaceUser { id, expected, columns, renames, add_values, remove_values } = &step.change.action else {
        return Err(StorageError::Broken("not a replacement".to_owned()));
    };
    if !update(step, *id, *expected, columns, *renames)? {
        return Err(match version_of(step, *id)? {
            Some(_) => StorageError::Stale,
            None => StorageError::Missing,
        });
    }
    for value in remove_values {
        let binds = vec![
            step.organization(),
            Bind::Id((*id).into()),
            Bind::Small(value.attribute),
            Bind::Text(&value.value_key),
            Bind::Text(&value.type_key),
        ];
        Hot::<RemoveValue>::new(binds).execute(step.conn)?;
    }
    put_values(step, *id, add_values)?;
    step.done(expected + 1)
}

/// Whether there was such a row of the expected version. A taken userName is an error of the statement, without effect.
fn update(step: &mut Step<'_>, id: ResourceId, expected: i64, columns: &UserColumns, renames: bool) -> Result<bool> {
    let at = step.write.at;
    let set = || {
        [
            Bind::Text(&columns.user_name),
            Bind::OptBool(columns.active),
            Bind::Bool(columns.access),
            Bind::OptText(columns.display_name.as_deref()),
            Bind::Text(&columns.document),
            Bind::Big(at),
        ]
    };
    let keys =
        || [Bind::OptText(columns.external_id_key.as_deref()), Bind::OptText(columns.display_name_key.as_deref())];
    let scope = step.write.scope;
    let row = || {
        let owner = [Bind::Id(scope.organization.into()), Bind::Id(id.into()), Bind::Id(scope.connection.into())];
        owner.into_iter().chain([Bind::Big(expected)])
    };
    if renames {
        let key = [Bind::Text(&columns.user_name_key)];
        let binds = set().into_iter().chain(keys()).chain(key).chain(row()).collect();
        return Ok(Hot::<RenameUser>::new(binds).execute(step.conn)? == 1);
    }
    let narrow = set().into_iter().chain(row()).chain(keys()).collect();
    if Hot::<ReplaceSameKeys>::new(narrow).execute(step.conn)? == 1 {
        return Ok(true);
    }
    let binds = set().into_iter().chain(keys()).chain(row()).collect();
    Ok(Hot::<ReplaceUser>::new(binds).execute(step.conn)? == 1)
}

/// The user's groups lose a member row and keep their version: nobody wrote to them, and a directory that removes the
/// members itself before or after would otherwise meet a version that it did not make (design.md section 4, answers).
pub(super) fn delete(step: &mut Step<'_>, id: ResourceId, expected: Option<i64>) -> Result<Applied> {
    let version = version_of(step, id)?.ok_or(StorageError::Missing)?;
    if expected.is_some_and(|e| e != version) {
        return Err(StorageError::Stale);
    }
    let row = |step: &Step<'_>| vec![Bind::Id(step.write.scope.organization.into()), Bind::Id(id.into())];
    let tombstone = [step.at(), step.at()].into_iter().chain(row(step)).collect();
    Hot::<DeleteUser>::new(tombstone).execute(step.conn)?;
    Hot::<ClearValues>::new(row(step)).execute(step.conn)?;
    Hot::<ClearMemberships>::new(row(step)).execute(step.conn)?;
    step.counts.add(step.write, Counted::Users, -1);
    step.done(version + 1)
}

fn put_values(step: &mut Step<'_>, id: ResourceId, values: &[AttributeValue]) -> Result<()> {
    for value in values {
        let binds = vec![
            step.organization(),
            Bind::Id(id.into()),
            Bind::Small(value.attribute),
            Bind::Text(&value.value_key),
            Bind::Text(&value.type_key),
            Bind::Bool(value.primary),
        ];
        Hot::<PutValue>::new(binds).execute(step.conn)?;
    }
    Ok(())
}

/// Takes a user or group out of all groups.
pub(super) fn clear_memberships(step: &mut Step<'_>, id: ResourceId) -> Result<()> {
    let binds = vec![step.organization(), Bind::Id(id.into())];
    Hot::<ClearMemberships>::new(binds).execute(step.conn)?;
    Ok(())
}
