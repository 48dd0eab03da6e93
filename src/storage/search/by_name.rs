//! `userName eq "…"`, by which most provisioning requests begin: one statement of fixed text on each backend, one probe of
//! the unique index, the user's groups in the same round trip.

use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel::{RunQueryDsl as _, SqliteConnection};
use diesel_async::AsyncPgConnection;

use super::select::Row;
use crate::domain::ids::Scope;
use crate::protocol::filter::{BoundFilter, CompareOp, Operand};
use crate::protocol::splice::Reference;
use crate::storage::hot::{Bind, Hot, hot};
use crate::storage::sqlite::reads;
use crate::storage::uid::{Id, Uid};
use crate::storage::{References, Result, keys};

/// The bounded key, if the filter asks for a userName and nothing else.
pub(super) fn key(filter: &BoundFilter) -> Option<String> {
    match filter {
        BoundFilter::Compare(attr, CompareOp::Eq, Operand::Text { key, .. }) if attr.is("userName") => {
            (!key.contains('\0')).then(|| keys::bounded(key))
        }
        _ => None,
    }
}

type SqliteTypes = (Uid, BigInt, BigInt, BigInt, Bool, Text, Nullable<Text>);
type SqliteRow = (Id, i64, i64, i64, bool, String, Option<String>);

hot!(
    SqliteWithGroups,
    SqliteTypes,
    concat!(
        "SELECT u.id, u.version, u.created, u.modified, u.access, u.document, ",
        reads::groups_of_user!(),
        " FROM users u INDEXED BY users_user_name_key \
         WHERE u.organization = ? AND u.user_name_key = ? AND u.connection = ? AND u.deleted IS NULL"
    )
);
hot!(
    SqliteAlone,
    SqliteTypes,
    "SELECT u.id, u.version, u.created, u.modified, u.access, u.document, NULL \
     FROM users u INDEXED BY users_user_name_key \
     WHERE u.organization = ? AND u.user_name_key = ? AND u.connection = ? AND u.deleted IS NULL"
);

/// On SQLite.
pub(super) fn sqlite(conn: &mut SqliteConnection, scope: Scope, key: &str, groups: References) -> Result<Option<Row>> {
    let probe = [Bind::Id(scope.organization.into()), Bind::Text(key), Bind::Id(scope.connection.into())];
    let rows: Vec<SqliteRow> = if groups == References::Skip {
        Hot::<SqliteAlone>::new(probe.into()).load(conn)?
    } else {
        let mut binds = vec![Bind::Big(reads::limit_of(groups))];
        binds.extend(probe);
        Hot::<SqliteWithGroups>::new(binds).load(conn)?
    };
    let Some((id, version, created, modified, access, document, text)) = rows.into_iter().next() else {
        return Ok(None);
    };
    let references = if groups == References::Skip { None } else { Some(reads::references(text)?) };
    Ok(Some(Row { id: id.0, version, created, modified, access, document, sort_key: None, references }))
}

type PostgresTypes = (Uid, BigInt, BigInt, BigInt, Bool, Text, Nullable<Array<Uid>>, Nullable<Array<Text>>);
type PostgresRow = (Id, i64, i64, i64, bool, String, Option<Vec<Id>>, Option<Vec<String>>);

hot!(
    PostgresWithGroups,
    PostgresTypes,
    "SELECT u.id, u.version, u.created, u.modified, u.access, u.document, x.ids, x.names FROM users u \
     LEFT JOIN LATERAL (SELECT array_agg(g.id) AS ids, array_agg(g.display_name) AS names FROM \
     (SELECT g.id, g.display_name FROM members m JOIN groups g ON g.organization = m.organization AND g.id = m.group_id \
     WHERE m.organization = u.organization AND m.member_id = u.id AND g.connection = u.connection \
     AND g.deleted IS NULL ORDER BY m.group_id LIMIT ?) g) x ON TRUE \
     WHERE u.organization = ? AND u.user_name_key = ? AND u.connection = ? AND u.deleted IS NULL"
);
hot!(
    PostgresAlone,
    PostgresTypes,
    "SELECT u.id, u.version, u.created, u.modified, u.access, u.document, NULL, NULL FROM users u \
     WHERE u.organization = ? AND u.user_name_key = ? AND u.connection = ? AND u.deleted IS NULL"
);

/// On PostgreSQL.
pub(super) async fn postgres(
    conn: &mut AsyncPgConnection,
    scope: Scope,
    key: &str,
    groups: References,
) -> Result<Option<Row>> {
    let probe = [Bind::Id(scope.organization.into()), Bind::Text(key), Bind::Id(scope.connection.into())];
    let rows: Vec<PostgresRow> = if groups == References::Skip {
        diesel_async::RunQueryDsl::load(Hot::<PostgresAlone>::new(probe.into()), conn).await?
    } else {
        let most = match groups {
            References::UpTo(n) => i64::from(n),
            References::Skip | References::All => i64::MAX,
        };
        let mut binds = vec![Bind::Big(most)];
        binds.extend(probe);
        diesel_async::RunQueryDsl::load(Hot::<PostgresWithGroups>::new(binds), conn).await?
    };
    let Some((id, version, created, modified, access, document, ids, names)) = rows.into_iter().next() else {
        return Ok(None);
    };
    let found = ids.unwrap_or_default().into_iter().zip(names.unwrap_or_default());
    let found = found.map(|(id, name)| Reference { id: id.0, display: Some(name), is_group: true }).collect();
    let references = (groups != References::Skip).then_some(found);
    Ok(Some(Row { id: id.0, version, created, modified, access, document, sort_key: None, references }))
}
