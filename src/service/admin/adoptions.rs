//! Local people whom a connection would take over: what is known of them, and an Admin's word on it.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::Caller;
use super::connections::{load, permitted};
use super::error::{Refusal, Result};
use super::paging::Page;
use super::role_change::guarded;
use crate::domain::adoption::Verdict;
use crate::domain::connection::{ConnectionSettings, State};
use crate::domain::ids::{ConnectionId, Scope};
use crate::domain::permission::Permission;
use crate::protocol::resource::Resource;
use crate::service::ServiceError;
use crate::service::adoption::{self, Judged};
use crate::service::scim::resources::detail;
pub use crate::storage::cold::adoptions::AdoptionRecord;
use crate::storage::cold::adoptions::{self, Sought};
use crate::storage::{ConnectionRecord, Database, Db, StorageError};

/// Adoptions that are read at once.
const PAGE: u32 = 200;

/// An adoption with both sides of it.
#[derive(Debug, Clone)]
pub struct Adoption {
    /// As stored.
    pub record: AdoptionRecord,
    /// The person as the directory would have them.
    pub incoming: Side,
    /// The person as they are here; `None` once they are not local any more.
    pub local: Option<Side>,
    /// Attributes that differ, each with its value here and there.
    pub differences: Vec<Difference>,
    /// What the policy as it is now says.
    pub verdict: Option<Verdict>,
}

/// A person in short.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Side {
    pub user_name: String,
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub external_id: Option<String>,
    pub active: Option<bool>,
    /// What the person signs in with, whatever the directory says later.
    pub login_address: Option<String>,
}

/// An attribute whose value here is another one there.
#[derive(Debug, Clone, PartialEq)]
pub struct Difference {
    /// Its path.
    pub field: String,
    /// Its value here; null where it has none.
    pub from: Value,
    /// Its value there.
    pub to: Value,
}

/// A page of the adoptions of a connection, of these states (all where none is given). `page` cuts it; only what is on it is
/// compared with the people who are here.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn list(
    caller: &Caller,
    db: &Database,
    connection: ConnectionId,
    states: &[&str],
    page: impl FnOnce(Vec<AdoptionRecord>) -> Page<AdoptionRecord>,
) -> Result<Page<Adoption>> {
    permitted(caller, Permission::AdoptionsWrite)?;
    let connection = load(caller, db, connection).await?;
    let scope = scope(caller, &connection);
    let one = if let [state] = states { Some(*state) } else { None };
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let some = db.list_adoptions(scope, one, after, PAGE).await?;
        after = some.last().map(|record| record.id);
        let is_last = some.len() < PAGE as usize;
        all.extend(some.into_iter().filter(|record| states.is_empty() || states.contains(&record.state.as_str())));
        if is_last {
            break;
        }
    }
    let Page { rows, next, previous, total } = page(all);
    let mut compared = Vec::with_capacity(rows.len());
    for record in rows {
        compared.push(shown(db, &connection, record).await?);
    }
    Ok(Page { rows: compared, next, previous, total })
}

/// The adoption of that id.
///
/// # Errors
/// `PermissionDenied`, `Missing`.
pub async fn get(caller: &Caller, db: &Database, connection: ConnectionId, id: Uuid) -> Result<Adoption> {
    permitted(caller, Permission::AdoptionsWrite)?;
    let connection = load(caller, db, connection).await?;
    let record = db.find_adoption(scope(caller, &connection), id).await?.ok_or(Refusal::Missing)?;
    shown(db, &connection, record).await
}

/// Gives the person to the connection, with what the directory last sent.
///
/// # Errors
/// `PermissionDenied`; `Missing` also where the person is gone or not local any more; `NotPending`; `ConnectionState` while
/// the connection's people are staged; `Protected`.
pub async fn accept(caller: &Caller, db: &Database, connection: ConnectionId, id: Uuid) -> Result<Adoption> {
    permitted(caller, Permission::AdoptionsWrite)?;
    let (connection, record) = open(caller, db, connection, id).await?;
    let scope = scope(caller, &connection);
    match State::of(&connection.state) {
        state if state.is_staged() => return Err(Refusal::Staged),
        State::Decommissioned => return Err(Refusal::NotPending),
        _ => {}
    }
    let judged = judged(db, &connection, &record).await?.ok_or(Refusal::Missing)?;
    if judged.record.account.is_protected {
        return Err(Refusal::Protected);
    }
    let next = incoming(&record)?;
    let doer = caller.clone();
    let work = async move |db: &mut Db<'_>| {
        let stored = adoptions::find(db, scope, id).await?.filter(|record| record.state == "pending");
        stored.ok_or(Refusal::NotPending)?;
        adoption::adopt(db, || doer.deed(), scope, &judged, &next, false).await.map_err(|error| match error {
            StorageError::NotUnique(_) => Refusal::EmailTaken,
            other => other.into(),
        })
    };
    // The directory may keep the person out, who may be the last Admin.
    guarded(caller, db, work).await?;
    let record = db.find_adoption(scope, id).await?.ok_or(Refusal::Missing)?;
    shown(db, &connection, record).await
}

