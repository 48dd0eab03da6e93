//! Searching on both backends: the filter compiled to SQL, pages, totals.

use diesel::SqliteConnection;

use super::postgres::Postgres;
use super::sqlite::Sqlite;
use super::{Found, GroupRecord, Result, Search, UserRecord};
use crate::domain::ids::Scope;

/// Called on each connection that the SQLite backend opens for reading, e.g. to register SQL functions.
pub(crate) fn prepare_sqlite_reader(_conn: &mut SqliteConnection) -> Result<()> {
    Ok(())
}

impl Sqlite {
    pub(crate) async fn search_users(&self, _scope: Scope, _search: &Search) -> Result<Found<UserRecord>> {
        todo!()
    }
    pub(crate) async fn search_groups(&self, _scope: Scope, _search: &Search) -> Result<Found<GroupRecord>> {
        todo!()
    }
}

impl Postgres {
    pub(crate) async fn search_users(&self, _scope: Scope, _search: &Search) -> Result<Found<UserRecord>> {
        todo!()
    }
    pub(crate) async fn search_groups(&self, _scope: Scope, _search: &Search) -> Result<Found<GroupRecord>> {
        todo!()
    }
}
