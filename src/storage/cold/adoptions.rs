//! Local people whom a directory would create: whom it may get, what waits for an Admin, and what was decided.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, Queryable, Selectable};
use uuid::Uuid;

use super::ownership::PersonRecord;
use super::{Deed, Target, record};
use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId, Scope};
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::{accounts, adoptions, invitations, users};
use crate::storage::uid::{Id, MaybeId};
use crate::storage::write::EventKind;

/// A local person with what their account says of adoption.
#[derive(Debug, Clone, PartialEq)]
pub struct CandidateRecord {
    /// The person.
    pub person: PersonRecord,
    /// What the account says.
    pub account: AccountRecord,
}

/// What an account says of adoption; nothing where there is none.
#[derive(Debug, Clone, PartialEq, Default, Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub struct AccountRecord {
    /// The break-glass Admin.
    pub is_protected: bool,
    /// The directory that the person came from.
    #[diesel(deserialize_as = MaybeId)]
    pub former_connection: Option<ConnectionId>,
    /// What that directory called them.
    pub former_external_id: Option<String>,
    /// What an adopted person signs in with.
    pub login_address: Option<String>,
}

/// Which local person is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sought {
    /// By id.
    Id(ResourceId),
    /// By the folded, bounded userName.
    UserName(String),
    /// By what this connection called them, when it managed them.
    Former(ConnectionId, String),
}

/// A stored adoption.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = adoptions)]
pub struct AdoptionRecord {
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: Uuid,
    /// The directory.
    #[diesel(deserialize_as = Id)]
    pub connection: ConnectionId,
    /// The person who exists here.
    #[diesel(deserialize_as = Id)]
    pub user_id: ResourceId,
    /// As the directory sent it.
    pub user_name: String,
    /// As the directory sent it.
    pub external_id: Option<String>,
    /// The person as the directory would have them (SCIM JSON).
    pub incoming: String,
    /// `previewed`, `pending`, `accepted`, `refused`
    pub state: String,
    /// µs since 1970.
    pub created: i64,
    /// µs since 1970.
    pub modified: i64,
    /// µs since 1970.
    pub decided_at: Option<i64>,
    /// `domain::actor::Actor`, printed.
    pub decided_by: Option<String>,
}

/// What a directory would have of a person who exists here.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    /// Used where there is no open row for the person yet.
    pub id: Uuid,
    /// The person.
    pub user: ResourceId,
    /// As sent.
    pub user_name: String,
    /// As sent.
    pub external_id: Option<String>,
    /// SCIM JSON.
    pub document: String,
    /// `previewed`, `pending`, `accepted`
    pub state: &'static str,
}

const OPEN: [&str; 2] = ["previewed", "pending"];

/// A local person.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn candidate(
    db: &mut Db<'_>,
    organization: OrganizationId,
    sought: &Sought,
) -> Result<Option<CandidateRecord>> {
    let local = users::table
        .filter(users::organization.eq(Id::from(organization)))
        .filter(users::connection.eq(Some(Id::from(ConnectionId::LOCAL))))
        .filter(users::deleted.is_null())
        .select(PersonRecord::cols());
    let person: Option<PersonRecord> = match sought {
        Sought::Id(id) => local.filter(users::id.eq(Id::from(*id))).opt(db).await?,
        Sought::UserName(key) => local.filter(users::user_name_key.eq(key.clone())).opt(db).await?,
        Sought::Former(connection, external_id) => {
            let former = accounts::table
                .filter(accounts::organization.eq(Id::from(organization)))
                .filter(accounts::former_connection.eq(Some(Id::from(*connection))))
                .filter(accounts::former_external_id.eq(Some(external_id.clone())))
                .order(accounts::user_id)
                .select(accounts::user_id);
            let ids: Vec<Id> = former.limit(1).all(db).await?;
            match ids.into_iter().next() {
                Some(id) => local.filter(users::id.eq(id)).opt(db).await?,
                None => None,
            }
        }
    };
    let Some(person) = person else { return Ok(None) };
    let account = accounts::table.find((Id::from(organization), Id::from(person.id))).select(AccountRecord::cols());
    let account: Option<AccountRecord> = account.opt(db).await?;
    Ok(Some(CandidateRecord { person, account: account.unwrap_or_default() }))
}

