//! Connections of an organization to an identity provider.

use super::{OperatorCtx, Refusal, Result};
use crate::domain::ids::{ConnectionId, OrganizationId};
use crate::domain::organization::check_name;
use crate::service::ids;
use crate::storage::{ConnectionRecord, Database, NewConnection, StorageError, UniqueKey};

/// Providers told apart; `custom` is any other SCIM client.
pub const PROVIDERS: [&str; 7] = ["okta", "entra", "google", "onelogin", "jumpcloud", "ping", "custom"];

/// An active connection, not stored yet.
pub(super) fn new(organization: OrganizationId, provider: &str, name: &str) -> Result<NewConnection> {
    check_name(name).map_err(|e| Refusal::Invalid(format!("the connection's name: {e}")))?;
    if !PROVIDERS.contains(&provider) {
        let known = PROVIDERS.join(", ");
        return Err(Refusal::Invalid(format!("the provider `{provider}` is not known; it is one of {known}")));
    }
    Ok(NewConnection {
        organization,
        id: ids::connection(),
        provider: provider.to_owned(),
        name: name.trim().to_owned(),
        state: "active".to_owned(),
        settings: "{}".to_owned(),
    })
}

/// Creates an active connection.
///
/// # Errors
/// `Invalid` provider or name, `Taken` name.
pub async fn create(
    ctx: &OperatorCtx,
    db: &Database,
    organization: OrganizationId,
    provider: &str,
    name: &str,
) -> Result<ConnectionRecord> {
    let new = new(organization, provider, name)?;
    match db.insert_connection(ctx.deed(), new).await {
        Err(StorageError::NotUnique(UniqueKey::ConnectionName)) => {
            Err(Refusal::Taken { what: "a connection", name: name.to_owned() })
        }
        other => Ok(other?),
    }
}

/// The connection of that name or id; without either the organization's only one.
///
/// # Errors
/// `Missing`; `Invalid` where there are several and none was named.
pub async fn load(db: &Database, organization: OrganizationId, name_or_id: Option<&str>) -> Result<ConnectionRecord> {
    let Some(name) = name_or_id else { return only(list(db, organization).await?) };
    let found = match uuid::Uuid::try_parse(name) {
        Ok(id) => db.find_connection(organization, ConnectionId(id)).await?,
        Err(_) => None,
    };
    let found = match found {
        Some(connection) => Some(connection),
        None => db.find_connection_by_name(organization, name).await?,
    };
    found.ok_or_else(|| Refusal::Missing { what: "connection", name: name.to_owned() })
}

fn only(mut all: Vec<ConnectionRecord>) -> Result<ConnectionRecord> {
    match (all.pop(), all.len()) {
        (Some(connection), 0) => Ok(connection),
        (None, _) => Err(Refusal::Invalid("the organization has no connection; create one first".to_owned())),
        (Some(_), more) => {
            let text = format!("the organization has {} connections; say which one", more + 1);
            Err(Refusal::Invalid(text))
        }
    }
}

/// All connections of an organization, in the order of their creation.
///
/// # Errors
/// The database's.
pub async fn list(db: &Database, organization: OrganizationId) -> Result<Vec<ConnectionRecord>> {
    Ok(db.list_connections(organization).await?)
}
