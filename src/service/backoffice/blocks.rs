//! Blocks: who may not be created again over SCIM.

use super::OperatorCtx;
use crate::domain::ids::{BlockId, OrganizationId};
use crate::service::admin::error::{Refusal, Result};
pub use crate::storage::cold::blocks::BlockRecord;
use crate::storage::cold::{blocks, operator_log};
use crate::storage::{Database, Db, StorageError};

/// The blocks of an organization, in the order of their creation.
///
/// # Errors
/// `Missing` organization.
pub async fn list(db: &Database, organization: OrganizationId) -> Result<Vec<BlockRecord>> {
    db.find_organization(organization).await?.ok_or(Refusal::Missing)?;
    Ok(db.list_blocks(organization).await?)
}

/// The block of that id.
///
/// # Errors
/// `Missing`.
pub async fn get(db: &Database, organization: OrganizationId, id: BlockId) -> Result<BlockRecord> {
    db.find_block(organization, id).await?.ok_or(Refusal::Missing)
}

/// Lifts a block: the next push creates the person anew.
///
/// # Errors
/// `Missing`.
pub async fn lift(ctx: &OperatorCtx, db: &Database, organization: OrganizationId, id: BlockId) -> Result<()> {
    let deed = ctx.deed();
    db.transaction(async move |db: &mut Db<'_>| {
        blocks::remove(db, &deed, organization, id).await?;
        operator_log::copy(db, &deed, organization).await?;
        Ok::<_, StorageError>(())
    })
    .await?;
    Ok(())
}
