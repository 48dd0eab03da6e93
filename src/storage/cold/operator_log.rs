//! The operator log: the events of no organization. A deed of an operator on an organization stands in the organization's
//! own log and here.

use super::{Deed, Target, record};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::sql::Sql;
use crate::storage::write::EventKind;

/// Copies the event that this transaction wrote for a deed on an organization here, without its detail, which may hold
/// personal data.
///
/// # Errors
/// `Missing` where there is no such event.
pub async fn copy(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId) -> Result<()> {
    let mut sql = Sql::new(
        "INSERT INTO events (organization, id, connection, kind, actor, request_id, resource, version, at, detail, ip, \
         user_agent, problem, reason) SELECT ",
    );
    sql.id(OrganizationId::SERVICE.0).push(", id, NULL, kind, actor, request_id, resource, version, at, ");
    sql.text(format!(r#"{{"organization":"{organization}"}}"#));
    sql.push(", ip, user_agent, problem, reason FROM events WHERE organization = ").id(organization.0);
    // Events of the last transaction are found without a scan: they are the latest ones.
    sql.push(match db {
        Db::Pg(_) => " AND tx = pg_current_xact_id() AND id = ",
        Db::Sqlite(_) => " AND position > (SELECT max(position) FROM events) - 1000 AND id = ",
    });
    sql.id(deed.event.0);
    if sql.statement::<()>(true).exec(db).await? == 1 { Ok(()) } else { Err(StorageError::Missing) }
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
