//! Invitations: links to people who have a row already and have not joined yet. Only the SHA-256 of a link's secret is
//! stored. An address has at most one that is pending.

use diesel::{ExpressionMethods as _, QueryDsl as _};

use super::{Deed, Target, people, record};
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId};
use crate::domain::invitation::InvitationState;
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::keyset::Keyset;
use crate::storage::rows::InvitationRecord;
use crate::storage::schema::{accounts, invitations, role_grants, users};
use crate::storage::sql::{Sql, Value};
use crate::storage::uid::{Id, Uid};
use crate::storage::write::EventKind;

/// An invitation to store.
#[derive(Clone, PartialEq, Eq)]
pub struct NewInvitation {
    /// Its tenant.
    pub organization: OrganizationId,
    /// Id, not used before.
    pub id: ResourceId,
    /// Who is invited.
    pub user: ResourceId,
    /// What is said of the link, also when it is renewed.
    pub columns: InvitationColumns,
}

/// What a link is made of.
#[derive(Clone, PartialEq, Eq)]
pub struct InvitationColumns {
    /// As given.
    pub email: String,
    /// Folded, bounded.
    pub email_key: String,
    /// SHA-256 of the secret.
    pub hash: [u8; 32],
    /// `link`
    pub delivery: &'static str,
    /// What the inviter says.
    pub message: String,
    /// µs since 1970.
    pub expires_at: i64,
}

/// Somebody of the organization who has an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Id.
    pub user: ResourceId,
    /// Who owns them.
    pub connection: ConnectionId,
    /// Whether they have not joined yet.
    pub invited: bool,
    /// Whether the directory lets them in.
    pub access: bool,
}

/// Which invitations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InvitationFilter {
    /// In one of these states.
    pub states: Vec<InvitationState>,
    /// To an address that holds one of these folded texts.
    pub addresses: Vec<String>,
}

/// What invitations are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum InvitationSort {
    Created,
    Email,
    Expires,
}

impl InvitationSort {
    fn column(self) -> &'static str {
        match self {
            InvitationSort::Created => "i.created",
            InvitationSort::Email => "i.email_key",
            InvitationSort::Expires => "i.expires_at",
        }
    }
}

/// Who has a user name or an e-mail of this key. Probes `users_user_name_key`, `attribute_values_find`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn who_has(db: &mut Db<'_>, organization: OrganizationId, key: &str) -> Result<Option<Known>> {
    let mut sql = Sql::new("SELECT u.id FROM users u WHERE u.deleted IS NULL AND u.organization = ");
    sql.id(organization.0).push(" AND u.user_name_key = ").text(key);
    sql.push(" UNION ALL SELECT v.resource FROM attribute_values v WHERE v.attribute = 1 AND v.organization = ");
    sql.id(organization.0).push(" AND v.value_key = ").text(key);
    let ids: Vec<Id> = sql.statement::<Uid>(true).all(db).await?;
    let rows = users::table
        .filter(users::organization.eq(Id::from(organization)))
        .filter(users::id.eq_any(ids))
        .filter(users::deleted.is_null())
        .order(users::id)
        .select((users::id, users::connection, users::invited, users::access));
    let rows: Vec<(Id, Option<Id>, bool, bool)> = rows.all(db).await?;
    Ok(rows.into_iter().next().map(|(id, connection, invited, access)| Known {
        user: id.into(),
        connection: connection.map_or(ConnectionId::LOCAL, ConnectionId::from),
        invited,
        access,
    }))
}

/// Makes a person one who has not joined yet, invited by the deed's actor. Part of a deed that inserts them.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn mark_invited(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId, user: ResourceId) -> Result<()> {
    let place = (Id::from(organization), Id::from(user));
    diesel::update(users::table.find(place)).set(users::invited.eq(true)).exec(db).await?;
    let row = (
        accounts::organization.eq(Id::from(organization)),
        accounts::user_id.eq(Id::from(user)),
        accounts::invited_by.eq(&*deed.actor),
        accounts::created.eq(deed.at),
        accounts::modified.eq(deed.at),
        accounts::version.eq(1),
    );
    diesel::insert_into(accounts::table).values(row).exec(db).await?;
    Ok(())
}

/// The same for somebody who was there before, and is marked already.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn set_inviter(db: &mut Db<'_>, deed: &Deed, organization: OrganizationId, user: ResourceId) -> Result<()> {
    people::touch_account(db, organization, user, deed.at).await?;
    let account = accounts::table.find((Id::from(organization), Id::from(user)));
    diesel::update(account).set(accounts::invited_by.eq(Some(&*deed.actor))).exec(db).await?;
    Ok(())
}

