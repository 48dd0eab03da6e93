//! People whom the operator takes out of an organization: what is left of them, and what is destroyed.

use diesel::{ExpressionMethods as _, QueryDsl as _, TextExpressionMethods as _};

use super::{Deed, security_settings};
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::storage::Database;
use crate::storage::db::{Db, Fetch as _};
use crate::storage::error::Result;
use crate::storage::schema::{
    accounts, activity, adoptions, connection_health, held_changes, idempotency_keys, invitations, role_grants,
    sub_account_access, tombstones, users,
};
use crate::storage::uid::Id;

/// A person, deleted ones included, whatever connection owns them.
#[derive(Debug, Clone, PartialEq)]
pub struct Leaver {
    /// Id.
    pub id: ResourceId,
    /// Who owns them; `ConnectionId::LOCAL` for nobody.
    pub connection: ConnectionId,
    /// Folded, bounded.
    pub user_name_key: String,
    /// Exact `externalId`, bounded.
    pub external_id_key: Option<String>,
    /// SCIM JSON; empty where deleted.
    pub document: String,
    /// Version.
    pub version: i64,
    /// Whether they are deleted already.
    pub is_deleted: bool,
}

/// What is left of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// `delete`, `remove`, `block`, `erase`
    pub mode: &'static str,
    /// SHA-256 of the folded primary e-mail; `None` where erased, or there was none.
    pub email_hash: Option<[u8; 32]>,
}

/// Sets the tombstone of a person.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn bury(
    db: &mut Db<'_>,
    deed: &Deed,
    organization: OrganizationId,
    id: ResourceId,
    tombstone: &Tombstone,
) -> Result<()> {
    let place = (Id::from(organization), Id::from(id));
    diesel::delete(tombstones::table.find(place)).exec(db).await?;
    let row = (
        tombstones::organization.eq(Id::from(organization)),
        tombstones::user_id.eq(Id::from(id)),
        tombstones::email_hash.eq(tombstone.email_hash.as_ref().map(|hash| &hash[..])),
        tombstones::mode.eq(tombstone.mode),
        tombstones::at.eq(deed.at),
        tombstones::actor.eq(&*deed.actor),
    );
    diesel::insert_into(tombstones::table).values(row).exec(db).await?;
    Ok(())
}

/// Ends what belongs to a person besides their row: roles, protection, account, invitations, what waits for them.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn end(db: &mut Db<'_>, organization: OrganizationId, id: ResourceId) -> Result<()> {
    macro_rules! delete_from {
        ($($table:ident)*) => {$(
            let rows = $table::table
                .filter($table::organization.eq(Id::from(organization)))
                .filter($table::user_id.eq(Id::from(id)));
            diesel::delete(rows).exec(db).await?;
        )*};
    }
    security_settings::forget(db, organization, id).await?;
    delete_from!(role_grants accounts activity invitations adoptions held_changes);
    // In whatever sub-account: the person's home is this organization.
    let abroad = sub_account_access::table
        .filter(sub_account_access::home.eq(Id::from(organization)))
        .filter(sub_account_access::user_id.eq(Id::from(id)));
    diesel::delete(abroad).exec(db).await?;
    Ok(())
}

/// Destroys what is stored of a person who is deleted: names in their row and in kept answers. What the logs say is the
/// matter of a job, since they are long.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn erase(db: &mut Db<'_>, organization: OrganizationId, id: ResourceId) -> Result<()> {
    let organization = Id::from(organization);
    let row = users::table.find((organization, Id::from(id))).filter(users::deleted.is_not_null());
    let nothing = (
        users::user_name.eq(""),
        users::user_name_key.eq(""),
        users::external_id_key.eq(None::<String>),
        users::display_name.eq(None::<String>),
        users::display_name_key.eq(None::<String>),
        users::search_key.eq(None::<String>),
        users::suspension.eq(None::<String>),
        users::document.eq(""),
    );
    diesel::update(row).set(nothing).exec(db).await?;
    // The last refusal of a connection may name the person in any spelling; the next one takes its place anyway.
    let heard = connection_health::table.filter(connection_health::organization.eq(organization));
    diesel::update(heard).set(connection_health::last_error.eq(None::<String>)).exec(db).await?;
    let answers = idempotency_keys::table
        .filter(idempotency_keys::organization.eq(organization))
        .filter(idempotency_keys::body.like(naming(id)));
    diesel::delete(answers).exec(db).await?;
    Ok(())
}

/// Texts that name an id, as a pattern.
fn naming(id: ResourceId) -> String {
    format!("%{id}%")
}

impl Database {
    /// A person of the organization, deleted ones included.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_leaver(&self, organization: OrganizationId, id: ResourceId) -> Result<Option<Leaver>> {
        type Row = (Option<Id>, String, Option<String>, String, i64, Option<i64>);
        let query = users::table.find((Id::from(organization), Id::from(id))).select((
            users::connection,
            users::user_name_key,
            users::external_id_key,
            users::document,
            users::version,
            users::deleted,
        ));
        let found: Option<Row> = self.cold_read(async |db| Ok(query.opt(db).await?)).await?;
        Ok(found.map(|(connection, user_name_key, external_id_key, document, version, deleted)| Leaver {
            id,
            connection: connection.map_or(ConnectionId::LOCAL, ConnectionId::from),
            user_name_key,
            external_id_key,
            document,
            version,
            is_deleted: deleted.is_some(),
        }))
    }
}
