//! Point reads: a user with its groups, a group with its members, a credential. One statement is one round trip and one
//! snapshot.

use diesel::result::QueryResult;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, SmallInt, Text};
use diesel_async::methods::LoadQuery;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _};

use super::Postgres;
use super::sql::small_groups::{self, SmallGroupRow, SmallGroups};
use crate::domain::ids::{ResourceId, Scope};
use crate::protocol::splice::Reference;
use crate::storage::hot::{Bind, Hot, Shape, hot};
use crate::storage::rows::{GroupRecord, UserRecord};
use crate::storage::uid::{Id, Uid};
use crate::storage::{Credential, References, Result, StorageError};

// Probes users_pkey.
hot!(
    UserAlone,
    (BigInt, BigInt, BigInt, Bool, Text),
    r"
SELECT version, created, modified, access, document FROM users
WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL"
);

// Probes users_pkey; members_of by prefix, in its order; groups_pkey. Each group is its id, 36 characters, and its name:
// an array of one expression costs PostgreSQL 50 µs a read, array_agg of two columns 60, a join of rows 55, and the
// read without groups 31.
hot!(
    UserWithGroups,
    (BigInt, BigInt, BigInt, Bool, Text, Array<Text>),
    r"
SELECT u.version, u.created, u.modified, u.access, u.document,
    ARRAY(SELECT g.id || g.display_name FROM members m
        JOIN groups g ON g.organization = m.organization AND g.id = m.group_id AND g.connection = u.connection
        WHERE m.organization = u.organization AND m.member_id = u.id ORDER BY m.group_id LIMIT ?)
FROM users u WHERE u.organization = ? AND u.id = ? AND u.connection = ? AND u.deleted IS NULL"
);

// Probes groups_pkey.
hot!(
    GroupAlone,
    (BigInt, BigInt, BigInt, Text),
    r"
SELECT version, created, modified, document FROM groups
WHERE organization = ? AND id = ? AND connection = ? AND deleted IS NULL"
);

// Probes groups_pkey; members_pkey by prefix, in its order; users_pkey or groups_pkey per member. A `member_type` of 3 is a
// person whose deletion the brake holds: nobody over SCIM (`cold::hidden::HIDDEN_MEMBER`).
hot!(
    GroupWithMembers,
    (BigInt, BigInt, BigInt, Text, Nullable<Array<Uid>>, Nullable<Array<SmallInt>>, Nullable<Array<Nullable<Text>>>),
    r"
SELECT g.version, g.created, g.modified, g.document, m.ids, m.types, m.names FROM groups g
LEFT JOIN LATERAL (SELECT array_agg(m.member_id) AS ids, array_agg(m.member_type) AS types, array_agg(m.name) AS names
    FROM (SELECT m.member_id, m.member_type, CASE m.member_type
            WHEN 1 THEN (SELECT u.display_name FROM users u WHERE u.organization = m.organization AND u.id = m.member_id)
            ELSE (SELECT n.display_name FROM groups n WHERE n.organization = m.organization AND n.id = m.member_id) END AS name
        FROM members m WHERE m.organization = g.organization AND m.group_id = g.id AND m.member_type < 3
        ORDER BY m.organization, m.group_id, m.member_id LIMIT ?) m) m ON true
WHERE g.organization = ? AND g.id = ? AND g.connection = ? AND g.deleted IS NULL"
);

// Probes scim_tokens_hash_key, connections_pkey, organizations_pkey.
hot!(
    CredentialOf,
    (Uid, Uid, Text, Bool, Bool, Uid, Text, Text, Nullable<BigInt>, Nullable<BigInt>, Nullable<BigInt>),
    r"
SELECT t.id, t.organization, o.state, EXISTS (SELECT FROM blocks b WHERE b.organization = t.organization),
    EXISTS (SELECT FROM accounts a WHERE a.organization = t.organization AND a.former_connection = t.connection),
    t.connection, c.state, c.settings, t.expires_at, t.revoked_at, t.last_used_at
FROM scim_tokens t JOIN connections c ON c.organization = t.organization AND c.id = t.connection
JOIN organizations o ON o.id = t.organization WHERE t.hash = ?"
);

type UserRow = (i64, i64, i64, bool, String);
type UserWithGroupsRow = (i64, i64, i64, bool, String, Vec<String>);
type GroupRow = (i64, i64, i64, String);
type GroupWithMembersRow = (i64, i64, i64, String, Option<Vec<Id>>, Option<Vec<i16>>, Option<Vec<Option<String>>>);
type CredentialRow = (Id, Id, String, bool, bool, Id, String, String, Option<i64>, Option<i64>, Option<i64>);

/// Repetitions of a read that lost its connection.
const AGAIN: u32 = 3;

fn within(scope: Scope, id: ResourceId) -> [Bind<'static>; 3] {
    [Bind::Id(scope.organization.into()), Bind::Id(id.into()), Bind::Id(scope.connection.into())]
}

