//! The look-up of an API key by the hash of its secret.

use diesel::{BoolExpressionMethods as _, ExpressionMethods as _, QueryDsl as _};

use crate::domain::ids::{OrganizationId, TokenId};
use crate::storage::Database;
use crate::storage::db::Fetch as _;
use crate::storage::error::Result;
use crate::storage::schema::api_keys;
use crate::storage::uid::Id;

impl Database {
    /// Tenant, id and roles of the live key with that hash.
    ///
    /// # Errors
    /// `Busy`, `Broken`.
    pub async fn find_live_api_key_across_organizations(
        &self,
        hash: &[u8; 32],
        now: i64,
    ) -> Result<Option<(OrganizationId, TokenId, String)>> {
        let query = api_keys::table
            .filter(api_keys::hash.eq(hash.to_vec()))
            .filter(api_keys::revoked_at.is_null())
            .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(now)))
            .select((api_keys::organization, api_keys::id, api_keys::roles));
        let found: Option<(Id, Id, String)> = self.cold_read(async move |db| Ok(query.opt(db).await?)).await?;
        Ok(found.map(|(organization, id, roles)| (OrganizationId(organization.0), TokenId(id.0), roles)))
    }
}
