//! Answers of POST requests, kept for their repeats.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _, Queryable, Selectable};
use uuid::Uuid;

use crate::domain::ids::OrganizationId;
use crate::storage::Database;
use crate::storage::db::{Cols as _, Db, Fetch as _};
use crate::storage::error::{Result, StorageError};
use crate::storage::schema::idempotency_keys;
use crate::storage::uid::Id;

/// Tries to take a key that is given back meanwhile.
const CLAIMS: u32 = 3;

/// A key of one credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// The credential's tenant.
    pub organization: OrganizationId,
    /// The credential.
    pub credential: Uuid,
    /// What the client sent.
    pub key: String,
}

/// The request that a key stands for, and its answer once there is one.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = idempotency_keys)]
pub struct IdempotencyRecord {
    /// Hash of the request.
    pub fingerprint: Vec<u8>,
    /// Status of the answer; `None` while the request runs.
    pub status: Option<i16>,
    /// Headers of the answer (JSON).
    pub headers: Option<String>,
    /// Body of the answer; `None` where it held a secret.
    pub body: Option<String>,
    /// Whether the answer held a secret.
    pub is_secret: bool,
}

/// An answer to keep.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Status.
    pub status: i16,
    /// Headers (JSON).
    pub headers: String,
    /// Body; `None` where it held a secret.
    pub body: Option<String>,
    /// Whether it held a secret.
    pub is_secret: bool,
}

impl Database {
    /// Takes a key for a request that begins at `now`; `None` means that it is taken. Else answers who has it. Keys of the
    /// organization from `expired` or before are forgotten first.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn claim_idempotency_key(
        &self,
        key: IdempotencyKey,
        fingerprint: [u8; 32],
        now: i64,
        expired: i64,
    ) -> Result<Option<IdempotencyRecord>> {
        self.transaction(async move |db: &mut Db<'_>| {
            let old = idempotency_keys::table
                .filter(idempotency_keys::organization.eq(Id::from(key.organization)))
                .filter(idempotency_keys::created.le(expired));
            diesel::delete(old).exec(db).await?;
            // Whoever had it may give it back between the two statements; then it is free for this request.
            for _ in 0..CLAIMS {
                let row = (
                    idempotency_keys::organization.eq(Id::from(key.organization)),
                    idempotency_keys::credential.eq(Id(key.credential)),
                    idempotency_keys::idempotency_key.eq(&*key.key),
                    idempotency_keys::fingerprint.eq(&fingerprint[..]),
                    idempotency_keys::created.eq(now),
                );
                let insert = diesel::insert_into(idempotency_keys::table).values(row).on_conflict_do_nothing();
                if insert.exec(db).await? == 1 {
                    return Ok::<_, StorageError>(None);
                }
                let place = (Id::from(key.organization), Id(key.credential), &*key.key);
                let found = idempotency_keys::table.find(place).select(IdempotencyRecord::cols()).opt(db).await?;
                if found.is_some() {
                    return Ok(found);
                }
            }
            Err(StorageError::Busy("an Idempotency-Key changes hands too fast".to_owned()))
        })
        .await
    }

    /// Keeps the answer of the request that took the key.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn keep_answer(&self, key: IdempotencyKey, answer: KeptAnswer) -> Result<()> {
        self.transaction(async move |db: &mut Db<'_>| {
            let changes = (
                idempotency_keys::status.eq(Some(answer.status)),
                idempotency_keys::headers.eq(Some(&*answer.headers)),
                idempotency_keys::body.eq(answer.body.as_deref()),
                idempotency_keys::is_secret.eq(answer.is_secret),
            );
            let row = idempotency_keys::table.filter(
                idempotency_keys::organization
                    .eq(Id::from(key.organization))
                    .and(idempotency_keys::credential.eq(Id(key.credential)))
                    .and(idempotency_keys::idempotency_key.eq(&*key.key)),
            );
            diesel::update(row).set(changes).exec(db).await?;
            Ok::<_, StorageError>(())
        })
        .await
    }

    /// Forgets a key whose request was not done, so that it may be repeated.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn release_idempotency_key(&self, key: IdempotencyKey) -> Result<()> {
        self.transaction(async move |db: &mut Db<'_>| {
            let row = idempotency_keys::table.filter(
                idempotency_keys::organization
                    .eq(Id::from(key.organization))
                    .and(idempotency_keys::credential.eq(Id(key.credential)))
                    .and(idempotency_keys::idempotency_key.eq(&*key.key)),
            );
            diesel::delete(row).exec(db).await?;
            Ok::<_, StorageError>(())
        })
        .await
    }
}