/// Keeps what a directory would have. Answers the row, and whether it is new or came to another state.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn put(db: &mut Db<'_>, deed: &Deed, scope: Scope, incoming: &Incoming) -> Result<(AdoptionRecord, bool)> {
    let decided = (incoming.state == "accepted").then_some(deed.at);
    let decided_by = decided.map(|_| deed.actor.clone());
    let stored = open(db, scope, incoming.user).await?;
    if let Some(stored) = stored {
        let row = adoptions::table.find((Id::from(scope.organization), Id(stored.id)));
        let set = (
            adoptions::user_name.eq(incoming.user_name.clone()),
            adoptions::external_id.eq(incoming.external_id.clone()),
            adoptions::incoming.eq(incoming.document.clone()),
            adoptions::state.eq(incoming.state),
            adoptions::modified.eq(deed.at),
            adoptions::decided_at.eq(decided),
            adoptions::decided_by.eq(decided_by),
        );
        let changed: AdoptionRecord = diesel::update(row).set(set).returning(AdoptionRecord::cols()).one(db).await?;
        return Ok((changed, stored.state != incoming.state));
    }
    let row = (
        adoptions::organization.eq(Id::from(scope.organization)),
        adoptions::id.eq(Id(incoming.id)),
        adoptions::connection.eq(Id::from(scope.connection)),
        adoptions::user_id.eq(Id::from(incoming.user)),
        adoptions::user_name.eq(&*incoming.user_name),
        adoptions::external_id.eq(incoming.external_id.as_deref()),
        adoptions::incoming.eq(&*incoming.document),
        adoptions::state.eq(incoming.state),
        adoptions::created.eq(deed.at),
        adoptions::modified.eq(deed.at),
        adoptions::decided_at.eq(decided),
        adoptions::decided_by.eq(decided_by),
        adoptions::request_id.eq(&*deed.request_id),
    );
    let insert = diesel::insert_into(adoptions::table).values(row).returning(AdoptionRecord::cols());
    Ok((insert.one(db).await?, true))
}

/// What is open for a person at a connection.
async fn open(db: &mut Db<'_>, scope: Scope, user: ResourceId) -> Result<Option<AdoptionRecord>> {
    let query = adoptions::table
        .filter(adoptions::organization.eq(Id::from(scope.organization)))
        .filter(adoptions::connection.eq(Id::from(scope.connection)))
        .filter(adoptions::user_id.eq(Id::from(user)))
        .filter(adoptions::state.eq_any(OPEN));
    Ok(query.select(AdoptionRecord::cols()).opt(db).await?)
}

/// Whether an Admin refused to give a person to a connection.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn is_refused(db: &mut Db<'_>, scope: Scope, user: ResourceId) -> Result<bool> {
    let query = adoptions::table
        .filter(adoptions::organization.eq(Id::from(scope.organization)))
        .filter(adoptions::connection.eq(Id::from(scope.connection)))
        .filter(adoptions::state.eq("refused"))
        .filter(adoptions::user_id.eq(Id::from(user)));
    let refused: i64 = query.count().one(db).await?;
    Ok(refused > 0)
}

/// The adoption of that id, of that connection.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn find(db: &mut Db<'_>, scope: Scope, id: Uuid) -> Result<Option<AdoptionRecord>> {
    let query = adoptions::table
        .find((Id::from(scope.organization), Id(id)))
        .filter(adoptions::connection.eq(Id::from(scope.connection)));
    Ok(query.select(AdoptionRecord::cols()).opt(db).await?)
}

/// A page of a connection's adoptions in the order of their ids, after one if given; `state` narrows.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn list(
    db: &mut Db<'_>,
    scope: Scope,
    state: Option<&str>,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<AdoptionRecord>> {
    let page = adoptions::table
        .filter(adoptions::organization.eq(Id::from(scope.organization)))
        .filter(adoptions::connection.eq(Id::from(scope.connection)))
        .filter(adoptions::id.gt(after.map_or(Id(Uuid::nil()), Id)))
        .order(adoptions::id)
        .limit(i64::from(limit))
        .select(AdoptionRecord::cols());
    Ok(match state {
        Some(state) => page.filter(adoptions::state.eq(state.to_owned())).all(db).await?,
        None => page.all(db).await?,
    })
}

