//! Events of sensitive deeds that were refused: the deed left nothing else behind.

use diesel::ExpressionMethods as _;
use uuid::Uuid;

use super::Deed;
use crate::domain::ids::{ConnectionId, OrganizationId};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::events;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// A deed that was refused.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedDeed {
    /// Whose log it belongs to.
    pub organization: OrganizationId,
    /// The connection that owns the target, if one does.
    pub connection: Option<ConnectionId>,
    /// The event that it would have left.
    pub kind: EventKind,
    /// What it was aimed at.
    pub resource: Uuid,
    /// Code of the problem that was answered.
    pub problem: String,
}

/// Writes the event of a refused deed. Not inside the transaction of the deed, which is rolled back.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn record_refusal(db: &mut Db<'_>, deed: &Deed, refused: &RefusedDeed) -> Result<()> {
    let detail = format!("{{\"action\":\"{}\"}}", refused.kind.name());
    let row = (
        events::organization.eq(Id::from(refused.organization)),
        events::id.eq(Id::from(deed.event)),
        events::connection.eq(refused.connection.map(Id::from)),
        events::kind.eq(EventKind::DeedRefused as i16),
        events::actor.eq(&*deed.actor),
        events::request_id.eq(&*deed.request_id),
        events::resource.eq(Id(refused.resource)),
        events::version.eq(0),
        events::at.eq(deed.at),
        events::detail.eq(detail),
        events::ip.eq(deed.ip.as_deref()),
        events::user_agent.eq(deed.user_agent.as_deref()),
        events::reason.eq(deed.reason.as_deref()),
        events::problem.eq(&*refused.problem),
    );
    diesel::insert_into(events::table).values(row).exec(db).await?;
    Ok(())
}

impl Database {
    /// `record_refusal` in a transaction of its own.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn record_refusal(&self, deed: Deed, refused: RefusedDeed) -> Result<()> {
        self.transaction(async move |db: &mut Db<'_>| record_refusal(db, &deed, &refused).await).await
    }
}
