//! One-time links for the first Admin of an organization. Only the SHA-256 of a secret is stored.

use diesel::ExpressionMethods as _;

use super::api_keys::Sealed;
use super::{Deed, Target, record};
use crate::domain::ids::OrganizationId;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::admin_links;
use crate::storage::uid::Id;
use crate::storage::write::EventKind;

/// Stores a link in the place of the organization's last one, which is refused from now on.
///
/// # Errors
/// `Broken` where the organization does not exist.
pub async fn put(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    secret: &Sealed,
    expires_at: i64,
) -> Result<()> {
    let values = || {
        (
            admin_links::hash.eq(secret.hash.to_vec()),
            admin_links::fingerprint.eq(secret.fingerprint.clone()),
            admin_links::created.eq(deed.at),
            admin_links::created_by.eq(deed.actor.clone()),
            admin_links::expires_at.eq(expires_at),
        )
    };
    let row = (admin_links::organization.eq(Id::from(organization)), values());
    let insert = diesel::insert_into(admin_links::table).values(row).on_conflict(admin_links::organization);
    insert.do_update().set(values()).exec(db).await?;
    let target = Target {
        organization,
        connection: None,
        kind: EventKind::AdminLinkCreated,
        resource: organization.0,
        version: 1,
    };
    let detail = serde_json::json!({ "after": { "fingerprint": secret.fingerprint } }).to_string();
    record(db, deed, target, &detail).await
}