/// Refuses what is open, in the name of an Admin.
///
/// # Errors
/// `Missing` where it is not open.
pub async fn refuse(db: &mut Db<'_>, deed: &Deed, scope: Scope, id: Uuid) -> Result<AdoptionRecord> {
    let row = adoptions::table
        .filter(adoptions::organization.eq(Id::from(scope.organization)))
        .filter(adoptions::connection.eq(Id::from(scope.connection)).and(adoptions::id.eq(Id(id))))
        .filter(adoptions::state.eq_any(OPEN));
    let set = (
        adoptions::state.eq("refused"),
        adoptions::modified.eq(deed.at),
        adoptions::decided_at.eq(Some(deed.at)),
        adoptions::decided_by.eq(Some(deed.actor.clone())),
    );
    let refused: Option<AdoptionRecord> =
        diesel::update(row).set(set).returning(AdoptionRecord::cols()).opt(db).await?;
    let refused = refused.ok_or(StorageError::Missing)?;
    record_about(db, deed, scope, EventKind::AdoptionRefused, refused.user_id).await?;
    Ok(refused)
}

/// Forgets what was only previewed.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn forget_preview(db: &mut Db<'_>, organization: OrganizationId, id: Uuid) -> Result<()> {
    let row = adoptions::table
        .filter(adoptions::organization.eq(Id::from(organization)))
        .filter(adoptions::id.eq(Id(id)))
        .filter(adoptions::state.eq("previewed"));
    diesel::delete(row).exec(db).await?;
    Ok(())
}

/// The event of a person whose adoption waits or is refused.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn record_about(db: &mut Db<'_>, deed: &Deed, scope: Scope, kind: EventKind, user: ResourceId) -> Result<()> {
    let target = Target {
        organization: scope.organization,
        connection: Some(scope.connection),
        kind,
        resource: user.0,
        version: 1,
    };
    record(db, deed, target, "{}").await
}

/// A pending invitation of a person who is adopted has no use any more; and what the person signs in with stays what it is.
///
/// # Errors
/// `Busy`, `Broken`.
pub async fn settle(
    db: &mut Db<'_>,
    at: i64,
    organization: OrganizationId,
    user: ResourceId,
    login_address: Option<&str>,
) -> Result<()> {
    let pending = invitations::table
        .filter(invitations::organization.eq(Id::from(organization)))
        .filter(invitations::user_id.eq(Id::from(user)))
        .filter(invitations::state.eq("pending"));
    let set = (
        invitations::state.eq("accepted"),
        invitations::ended_at.eq(Some(at)),
        invitations::version.eq(invitations::version + 1),
    );
    diesel::update(pending).set(set).exec(db).await?;
    let account = accounts::table
        .filter(accounts::organization.eq(Id::from(organization)))
        .filter(accounts::user_id.eq(Id::from(user)))
        .filter(accounts::login_address.is_null());
    diesel::update(account).set(accounts::login_address.eq(login_address.map(str::to_owned))).exec(db).await?;
    Ok(())
}

impl Database {
    /// A local person.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_candidate(
        &self,
        organization: OrganizationId,
        sought: &Sought,
    ) -> Result<Option<CandidateRecord>> {
        self.cold_read(async |db| candidate(db, organization, sought).await).await
    }
    /// Whether an Admin refused to give a person to a connection.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn is_adoption_refused(&self, scope: Scope, user: ResourceId) -> Result<bool> {
        self.cold_read(async |db| is_refused(db, scope, user).await).await
    }
    /// The adoption of that id, of that connection.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_adoption(&self, scope: Scope, id: Uuid) -> Result<Option<AdoptionRecord>> {
        self.cold_read(async |db| find(db, scope, id).await).await
    }
    /// A page of a connection's adoptions in the order of their ids, after one if given.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn list_adoptions(
        &self,
        scope: Scope,
        state: Option<&str>,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<Vec<AdoptionRecord>> {
        self.cold_read(async |db| list(db, scope, state, after, limit).await).await
    }
}
