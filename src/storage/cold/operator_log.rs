//! The operator log: the events of no organization. A deed of an operator on an organization stands in the organization's
//! own log and here.

use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::{Deed, Target, record};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::events;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// Copies the event of a deed on an organization here, without its detail, which may hold personal data.
///
/// # Errors
/// `Missing` where there is no such event.
pub async fn copy(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId) -> Result<()> {
    let found: Option<(i16, Id, i64)> = events::table
        .filter(events::organization.eq(Id::from(organization)))
        .filter(events::id.eq(Id::from(deed.event)))
        .select((events::kind, events::resource, events::version))
        .order(events::position.desc())
        .opt(db)
        .await?;
    let (kind, resource, version) = found.ok_or(StorageError::Missing)?;
    let kind = EventKind::from_number(kind).ok_or(StorageError::Missing)?;
    let target =
        Target { organization: OrganizationId::SERVICE, connection: None, kind, resource: resource.0, version };
    let detail = format!(r#"{{"organization":"{organization}"}}"#);
    record(db, deed, target, &detail).await
}

/// Writes what a write's own event does not tell: from where and why.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn explain(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId) -> Result<()> {
    let row = events::table
        .filter(events::organization.eq(Id::from(organization)))
        .filter(events::id.eq(Id::from(deed.event)));
    let set = (events::ip.eq(deed.ip.clone()), events::reason.eq(deed.reason.clone()));
    diesel::update(row).set(set).exec(db).await?;
    Ok(())
}

/// Writes the event of a deed on a person that is no change of their row.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn note(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    kind: EventKind,
    person: ResourceId,
    detail: &str,
) -> Result<()> {
    let target = Target { organization, connection: None, kind, resource: person.0, version: 0 };
    record(db, deed, target, detail).await
}
