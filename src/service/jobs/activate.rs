//! A connection becomes active. Its staged people are the organization's from the moment its state says so; what is left is
//! whom it would have adopted.

use super::{deed, progress};
use crate::service::Result;
use crate::storage::cold::jobs;
use crate::storage::{Database, Db, JobRecord, StorageError};

pub(super) async fn step(db: &Database, job: JobRecord, now: i64) -> Result<()> {
    let work = async move |db: &mut Db<'_>| {
        jobs::advance(db, &deed(&job, now), &job, &progress(&job, 0, true, None)).await?;
        Ok::<_, StorageError>(())
    };
    Ok(db.transaction(work).await?)
}