/// Whether an invitation waits at an address of this key. Probes `invitations_pending_key`.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn is_pending_at(db: &mut Db<'_>, organization: OrganizationId, key: &str) -> Result<bool> {
    let rows = invitations::table
        .filter(invitations::organization.eq(Id::from(organization)))
        .filter(invitations::email_key.eq(key))
        .filter(invitations::state.eq("pending"));
    let found: Option<Id> = rows.select(invitations::id).opt(db).await?;
    Ok(found.is_some())
}

/// Stores an invitation; one that waits at the same address is withdrawn. `detail` goes into the event of the person.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn insert(db: &mut Db<'_>, deed: &Deed, new: &NewInvitation, detail: &str) -> Result<InvitationRecord> {
    let same = invitations::table
        .filter(invitations::organization.eq(Id::from(new.organization)))
        .filter(invitations::email_key.eq(new.columns.email_key.clone()))
        .filter(invitations::state.eq("pending"));
    let ended = (invitations::state.eq("revoked"), invitations::ended_at.eq(Some(deed.at)));
    diesel::update(same).set(ended).exec(db).await?;
    let row = (
        invitations::organization.eq(Id::from(new.organization)),
        invitations::id.eq(Id::from(new.id)),
        invitations::user_id.eq(Id::from(new.user)),
        (
            invitations::email.eq(&*new.columns.email),
            invitations::email_key.eq(&*new.columns.email_key),
            invitations::hash.eq(&new.columns.hash[..]),
            invitations::delivery.eq(new.columns.delivery),
            invitations::message.eq(&*new.columns.message),
            invitations::expires_at.eq(new.columns.expires_at),
        ),
        invitations::state.eq("pending"),
        invitations::sent_at.eq(deed.at),
        invitations::created.eq(deed.at),
        invitations::created_by.eq(&*deed.actor),
        invitations::version.eq(1),
    );
    let insert = diesel::insert_into(invitations::table).values(row).returning(InvitationRecord::cols());
    let stored: InvitationRecord = insert.one(db).await?;
    record(db, deed, target(&stored, EventKind::UserInvited, new.user), detail).await?;
    Ok(stored)
}

/// The invitation of that id.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find(db: &mut Db<'_>, organization: OrganizationId, id: ResourceId) -> Result<Option<InvitationRecord>> {
    let row = invitations::table.find((Id::from(organization), Id::from(id)));
    Ok(row.select(InvitationRecord::cols()).opt(db).await?)
}

/// The invitation that waits for a person.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find_open_of(
    db: &mut Db<'_>,
    organization: OrganizationId,
    user: ResourceId,
) -> Result<Option<InvitationRecord>> {
    let rows = invitations::table
        .filter(invitations::organization.eq(Id::from(organization)))
        .filter(invitations::user_id.eq(Id::from(user)))
        .filter(invitations::state.eq("pending"))
        .order(invitations::id.desc());
    Ok(rows.select(InvitationRecord::cols()).opt(db).await?)
}

/// A new link in place of the one before, of the version that was read. `detail` goes into the event.
///
/// # Errors
/// `Stale`.
pub async fn renew(
    db: &mut Db<'_>,
    deed: &Deed,
    read: &InvitationRecord,
    columns: &InvitationColumns,
    detail: &str,
) -> Result<InvitationRecord> {
    let set = (
        invitations::email.eq(columns.email.clone()),
        invitations::email_key.eq(columns.email_key.clone()),
        invitations::hash.eq(columns.hash.to_vec()),
        invitations::delivery.eq(columns.delivery),
        invitations::message.eq(columns.message.clone()),
        invitations::expires_at.eq(columns.expires_at),
        invitations::sent_at.eq(deed.at),
        invitations::version.eq(invitations::version + 1),
    );
    let row = invitations::table
        .find((Id::from(read.organization), Id::from(read.id)))
        .filter(invitations::state.eq("pending"))
        .filter(invitations::version.eq(read.version));
    let stored: Option<InvitationRecord> =
        diesel::update(row).set(set).returning(InvitationRecord::cols()).opt(db).await?;
    let stored = stored.ok_or(StorageError::Stale)?;
    record(db, deed, target(&stored, EventKind::InvitationRenewed, stored.id), detail).await?;
    Ok(stored)
}

