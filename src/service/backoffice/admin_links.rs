//! One-time links for the first Admin of an organization, who has no other way in yet.

use std::fmt;

use super::{OperatorCtx, Result, api_keys, organizations};
use crate::domain::ids::OrganizationId;
use crate::domain::token::{ADMIN_LINK_LIFETIME, SecretKind};
use crate::service::admin;
use crate::service::admin::api_keys::seal;
use crate::service::backoffice::tenants;
use crate::storage::cold::{admin_links, operator_log};
use crate::storage::{Database, Db, StorageError};

/// Path of the page that opens a link, under the public URL.
const PAGE: &str = "/console/admin-link";

/// A new link.
pub struct Issued {
    /// End of the link, to be shown once.
    pub secret: String,
    /// What identifies it to people.
    pub fingerprint: String,
    /// µs since 1970.
    pub expires_at: i64,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Issued { fingerprint, expires_at, .. } = self;
        f.debug_struct("Issued").field("fingerprint", fingerprint).field("expires_at", expires_at).finish()
    }
}

impl Issued {
    /// The whole link.
    pub fn link(&self, public_url: &str) -> String {
        format!("{public_url}{PAGE}/{}", self.secret)
    }
}

/// Makes a link, in the place of the organization's last one.
///
/// # Errors
/// `Missing` organization.
pub async fn create(ctx: &OperatorCtx, db: &Database, organization: OrganizationId) -> admin::error::Result<Issued> {
    tenants::get(db, organization).await?;
    let (secret, sealed) = seal(SecretKind::AdminLink)?;
    let expires_at = ctx.now.saturating_add(ADMIN_LINK_LIFETIME);
    let (deed, fingerprint) = (ctx.deed(), sealed.fingerprint.clone());
    let store = async move |db: &mut Db<'_>| {
        admin_links::put(db, &deed, organization, &sealed, expires_at).await?;
        operator_log::copy(db, &deed, organization).await?;
        Ok::<_, StorageError>(())
    };
    db.transaction(store).await?;
    Ok(Issued { secret, fingerprint, expires_at })
}

/// The same for the command line, which names the organization by its slug or id.
///
/// # Errors
/// `Missing` organization.
pub async fn create_named(ctx: &OperatorCtx, db: &Database, slug_or_id: &str) -> Result<Issued> {
    let organization = organizations::load(db, slug_or_id).await?.id;
    create(ctx, db, organization).await.map_err(api_keys::refusal)
}
