//! PostgreSQL: pool, commit queue, reads by id.

use std::sync::Arc;

use super::metrics::Metrics;
use super::{Credential, DatabaseOptions, GroupRecord, Receipt, References, Result, UserRecord, Write};
use crate::domain::ids::{ResourceId, Scope};

/// The PostgreSQL backend.
pub(crate) struct Postgres {
    _metrics: Arc<Metrics>,
}

impl Postgres {
    pub(crate) async fn open(_options: &DatabaseOptions, _metrics: Arc<Metrics>) -> Result<Self> {
        todo!()
    }
    pub(crate) async fn migrate(&self) -> Result<Vec<String>> {
        todo!()
    }
    pub(crate) async fn pending_migrations(&self) -> Result<Vec<String>> {
        todo!()
    }
    pub(crate) async fn ping(&self) -> Result<()> {
        todo!()
    }
    pub(crate) async fn find_user(
        &self,
        _scope: Scope,
        _id: ResourceId,
        _groups: References,
    ) -> Result<Option<UserRecord>> {
        todo!()
    }
    pub(crate) async fn find_group(
        &self,
        _scope: Scope,
        _id: ResourceId,
        _members: References,
    ) -> Result<Option<GroupRecord>> {
        todo!()
    }
    pub(crate) async fn commit(&self, _write: Write) -> Result<Receipt> {
        todo!()
    }
    pub(crate) async fn find_credential_across_organizations(&self, _hash: &[u8; 32]) -> Result<Option<Credential>> {
        todo!()
    }
    pub(crate) async fn close(&self) {
        todo!()
    }
    /// A pooled connection, for cold statements, searches and deeds of `Database::transaction`.
    pub(crate) async fn connection(
        &self,
    ) -> Result<diesel_async::pooled_connection::deadpool::Object<diesel_async::AsyncPgConnection>> {
        todo!()
    }
}