/// Keeps the person from the connection: creates of them are refused from now on.
///
/// # Errors
/// `PermissionDenied`, `Missing`, `NotPending`.
pub async fn refuse(caller: &Caller, db: &Database, connection: ConnectionId, id: Uuid) -> Result<Adoption> {
    permitted(caller, Permission::AdoptionsWrite)?;
    let (connection, _) = open(caller, db, connection, id).await?;
    let (scope, deed) = (scope(caller, &connection), caller.deed());
    let work = async move |db: &mut Db<'_>| adoptions::refuse(db, &deed, scope, id).await;
    let record = db.transaction(work).await.map_err(|error| match error {
        StorageError::Missing => Refusal::NotPending,
        other => other.into(),
    })?;
    shown(db, &connection, record).await
}

async fn open(
    caller: &Caller,
    db: &Database,
    connection: ConnectionId,
    id: Uuid,
) -> Result<(ConnectionRecord, AdoptionRecord)> {
    let connection = load(caller, db, connection).await?;
    let record = db.find_adoption(scope(caller, &connection), id).await?.ok_or(Refusal::Missing)?;
    match record.state.as_str() {
        "pending" | "previewed" => Ok((connection, record)),
        _ => Err(Refusal::NotPending),
    }
}

fn scope(caller: &Caller, connection: &ConnectionRecord) -> Scope {
    Scope { organization: caller.organization, connection: connection.id }
}

fn incoming(record: &AdoptionRecord) -> Result<Resource> {
    let damaged = |error| ServiceError::Internal(format!("adoption {}: {error}", record.id));
    Ok(Resource::from_document(&record.incoming).map_err(damaged)?)
}

async fn judged(db: &Database, connection: &ConnectionRecord, record: &AdoptionRecord) -> Result<Option<Judged>> {
    let settings = ConnectionSettings::parse(&connection.settings)
        .map_err(|error| ServiceError::Internal(format!("settings of connection {}: {error}", connection.id)))?;
    let scope = Scope { organization: connection.organization, connection: connection.id };
    Ok(adoption::find(db, scope, settings.adoption, &Sought::Id(record.user_id)).await?)
}

async fn shown(db: &Database, connection: &ConnectionRecord, record: AdoptionRecord) -> Result<Adoption> {
    let next = incoming(&record)?;
    let judged = judged(db, connection, &record).await?;
    let side = |resource: &Resource| Side {
        user_name: resource.user_name().unwrap_or_default().to_owned(),
        display_name: resource.display_name().map(str::to_owned),
        email: adoption::primary_email(resource),
        external_id: resource.external_id().map(str::to_owned),
        active: resource.active(),
        login_address: None,
    };
    let is_open = matches!(record.state.as_str(), "pending" | "previewed");
    Ok(Adoption {
        incoming: side(&next),
        local: judged.as_ref().map(|judged| Side {
            login_address: adoption::login_address(&judged.record, &judged.resource),
            ..side(&judged.resource)
        }),
        differences: judged.as_ref().map(|judged| differences(&judged.resource, &next)).unwrap_or_default(),
        verdict: judged.filter(|_| is_open).map(|judged| judged.verdict),
        record,
    })
}

/// What the adoption would change.
fn differences(here: &Resource, there: &Resource) -> Vec<Difference> {
    let detail = detail::changed(&here.attributes, &there.attributes, None);
    let detail: Map<String, Value> = serde_json::from_str(&detail).unwrap_or_default();
    let side = |name: &str, field: &str| detail.get(name).and_then(|side| side.get(field)).cloned().unwrap_or_default();
    let changed = detail.get("changed").and_then(Value::as_array).cloned().unwrap_or_default();
    let names = changed.iter().filter_map(Value::as_str).filter(|name| *name != "schemas");
    names
        .map(|name| Difference { field: name.to_owned(), from: side("before", name), to: side("after", name) })
        .collect()
}
