//! API keys that the operator makes for an organization: its first one, before it has an Admin who could.

use super::{OperatorCtx, Refusal, Result, organizations};
use crate::domain::ids::OrganizationId;
use crate::domain::permission::{Role, RoleSet};
use crate::service::admin;
use crate::service::admin::api_keys::{CreateApiKey, Issued};
use crate::storage::cold::api_keys::NewApiKey;
use crate::storage::{Database, Db};

/// A secret, and its key that is not stored yet, with any roles.
fn new(ctx: &OperatorCtx, organization: OrganizationId, asked: CreateApiKey) -> Result<(String, NewApiKey)> {
    let all: RoleSet = Role::ALL.into_iter().collect();
    admin::api_keys::prepare(organization, all, ctx.now, asked).map_err(refusal)
}

/// The first key of a new organization, with the role `admin`, not stored yet.
pub(super) fn first(ctx: &OperatorCtx, organization: OrganizationId) -> Result<(String, NewApiKey)> {
    let asked = CreateApiKey {
        name: "First key".to_owned(),
        roles: vec![Role::Admin.key().to_owned()],
        ..CreateApiKey::default()
    };
    new(ctx, organization, asked)
}

/// Creates a key with any roles.
///
/// # Errors
/// `Missing` organization, `Invalid`.
pub async fn create(ctx: &OperatorCtx, db: &Database, slug_or_id: &str, asked: CreateApiKey) -> Result<Issued> {
    let organization = organizations::load(db, slug_or_id).await?.id;
    let (secret, new) = new(ctx, organization, asked)?;
    let deed = ctx.deed();
    let insert = async move |db: &mut Db<'_>| admin::api_keys::insert(db, &deed, &new).await;
    Ok(Issued { record: db.transaction(insert).await?, secret })
}

/// In the words of the command line.
pub(super) fn refusal(refusal: admin::Refusal) -> Refusal {
    match refusal {
        admin::Refusal::Invalid(errors) => {
            let errors: Vec<String> =
                errors.into_iter().map(|e| format!("{}: {}", e.pointer.trim_start_matches('/'), e.detail)).collect();
            Refusal::Invalid(errors.join("; "))
        }
        other => Refusal::Invalid(other.to_string()),
    }
}
