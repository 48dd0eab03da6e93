//! Point reads: a user with its groups, a group with its members, a credential. One statement is one snapshot and one
//! set of WAL locks, so a user's groups come in the user's statement.

use diesel::sql_types::{BigInt, Bool, Integer, Nullable, SmallInt, Text};
use diesel::{RunQueryDsl as _, SqliteConnection};

use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId, Scope, TokenId};
use crate::protocol::splice::Reference;
use crate::storage::error::{Result, StorageError};
use crate::storage::hot::{Bind, Hot, hot};
use crate::storage::uid::{Id, Uid};
use crate::storage::{Credential, GroupRecord, References, SMALL_GROUP, UserRecord};

/// Groups of the user `u` in its own connection as one text, at most as many as the one bind says (-1: all); read it
/// with `references`. Follows the order of `members_of`. The planner looks into a bare `LIMIT ?`, so SQLite would
/// prepare the statement anew for every bind (29 µs in place of 7); `? + 0` keeps it prepared.
macro_rules! groups_of_user {
    () => {
        "(SELECT group_concat(hex(id) || length(display_name) || ':' || display_name, '') FROM \
          (SELECT g.id, g.display_name FROM members m CROSS JOIN groups g \
           WHERE m.organization = u.organization AND m.member_id = u.id \
           AND g.organization = m.organization AND g.id = m.group_id AND g.connection = u.connection LIMIT ? + 0))"
    };
}
pub(crate) use groups_of_user;

type UserRow = (i64, i64, i64, bool, String, Option<String>);
type GroupRow = (i64, i64, i64, String);
type MemberRow = (Id, i16, Option<String>);

hot!(
    UserWithGroups,
    (BigInt, BigInt, BigInt, Bool, Text, Nullable<Text>),
    concat!(
        "SELECT u.version, u.created, u.modified, u.access, u.document, ",
        groups_of_user!(),
        " FROM users u WHERE u.organization = ? AND u.id = ? AND u.connection = ? AND u.deleted IS NULL"
    )
);
hot!(
    UserAlone,
    (BigInt, BigInt, BigInt, Bool, Text, Nullable<Text>),
    "SELECT version, created, modified, access, document, NULL FROM users \
     WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL"
);
hot!(
    GroupAlone,
    (BigInt, BigInt, BigInt, Text),
    "SELECT version, created, modified, document FROM groups \
     WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL"
);
hot!(
    CountMembers,
    BigInt,
    "SELECT count(*) FROM (SELECT 1 FROM members WHERE organization = ? AND group_id = ? LIMIT ? + 0)"
);
// A `member_type` of 3 is a person whose deletion the brake holds: nobody over SCIM (`cold::hidden::HIDDEN_MEMBER`).
hot!(
    MembersOf,
    (Uid, SmallInt, Nullable<Text>),
    "SELECT m.member_id, m.member_type, CASE m.member_type \
       WHEN 1 THEN (SELECT u.display_name FROM users u WHERE u.organization = m.organization AND u.id = m.member_id) \
       ELSE (SELECT g.display_name FROM groups g WHERE g.organization = m.organization AND g.id = m.member_id) END \
     FROM members m WHERE m.organization = ? AND m.group_id = ? AND m.member_type < 3 ORDER BY m.member_id LIMIT ? + 0"
);
hot!(BeginRead, Integer, "BEGIN");
hot!(EndRead, Integer, "COMMIT");
hot!(
    CredentialOf,
    (Uid, Uid, Text, Bool, Bool, Uid, Text, Text, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>),
    "SELECT t.id, t.organization, o.state, EXISTS (SELECT 1 FROM blocks b WHERE b.organization = t.organization), \
       EXISTS (SELECT 1 FROM accounts a WHERE a.organization = t.organization AND a.former_connection = t.connection), \
       t.connection, c.state, c.settings, t.expires_at, t.revoked_at, t.last_used_at \
     FROM scim_tokens t JOIN connections c ON c.organization = t.organization AND c.id = t.connection \
     JOIN organizations o ON o.id = t.organization WHERE t.hash = ?"
);

/// -1 is SQLite's word for no limit.
pub(crate) fn limit_of(references: References) -> i64 {
    match references {
        References::Skip => 0,
        References::UpTo(n) => i64::from(n),
        References::All => -1,
    }
}

/// The groups that `groups_of_user!` wrote: 32 hexadecimal digits, the number of characters of the name, `:`, the name.
pub(crate) fn references(text: Option<String>) -> Result<Vec<Reference>> {
    let mut out = Vec::new();
    let text = text.unwrap_or_default();
    let mut rest = &*text;
    while !rest.is_empty() {
        let (reference, after) =
            split_reference(rest).ok_or_else(|| StorageError::Broken("unreadable list of groups".to_owned()))?;
        out.push(reference);
        rest = after;
    }
    Ok(out)
}

fn split_reference(text: &str) -> Option<(Reference, &str)> {
    let (id, rest) = text.split_at_checked(32)?;
    let (length, rest) = rest.split_once(':')?;
    let length: usize = length.parse().ok()?;
    let end = rest.char_indices().nth(length).map_or(rest.len(), |(at, _)| at);
    let (name, after) = rest.split_at_checked(end)?;
    let reference = Reference { id: uuid::Uuid::try_parse(id).ok()?, display: Some(name.to_owned()), is_group: true };
    Some((reference, after))
}

