//! What is known of connections without looking at their traffic: numbers of people and groups, and what was last heard.

use std::collections::BTreeMap;

use diesel::{ExpressionMethods as _, QueryDsl as _};

use crate::domain::ids::{ConnectionId, OrganizationId};
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::rows::HealthRecord;
use crate::storage::schema::{connection_health, counts};
use crate::storage::uid::Id;

/// `counts.type`
const USERS: i16 = 1;

/// People and groups of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub struct Figures {
    pub users: i64,
    pub groups: i64,
}

/// People and groups of each connection of an organization that has or had any; the local ones under
/// `ConnectionId::LOCAL`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn figures(db: &mut Db<'_>, organization: OrganizationId) -> Result<BTreeMap<ConnectionId, Figures>> {
    let query = counts::table.filter(counts::organization.eq(Id::from(organization))).select((
        counts::connection,
        counts::kind,
        counts::n,
    ));
    let rows: Vec<(Id, i16, i64)> = query.all(db).await?;
    let mut all: BTreeMap<ConnectionId, Figures> = BTreeMap::new();
    for (connection, kind, n) in rows {
        let figures = all.entry(connection.into()).or_default();
        if kind == USERS { figures.users += n } else { figures.groups += n }
    }
    Ok(all)
}

/// When the connections of an organization were last heard of.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list(db: &mut Db<'_>, organization: OrganizationId) -> Result<Vec<HealthRecord>> {
    let query = connection_health::table.filter(connection_health::organization.eq(Id::from(organization)));
    Ok(query.select(HealthRecord::cols()).all(db).await?)
}

impl Database {
    /// People and groups of each connection of an organization; the local ones under `ConnectionId::LOCAL`.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn connection_figures(&self, organization: OrganizationId) -> Result<BTreeMap<ConnectionId, Figures>> {
        self.cold_read(async |db| figures(db, organization).await).await
    }
    /// When the connections of an organization were last heard of.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_connection_health(&self, organization: OrganizationId) -> Result<Vec<HealthRecord>> {
        self.cold_read(async |db| list(db, organization).await).await
    }
}