/// Withdraws an invitation, of the version that was read, with the roles and the account of the person, whose row the deed
/// takes away. `detail` goes into the event.
///
/// # Errors
/// `Stale`.
pub async fn withdraw(db: &mut Db<'_>, deed: &Deed, read: &InvitationRecord, detail: &str) -> Result<()> {
    let (organization, user) = (Id::from(read.organization), Id::from(read.user));
    let row = invitations::table
        .find((organization, Id::from(read.id)))
        .filter(invitations::state.eq("pending"))
        .filter(invitations::version.eq(read.version));
    let ended = (
        invitations::state.eq("revoked"),
        invitations::ended_at.eq(Some(deed.at)),
        invitations::version.eq(invitations::version + 1),
    );
    if diesel::update(row).set(ended).exec(db).await? == 0 {
        return Err(StorageError::Stale);
    }
    let grants =
        role_grants::table.filter(role_grants::organization.eq(organization)).filter(role_grants::user_id.eq(user));
    diesel::delete(grants).exec(db).await?;
    diesel::delete(accounts::table.find((organization, user))).exec(db).await?;
    record(db, deed, target(read, EventKind::InvitationWithdrawn, read.id), detail).await
}

fn target(stored: &InvitationRecord, kind: EventKind, resource: ResourceId) -> Target {
    Target { organization: stored.organization, connection: None, kind, resource: resource.0, version: stored.version }
}

/// A page of invitations, and where asked for the number of all. `now` tells which have expired.
///
/// # Errors
/// `TooSlow`, `Busy`, `Broken`.
pub async fn list(
    db: &mut Db<'_>,
    organization: OrganizationId,
    now: i64,
    filter: &InvitationFilter,
    page: &Keyset<InvitationSort>,
    counted: bool,
) -> Result<(Vec<InvitationRecord>, Option<i64>)> {
    let mut from = Sql::new(" FROM invitations i WHERE i.organization = ");
    from.id(organization.0).append(&matching(now, filter));
    let mut sql = Sql::new("SELECT i.id");
    sql.append(&from).append(&page.tail(InvitationSort::column, "i.id"));
    let ids: Vec<Id> = sql.statement::<Uid>(false).all(db).await?;
    let rows = invitations::table
        .filter(invitations::organization.eq(Id::from(organization)))
        .filter(invitations::id.eq_any(ids.clone()))
        .select(InvitationRecord::cols());
    let mut rows: Vec<InvitationRecord> = if ids.is_empty() { Vec::new() } else { rows.all(db).await? };
    rows.sort_by_key(|row| ids.iter().position(|id| *id == Id::from(row.id)));
    let mut total = None;
    if counted {
        let mut sql = Sql::new("SELECT count(*)");
        sql.append(&from);
        total = Some(sql.statement::<diesel::sql_types::BigInt>(false).one(db).await?);
    }
    Ok((rows, total))
}

fn matching(now: i64, filter: &InvitationFilter) -> Sql {
    let mut sql = Sql::default();
    let mut open = " AND (";
    for state in &filter.states {
        sql.push(open);
        match state {
            InvitationState::Pending => sql.push("i.state = 'pending' AND i.expires_at > ").bind(Value::Big(now)),
            InvitationState::Expired => sql.push("i.state = 'pending' AND i.expires_at <= ").bind(Value::Big(now)),
            InvitationState::Accepted => sql.push("i.state = 'accepted'"),
            InvitationState::Revoked => sql.push("i.state = 'revoked'"),
        };
        open = " OR ";
    }
    if open == " OR " {
        sql.push(")");
    }
    if !filter.addresses.is_empty() {
        sql.push(" AND ").any_like(&["i.email_key"], &filter.addresses);
    }
    sql
}

impl Database {
    /// The invitation of that id.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_invitation(
        &self,
        organization: OrganizationId,
        id: ResourceId,
    ) -> Result<Option<InvitationRecord>> {
        self.cold_read(async |db| find(db, organization, id).await).await
    }
    /// A page of invitations, and where asked for the number of all.
    ///
    /// # Errors
    /// `TooSlow`, `Busy`, `Broken`.
    pub async fn list_invitations(
        &self,
        organization: OrganizationId,
        now: i64,
        filter: &InvitationFilter,
        page: &Keyset<InvitationSort>,
        counted: bool,
    ) -> Result<(Vec<InvitationRecord>, Option<i64>)> {
        self.cold_read(async |db| list(db, organization, now, filter, page, counted).await).await
    }
}