fn within(scope: Scope, id: ResourceId) -> [Bind<'static>; 3] {
    [Bind::Id(scope.organization.into()), Bind::Id(id.into()), Bind::Id(scope.connection.into())]
}

pub(super) fn find_user(
    conn: &mut SqliteConnection,
    scope: Scope,
    id: ResourceId,
    groups: References,
) -> Result<Option<UserRecord>> {
    let rows: Vec<UserRow> = if groups == References::Skip {
        Hot::<UserAlone>::new(within(scope, id).into()).load(conn)?
    } else {
        let [organization, user, connection] = within(scope, id);
        let binds = vec![Bind::Big(limit_of(groups)), organization, user, connection];
        Hot::<UserWithGroups>::new(binds).load(conn)?
    };
    let Some((version, created, modified, access, document, groups)) = rows.into_iter().next() else {
        return Ok(None);
    };
    Ok(Some(UserRecord { id, version, created, modified, access, document, groups: references(groups)? }))
}

/// Group and members of one snapshot.
pub(super) fn find_group(
    conn: &mut SqliteConnection,
    scope: Scope,
    id: ResourceId,
    members: References,
) -> Result<Option<GroupRecord>> {
    if members == References::Skip {
        return group_alone(conn, scope, id);
    }
    Hot::<BeginRead>::new(vec![]).execute(conn)?;
    let found = group_alone(conn, scope, id).and_then(|group| match group {
        Some(group) => {
            let members = Some(members_of(conn, scope.organization, id, limit_of(members))?);
            Ok(Some(GroupRecord { members, ..group }))
        }
        None => Ok(None),
    });
    Hot::<EndRead>::new(vec![]).execute(conn)?;
    found
}

/// The same where the group has at most `SMALL_GROUP` members; of a larger one they are only counted as far as that.
pub(super) fn find_small_group(
    conn: &mut SqliteConnection,
    scope: Scope,
    id: ResourceId,
) -> Result<Option<GroupRecord>> {
    Hot::<BeginRead>::new(vec![]).execute(conn)?;
    let found = small_group(conn, scope, id);
    Hot::<EndRead>::new(vec![]).execute(conn)?;
    found
}

/// The same within the caller's transaction.
pub(super) fn small_group(conn: &mut SqliteConnection, scope: Scope, id: ResourceId) -> Result<Option<GroupRecord>> {
    let Some(group) = group_alone(conn, scope, id)? else { return Ok(None) };
    let most = i64::from(SMALL_GROUP);
    let binds = vec![Bind::Id(scope.organization.into()), Bind::Id(id.into()), Bind::Big(most + 1)];
    let count: i64 = Hot::<CountMembers>::new(binds).get_result(conn)?;
    let members = (count <= most).then(|| members_of(conn, scope.organization, id, most)).transpose()?;
    Ok(Some(GroupRecord { members, ..group }))
}

fn group_alone(conn: &mut SqliteConnection, scope: Scope, id: ResourceId) -> Result<Option<GroupRecord>> {
    let rows: Vec<GroupRow> = Hot::<GroupAlone>::new(within(scope, id).into()).load(conn)?;
    let record = |(version, created, modified, document)| GroupRecord {
        id,
        version,
        created,
        modified,
        document,
        members: None,
    };
    Ok(rows.into_iter().next().map(record))
}

/// Members in the order of their ids, at most `limit` (-1: all).
pub(crate) fn members_of(
    conn: &mut SqliteConnection,
    organization: OrganizationId,
    group: ResourceId,
    limit: i64,
) -> Result<Vec<Reference>> {
    let binds = vec![Bind::Id(organization.into()), Bind::Id(group.into()), Bind::Big(limit)];
    let rows: Vec<MemberRow> = Hot::<MembersOf>::new(binds).load(conn)?;
    Ok(rows.into_iter().map(|(id, kind, display)| Reference { id: id.0, display, is_group: kind == 2 }).collect())
}

pub(super) fn find_credential(conn: &mut SqliteConnection, hash: &[u8; 32]) -> Result<Option<Credential>> {
    type Row = (Id, Id, String, bool, bool, Id, String, String, Option<i64>, Option<i64>, Option<i64>);
    let rows: Vec<Row> = Hot::<CredentialOf>::new(vec![Bind::Bytes(hash)]).load(conn)?;
    let Some((
        token,
        organization,
        state,
        has_blocks,
        has_former,
        connection,
        connection_state,
        settings,
        expires_at,
        revoked_at,
        used,
    )) = rows.into_iter().next()
    else {
        return Ok(None);
    };
    Ok(Some(Credential {
        token: TokenId::from(token),
        organization: OrganizationId::from(organization),
        organization_suspended: state != "active",
        has_blocks,
        has_former,
        connection: ConnectionId::from(connection),
        connection_state,
        connection_settings: settings,
        expires_at,
        revoked_at,
        last_used_at: used,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_groups_may_hold_any_character() {
        let id = "0190000000007000800000000000000A";
        for name in ["", "Sales", "7:x", "é:\u{1f}𝒳", "0190000000007000800000000000000A3:abc"] {
            let one = format!("{id}{}:{name}", name.chars().count());
            let read = references(Some(format!("{one}{one}"))).expect("readable");
            assert_eq!(read.len(), 2);
            assert!(read.iter().all(|r| r.display.as_deref() == Some(name) && r.is_group), "{name:?}");
        }
        assert!(references(Some("0190".to_owned())).is_err());
        assert_eq!(references(None).ok(), Some(vec![]));
    }
}
