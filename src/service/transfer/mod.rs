//! Import and export of one owner's people and groups: the organization's own, or those of a connection. Files and their
//! formats are the caller's affair; here is what a batch of lines does, and what a page of an export holds.

mod check;
pub mod export;
mod import;
mod line;

pub use export::Export;
pub use import::{BATCH, Importer};
pub use line::{Counts, Line, Outcome, parse};

use serde_json::Value;

use crate::domain::connection::ConnectionSettings;
use crate::domain::event::EventKind;
use crate::domain::ids::{ConnectionId, Scope};
use crate::service::backoffice::{OperatorCtx, Refusal, Result, connections, organizations};
use crate::service::ids;
use crate::storage::{ConnectionRecord, Database, Db};

/// Whose people and groups they are.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// Tenant and connection.
    pub scope: Scope,
    /// The connection; `None` for the organization's own.
    pub connection: Option<ConnectionRecord>,
}

impl Holdings {
    /// Of an organization by slug or id, and a connection of it by name or id.
    ///
    /// # Errors
    /// `Missing`; `Invalid` for a connection that is decommissioned.
    pub async fn find(db: &Database, organization: &str, connection: Option<&str>) -> Result<Self> {
        let organization = organizations::load(db, organization).await?.id;
        let connection = match connection {
            None => None,
            Some(name) => Some(connections::load(db, organization, Some(name)).await?),
        };
        if let Some(connection) = &connection
            && connection.state == "decommissioned"
        {
            return Err(Refusal::Invalid(format!("the connection {} is decommissioned", connection.name)));
        }
        let id = connection.as_ref().map_or(ConnectionId::LOCAL, |connection| connection.id);
        Ok(Holdings { scope: Scope { organization, connection: id }, connection })
    }

    fn settings(&self) -> Result<ConnectionSettings> {
        let Some(connection) = &self.connection else { return Ok(ConnectionSettings::default()) };
        ConnectionSettings::parse(&connection.settings)
            .map_err(|error| Refusal::Invalid(format!("the settings of the connection {}: {error}", connection.name)))
    }
}

/// Leaves an event that a run began or ended, for the organization's audit log.
///
/// # Errors
/// The database's.
pub async fn note(
    ctx: &OperatorCtx,
    db: &Database,
    scope: Scope,
    kind: EventKind,
    run: uuid::Uuid,
    detail: &Value,
) -> Result<()> {
    let (deed, detail) = (ctx.deed(), detail.to_string());
    db.transaction(async move |db: &mut Db<'_>| {
        crate::storage::cold::transfer::note(db, &deed, scope, kind, run, &detail).await
    })
    .await?;
    Ok(())
}

/// Id of a new run.
pub fn run_id() -> uuid::Uuid {
    ids::event().0
}
