//! Records that finders answer, shared by both backends.

use diesel::deserialize::FromSql;
use diesel::sql_types::Nullable;
use diesel::{Queryable, Selectable};

use super::schema::{api_keys, connection_health, connections, jobs, organizations, scim_tokens};
use super::uid::{Id, MaybeId, Uid};
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
    /// Whether anybody is blocked in the organization.
    pub has_blocks: bool,
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

/// A stored organization.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = organizations)]
pub struct OrganizationRecord {
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: OrganizationId,
    /// Unique short name.
    pub slug: String,
    /// Name for people.
    pub name: String,
    /// The organization that it is a sub-account of.
    #[diesel(deserialize_as = MaybeOrganization)]
    pub parent: Option<OrganizationId>,
    /// `active`, `suspended`
    pub state: String,
    /// `domain::organization::Features` (JSON).
    pub features: String,
    /// µs since 1970.
    pub created: i64,
    /// µs since 1970.
    pub modified: i64,
    /// Version.
    pub version: i64,
}

/// How a nullable id is read.
pub struct MaybeOrganization(Option<Id>);

impl<D: diesel::backend::Backend> Queryable<Nullable<Uid>, D> for MaybeOrganization
where
    Option<Id>: FromSql<Nullable<Uid>, D>,
{
    type Row = Option<Id>;

    fn build(row: Option<Id>) -> diesel::deserialize::Result<Self> {
        Ok(MaybeOrganization(row))
    }
}

impl From<MaybeOrganization> for Option<OrganizationId> {
    fn from(id: MaybeOrganization) -> Self {
        id.0.map(OrganizationId::from)
    }
}

/// A stored connection to an identity provider.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = connections)]
pub struct ConnectionRecord {
    /// Its tenant.
    #[diesel(deserialize_as = Id)]
    pub organization: OrganizationId,
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: ConnectionId,
    /// `okta`, `entra`, `custom` …
    pub provider: String,
    /// Unique in the organization.
    pub name: String,
    /// `setup`, `observe`, `active`, `paused`, `decommissioned`
    pub state: String,
    /// Settings document (JSON).
    pub settings: String,
    /// µs since 1970.
    pub created: i64,
    /// µs since 1970.
    pub modified: i64,
    /// Version.
    pub version: i64,
}

/// A stored SCIM token, without its secret or hash.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = scim_tokens)]
pub struct TokenRecord {
    /// Its tenant.
    #[diesel(deserialize_as = Id)]
    pub organization: OrganizationId,
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: TokenId,
    /// Its connection.
    #[diesel(deserialize_as = Id)]
    pub connection: ConnectionId,
    /// Name for people.
    pub name: String,
    /// What identifies the secret to people.
    pub fingerprint: String,
    /// µs since 1970.
    pub created: i64,
    /// `domain::actor::Actor`, printed.
    pub created_by: String,
    /// µs since 1970; `None` never.
    pub expires_at: Option<i64>,
    /// µs since 1970.
    pub revoked_at: Option<i64>,
    /// µs since 1970, written at most once a minute.
    pub last_used_at: Option<i64>,
    /// Address of that use.
    pub last_used_ip: Option<String>,
}

/// A stored API key that is not revoked, without its secret or hash.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct ApiKeyRecord {
    /// Its tenant.
    #[diesel(deserialize_as = Id)]
    pub organization: OrganizationId,
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: TokenId,
    /// Name for people.
    pub name: String,
    /// For people.
    pub description: String,
    /// What identifies the secret to people.
    pub fingerprint: String,
    /// Until when the secret before works; µs since 1970.
    pub previous_until: Option<i64>,
    /// Keys of roles, separated by commas.
    pub roles: String,
    /// CIDR blocks, separated by commas; empty: any address.
    pub ip_allowlist: String,
    /// µs since 1970.
    pub created: i64,
    /// `domain::actor::Actor`, printed.
    pub created_by: String,
    /// µs since 1970; `None` never.
    pub expires_at: Option<i64>,
    /// µs since 1970.
    pub rotated_at: Option<i64>,
    /// µs since 1970, written at most once a minute.
    pub last_used_at: Option<i64>,
    /// Address of that use.
    pub last_used_ip: Option<String>,
    /// µs since 1970.
    pub modified: i64,
    /// Version.
    pub version: i64,
}

/// What an API key opens.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = api_keys)]
pub struct ApiKeyCredential {
    /// The key.
    #[diesel(deserialize_as = Id)]
    pub id: TokenId,
    /// Its tenant.
    #[diesel(deserialize_as = Id)]
    pub organization: OrganizationId,
    /// `active`, `suspended`
    #[diesel(select_expression = organizations::state)]
    pub organization_state: String,
    /// Keys of roles, separated by commas.
    pub roles: String,
    /// CIDR blocks, separated by commas; empty: any address.
    pub ip_allowlist: String,
    /// µs since 1970; `None` never.
    pub expires_at: Option<i64>,
    /// µs since 1970.
    pub revoked_at: Option<i64>,
    /// Where the secret was the one before: until when it works.
    pub previous_until: Option<i64>,
    /// µs since 1970, written at most once a minute.
    pub last_used_at: Option<i64>,
}

/// A stored job.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct JobRecord {
    /// Its tenant.
    #[diesel(deserialize_as = Id)]
    pub organization: OrganizationId,
    /// Id.
    #[diesel(deserialize_as = Id)]
    pub id: uuid::Uuid,
    /// What it does.
    pub kind: String,
    /// What it does it to.
    #[diesel(deserialize_as = MaybeId)]
    pub subject: Option<uuid::Uuid>,
    /// How (JSON).
    pub arguments: String,
    /// `queued`, `running`, `done`, `failed`
    pub state: String,
    /// How far it came, in its own terms.
    pub cursor: Option<String>,
    /// Steps that are done.
    pub done: i64,
    /// Steps in all, where known.
    pub total: Option<i64>,
    /// Why it failed.
    pub error: Option<String>,
    /// µs since 1970.
    pub created: i64,
    /// `domain::actor::Actor`, printed.
    pub created_by: String,
    /// µs since 1970.
    pub modified: i64,
    /// Request that started it.
    pub request_id: String,
    /// Version.
    pub version: i64,
}

/// What a connection was last heard of.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = connection_health)]
pub struct HealthRecord {
    /// The connection.
    #[diesel(deserialize_as = Id)]
    pub connection: ConnectionId,
    /// µs since 1970.
    pub last_request_at: Option<i64>,
    /// µs since 1970.
    pub last_success_at: Option<i64>,
    /// µs since 1970.
    pub last_error_at: Option<i64>,
    /// The refusal of that time, for people.
    pub last_error: Option<String>,
}
