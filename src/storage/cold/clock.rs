//! The database's own clock, for a check against ours: events and expiries are stamped by us, operators compare them with
//! what the database logs.

use diesel::dsl::sql;
use diesel::sql_types::BigInt;

use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::{Backend, Database};

const POSTGRES: &str = "(extract(epoch from clock_timestamp()) * 1000000)::bigint";
const SQLITE: &str = "CAST(unixepoch('subsec') * 1000000 AS INTEGER)";

impl Database {
    /// What the database takes for the present, µs since 1970 UTC.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn time(&self) -> Result<i64> {
        let now = match self.backend() {
            Backend::Postgres => POSTGRES,
            Backend::Sqlite => SQLITE,
        };
        self.cold_read(async move |db: &mut Db<'_>| Ok(diesel::select(sql::<BigInt>(now)).one(db).await?)).await
    }
}
