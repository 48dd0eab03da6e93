//! All SQL. `Database` is the only public face: open by URL, finders, `commit(Write)`, `transaction`.
//! No permission, no SCIM rule, no HTTP status is decided here.

pub mod db;
pub mod error;
pub(crate) mod hot;
pub mod query;
pub mod rows;
pub(crate) mod uid;
pub mod write;

use std::sync::Arc;

use crate::domain::ids::{ResourceId, Scope};
pub use error::{Result, StorageError, UniqueKey};
pub use query::{Found, References, Search};
pub use rows::{Credential, GroupRecord, UserRecord};
pub use write::{Receipt, Write};

/// How to open a database.
#[derive(Debug, Clone)]
pub struct DatabaseOptions {
    /// `sqlite://PATH` or `postgres://…`; the scheme chooses the backend.
    pub url: String,
    /// Connections over all workers (PostgreSQL), readers for scans (SQLite).
    pub connections: usize,
    /// Threads that serve requests; divides `connections`.
    pub workers: usize,
    /// Longest wait for a connection.
    pub pool_wait: std::time::Duration,
    /// Longest run of one statement.
    pub statement_timeout: std::time::Duration,
}

/// Which backend a database is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// Embedded file.
    Sqlite,
    /// Server.
    Postgres,
}

/// A database handle; cheap to clone.
#[derive(Clone)]
pub struct Database {
    _inner: Arc<()>,
}

impl Database {
    /// Opens; does not migrate.
    ///
    /// # Errors
    /// `Broken` with what is wrong with the URL or the file; `Busy` when the server does not answer.
    pub async fn open(_options: &DatabaseOptions) -> Result<Self> {
        todo!()
    }
    /// Applies pending migrations under a lock; answers their names.
    pub async fn migrate(&self) -> Result<Vec<String>> {
        todo!()
    }
    /// Names of migrations not applied yet.
    pub async fn pending_migrations(&self) -> Result<Vec<String>> {
        todo!()
    }
    /// Which backend.
    pub fn backend(&self) -> Backend {
        todo!()
    }
    /// Answers when the database answers.
    pub async fn ping(&self) -> Result<()> {
        todo!()
    }
    /// A user by id: one statement, primary key. SQLite: inline on the worker's reader.
    pub async fn find_user(&self, _scope: Scope, _id: ResourceId, _groups: References) -> Result<Option<UserRecord>> {
        todo!()
    }
    /// A group by id: one statement, primary key; members by their primary key prefix.
    pub async fn find_group(
        &self,
        _scope: Scope,
        _id: ResourceId,
        _members: References,
    ) -> Result<Option<GroupRecord>> {
        todo!()
    }
    /// A page of users.
    pub async fn search_users(&self, _scope: Scope, _search: &Search) -> Result<Found<UserRecord>> {
        todo!()
    }
    /// A page of groups.
    pub async fn search_groups(&self, _scope: Scope, _search: &Search) -> Result<Found<GroupRecord>> {
        todo!()
    }
    /// Applies a `Write` whole or not at all; answered after the commit is durable.
    pub async fn commit(&self, _write: Write) -> Result<Receipt> {
        todo!()
    }
    /// The credential of a secret's SHA-256, whatever its state; `None` for an unknown one.
    pub async fn find_credential_across_organizations(&self, _hash: &[u8; 32]) -> Result<Option<Credential>> {
        todo!()
    }
    // Cold finders and deeds (organizations, connections, tokens) follow in cold/; `transaction` runs them in one.
    /// Finishes what is queued and closes.
    pub async fn close(&self) {
        todo!()
    }
}
