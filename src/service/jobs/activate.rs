//! A connection becomes active. Its staged people are the organization's from the moment its state says so; what is left is
//! whom it would have adopted: each is decided by the policy as it is now.

use super::{damaged, deed, progress, subject};
use crate::domain::adoption::Verdict;
use crate::domain::connection::{AdoptionPolicy, ConnectionSettings, State};
use crate::domain::event::EventKind;
use crate::domain::ids::{ConnectionId, Scope};
use crate::protocol::resource::Resource;
use crate::service::Result;
use crate::service::adoption::{self, Judged};
use crate::storage::cold::adoptions::{self, AdoptionRecord, Sought};
use crate::storage::cold::jobs;
use crate::storage::{Database, Db, JobRecord, StorageError};

/// Adoptions of one step.
const BATCH: u32 = 50;

pub(super) async fn step(db: &Database, job: JobRecord, now: i64) -> Result<()> {
    let scope = Scope { organization: job.organization, connection: ConnectionId(subject(&job)?) };
    let connection = db.find_connection(scope.organization, scope.connection).await?;
    let connection = connection.ok_or_else(|| damaged("a job", "its connection is gone"))?;
    let settings = ConnectionSettings::parse(&connection.settings).map_err(|error| damaged(scope.connection, error))?;
    let previewed = match State::of(&connection.state) {
        // Whoever gave it up meanwhile wants nobody adopted.
        State::Decommissioned => Vec::new(),
        _ => db.list_adoptions(scope, Some("previewed"), None, BATCH).await?,
    };
    let mut decided = Vec::with_capacity(previewed.len());
    for record in previewed {
        decided.push(decide(db, scope, settings.adoption, record).await?);
    }
    let work = async move |db: &mut Db<'_>| {
        let done = decided.len();
        for (record, verdict) in &decided {
            carry_out(db, &job, now, scope, record, verdict.as_ref()).await?;
        }
        jobs::advance(db, &deed(&job, now), &job, &progress(&job, done, done == 0, None)).await?;
        Ok::<_, StorageError>(())
    };
    Ok(db.transaction(work).await?)
}

type Decided = (AdoptionRecord, Option<(Judged, Resource)>);

async fn decide(db: &Database, scope: Scope, policy: AdoptionPolicy, record: AdoptionRecord) -> Result<Decided> {
    let judged = adoption::find(db, scope, policy, &Sought::Id(record.user_id)).await?;
    let Some(judged) = judged else { return Ok((record, None)) };
    let next = Resource::from_document(&record.incoming).map_err(|error| damaged(record.id, error))?;
    Ok((record, Some((judged, next))))
}

async fn carry_out(
    db: &mut Db<'_>,
    job: &JobRecord,
    now: i64,
    scope: Scope,
    record: &AdoptionRecord,
    decided: Option<&(Judged, Resource)>,
) -> crate::storage::Result<()> {
    match decided {
        Some((judged, next)) if judged.verdict == Verdict::Adopt => {
            match db
                .tx(async |db: &mut Db<'_>| adoption::adopt(db, || deed(job, now), scope, judged, next, false).await)
                .await
            {
                Ok(_) => Ok(()),
                // Another person has the new name meanwhile; the directory hears of it when it tries again.
                Err(StorageError::NotUnique(_)) => adoptions::forget_preview(db, scope.organization, record.id).await,
                Err(error) => Err(error),
            }
        }
        Some((judged, next)) if judged.verdict == Verdict::Wait => {
            let incoming = adoption::incoming(judged, next, "pending");
            adoptions::put(db, &deed(job, now), scope, &incoming).await?;
            adoptions::record_about(db, &deed(job, now), scope, EventKind::AdoptionWaiting, incoming.user).await
        }
        // Refused, or no longer local: the directory was told that the name is taken, and that holds.
        _ => adoptions::forget_preview(db, scope.organization, record.id).await,
    }
}
