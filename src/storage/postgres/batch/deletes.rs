//! Deletes of users: tombstones first, what belongs to them in a second statement whose snapshot is younger.

use diesel::result::QueryResult;
use diesel_async::{AsyncPgConnection, RunQueryDsl as _, SimpleAsyncConnection as _};

use super::users::explain;
use super::{Answer, Unit, ids, texts};
use crate::storage::hot::{Bind, Hot};
use crate::storage::postgres::sql::users::{ClearDeleted, DeleteUsers};
use crate::storage::uid::Id;
use crate::storage::write::Action;

/// `list` is sorted by id.
pub(crate) async fn deletes(conn: &AsyncPgConnection, list: &[Unit<'_>], writer: i32) -> QueryResult<Vec<Answer>> {
    let (mut c1, mut c2, mut c3, mut c4) = (conn, conn, conn, conn);
    let (begun, heads, cleared, committed) = tokio::join!(biased;
        c1.batch_execute("BEGIN"),
        delete_users(list, writer).load::<(Id, i64)>(&mut c2),
        clear_deleted(list).load::<i64>(&mut c3),
        c4.batch_execute("COMMIT"));
    begun?;
    let accepted = heads?.into_iter().collect();
    cleared?;
    committed?;
    explain(conn, list, &accepted).await
}

/// See `Session::open`.
pub(in crate::storage::postgres) async fn prepare(conn: &AsyncPgConnection) -> QueryResult<()> {
    delete_users(&[], 0).load::<(Id, i64)>(&mut { conn }).await?;
    clear_deleted(&[]).load::<i64>(&mut { conn }).await?;
    Ok(())
}

pub(super) fn delete_users<'a>(list: &[Unit<'a>], writer: i32) -> Hot<'a, DeleteUsers> {
    let expected = |unit: &Unit<'_>| match unit.change.action {
        Action::DeleteUser { expected, .. } => expected,
        _ => Some(-1),
    };
    Hot::new(vec![
        ids(list, Unit::organization),
        ids(list, Unit::target),
        ids(list, Unit::connection),
        Bind::OptBigs(list.iter().map(expected).collect()),
        Bind::Bigs(list.iter().map(|u| u.write.at).collect()),
        ids(list, |u| Id(u.change.event.0)),
        texts(list, |u| &u.write.actor),
        texts(list, |u| &u.write.request_id),
        texts(list, |u| &u.change.detail),
        Bind::Int(writer),
    ])
}

pub(super) fn clear_deleted(list: &[Unit<'_>]) -> Hot<'static, ClearDeleted> {
    Hot::new(vec![ids(list, Unit::organization), ids(list, Unit::target)])
}
