//! Records that finders answer, shared by both backends.

use crate::domain::ids::{ConnectionId, OrganizationId, ResourceId, TokenId};
use crate::protocol::splice::Reference;

/// A stored user.
#[derive(Debug, Clone, PartialEq)]
pub struct UserRecord {
    /// Id.
    pub id: ResourceId,
    /// Version.
    pub version: i64,
    /// µs since 1970.
    pub created: i64,
    /// µs since 1970.
    pub modified: i64,
    /// Last explicit `active`.
    pub access: bool,
    /// SCIM JSON without `id meta groups password`.
    pub document: String,
    /// Groups of the connection that hold the user directly; empty when not asked for.
    pub groups: Vec<Reference>,
}

/// A stored group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupRecord {
    /// Id.
    pub id: ResourceId,
    /// Version.
    pub version: i64,
    /// µs since 1970.
    pub created: i64,
    /// µs since 1970.
    pub modified: i64,
    /// SCIM JSON without `id meta members`.
    pub document: String,
    /// `None` when not asked for.
    pub members: Option<Vec<Reference>>,
}

/// What a SCIM token opens.
#[derive(Debug, Clone, PartialEq)]
pub struct Credential {
    /// The token.
    pub token: TokenId,
    /// Its tenant.
    pub organization: OrganizationId,
    /// Whether the organization is suspended.
    pub organization_suspended: bool,
    /// Its connection.
    pub connection: ConnectionId,
    /// `setup`, `observe`, `active`, `paused`, `decommissioned`
    pub connection_state: String,
    /// Connection settings document (JSON).
    pub connection_settings: String,
    /// µs since 1970; `None` never.
    pub expires_at: Option<i64>,
    /// µs since 1970.
    pub revoked_at: Option<i64>,
    /// µs since 1970, written at most once a minute.
    pub last_used_at: Option<i64>,
}