/// How many rows a reader wants.
fn limit(references: References) -> i64 {
    match references {
        References::Skip => 0,
        References::UpTo(n) => i64::from(n),
        References::All => i64::MAX,
    }
}

impl Postgres {
    /// The row of a read by key. On a lost connection it is asked again: after a restart of the server every pooled one
    /// may be dead, which is noticed only by using it.
    async fn row<'q, S, R>(&self, binds: impl Fn() -> Vec<Bind<'q>>) -> Result<Option<R>>
    where
        S: Shape,
        R: Send,
        Hot<'q, S>: LoadQuery<'q, AsyncPgConnection, R>,
    {
        let mut tries = 0;
        loop {
            let mut conn = self.read().await?;
            let rows: QueryResult<Vec<R>> = Hot::<S>::new(binds()).load(&mut *conn).await;
            if rows.is_err() && tries < AGAIN && conn.is_lost().await {
                tries += 1;
                continue;
            }
            conn.done();
            return Ok(rows?.into_iter().next());
        }
    }

    pub(crate) async fn find_user(
        &self,
        scope: Scope,
        id: ResourceId,
        groups: References,
    ) -> Result<Option<UserRecord>> {
        if groups == References::Skip {
            let row = self.row::<UserAlone, UserRow>(|| within(scope, id).into()).await?;
            return Ok(row.map(|(version, created, modified, access, document)| UserRecord {
                id,
                version,
                created,
                modified,
                access,
                document,
                groups: Vec::new(),
            }));
        }
        let binds = || [Bind::Big(limit(groups))].into_iter().chain(within(scope, id)).collect();
        let row = self.row::<UserWithGroups, UserWithGroupsRow>(binds).await?;
        let Some((version, created, modified, access, document, groups)) = row else { return Ok(None) };
        let groups = groups.iter().map(|text| group_reference(text)).collect::<Option<_>>();
        let groups = groups.ok_or_else(|| StorageError::Broken("unreadable list of groups".to_owned()))?;
        Ok(Some(UserRecord { id, version, created, modified, access, document, groups }))
    }

    pub(crate) async fn find_group(
        &self,
        scope: Scope,
        id: ResourceId,
        members: References,
    ) -> Result<Option<GroupRecord>> {
        if members == References::Skip {
            let row = self.row::<GroupAlone, GroupRow>(|| within(scope, id).into()).await?;
            return Ok(row.map(|(version, created, modified, document)| GroupRecord {
                id,
                version,
                created,
                modified,
                document,
                members: None,
            }));
        }
        let binds = || [Bind::Big(limit(members))].into_iter().chain(within(scope, id)).collect();
        let row = self.row::<GroupWithMembers, GroupWithMembersRow>(binds).await?;
        Ok(row.map(|(version, created, modified, document, ids, types, names)| GroupRecord {
            id,
            version,
            created,
            modified,
            document,
            members: Some(member_references(ids, types, names)),
        }))
    }

    pub(crate) async fn find_small_group(&self, scope: Scope, id: ResourceId) -> Result<Option<GroupRecord>> {
        let row = self.row::<SmallGroups, SmallGroupRow>(|| small_groups::binds(&[(scope, id)])).await?;
        Ok(row.map(small_groups::record))
    }

    /// Not kept: the service keeps what it derives from a credential, for at most a second.
    pub(crate) async fn find_credential_across_organizations(&self, hash: &[u8; 32]) -> Result<Option<Credential>> {
        let row = self.row::<CredentialOf, CredentialRow>(|| vec![Bind::Bytes(hash)]).await?;
        let credential = |row: CredentialRow| {
            let (
                token,
                organization,
                state,
                has_blocks,
                has_former,
                connection,
                connection_state,
                settings,
                expires,
                revoked,
                used,
            ) = row;
            Credential {
                token: token.into(),
                organization: organization.into(),
                organization_suspended: state != "active",
                has_blocks,
                has_former,
                connection: connection.into(),
                connection_state,
                connection_settings: settings,
                expires_at: expires,
                revoked_at: revoked,
                last_used_at: used,
            }
        };
        Ok(row.map(credential))
    }
}

fn group_reference(text: &str) -> Option<Reference> {
    let (id, name) = text.split_at_checked(36)?;
    Some(Reference { id: uuid::Uuid::try_parse(id).ok()?, display: Some(name.to_owned()), is_group: true })
}

pub(super) fn member_references(
    ids: Option<Vec<Id>>,
    types: Option<Vec<i16>>,
    names: Option<Vec<Option<String>>>,
) -> Vec<Reference> {
    let rows = ids.unwrap_or_default().into_iter().zip(types.unwrap_or_default()).zip(names.unwrap_or_default());
    rows.map(|((id, kind), display)| Reference { id: id.0, display, is_group: kind == 2 }).collect()
}
