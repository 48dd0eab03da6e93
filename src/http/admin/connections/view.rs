//! Connections as they are shown and given.

use serde::Serialize;

use crate::domain::connection::{AdoptionPolicy, ConnectionSettings, DuplicateGroupNames, UnknownMembers};
use crate::http::Shared;
use crate::http::admin::choice::{AdoptionChoice, PeopleChoice, Provider};
use crate::http::admin::list::PageView;
use crate::http::admin::problem::Problem;
use crate::protocol::splice::date_time;
use crate::service::admin::connections::Connection;

/// A connection to an identity provider.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Connection)]
pub(crate) struct ConnectionView {
    pub(super) id: String,
    /// `okta`, `entra`, `google`, `onelogin`, `jumpcloud`, `ping` or `custom`.
    provider: String,
    /// Its name for people.
    name: String,
    /// `setup`, `observe`, `active`, `paused` or `decommissioned`.
    state: String,
    scim: ScimView,
    health: HealthView,
    /// The job that its last step started; null in lists and where none did.
    job: Option<JobView>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// How a connection is served over SCIM.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ConnectionScim)]
pub(crate) struct ScimView {
    /// To be entered at the identity provider.
    base_url: String,
    /// What becomes of a local person whom the directory would create: `verified_domain`, `review` or `refuse`.
    adoption: &'static str,
    /// Whether the directory's roles give `admin` and `billing` too.
    may_grant_admin: bool,
    /// Whether `/Roles` and `/Entitlements` are published over SCIM.
    roles_discovery: bool,
    /// Members that the connection cannot see: `refuse` or `ignore`.
    unknown_members: &'static str,
    /// A second group of the same name: `refuse` or `allow`.
    duplicate_group_names: &'static str,
    /// Client dialects that are switched on or off by name; all others are on.
    repairs: std::collections::BTreeMap<String, bool>,
    guard: GuardView,
}

/// When departures of many people at once are held back.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ConnectionGuard)]
pub(crate) struct GuardView {
    percent: u32,
    minimum: u32,
}

/// How a connection does.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ConnectionHealth)]
pub(crate) struct HealthView {
    #[schema(format = DateTime)]
    last_request_at: Option<String>,
    #[schema(format = DateTime)]
    last_success_at: Option<String>,
    #[schema(format = DateTime)]
    last_error_at: Option<String>,
    /// The last refusal, in words.
    last_error: Option<String>,
    users: i64,
    groups: i64,
    /// Tokens that end within 30 days.
    tokens_expiring: usize,
}

/// Work that goes on after its request.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[schema(as = Job)]
pub(crate) struct JobView {
    id: String,
    /// `activate` or `decommission`.
    kind: String,
    /// `queued`, `running`, `done` or `failed`.
    state: String,
    /// People that it is done with.
    done: i64,
    /// People there were when it began.
    total: Option<i64>,
    #[schema(format = DateTime)]
    updated_at: String,
}

/// Connections, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = ConnectionList)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct ConnectionListView {
    data: Vec<ConnectionView>,
    page: PageView,
}

/// A connection to create, in the state `setup`.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateConnection)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct CreateBody {
    provider: Provider,
    /// 1 to 200 characters, unique in the organization.
    name: String,
    scim: Option<ScimBody>,
}

/// What to change of a connection (JSON Merge Patch).
#[derive(utoipa::ToSchema)]
#[schema(as = PatchConnection)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct PatchBody {
    name: Option<String>,
    scim: Option<ScimBody>,
}

/// Settings of a connection; null brings the default back.
#[derive(utoipa::ToSchema)]
#[schema(as = ConnectionSettings)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct ScimBody {
    adoption: Option<AdoptionChoice>,
    may_grant_admin: Option<bool>,
    roles_discovery: Option<bool>,
    unknown_members: Option<String>,
    duplicate_group_names: Option<String>,
    repairs: Option<std::collections::BTreeMap<String, bool>>,
    guard: Option<GuardBody>,
}

/// Thresholds of the brake.
#[derive(utoipa::ToSchema)]
#[schema(as = ConnectionGuardSettings)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct GuardBody {
    #[schema(minimum = 1, maximum = 100, default = 20)]
    percent: Option<u32>,
    #[schema(minimum = 1, default = 10)]
    minimum: Option<u32>,
}

/// What becomes of the people.
#[derive(utoipa::ToSchema)]
#[schema(as = DecommissionConnection)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct DecommissionBody {
    /// `suspend` (local and suspended), `invite` (local and invited; links by resending) or `delete`.
    #[schema(default = "suspend")]
    people: Option<PeopleChoice>,
}

impl ConnectionView {
    /// As this process serves it.
    ///
    /// # Errors
    /// 500 for damaged settings.
    pub(in crate::http) fn of(shared: &Shared, found: &Connection) -> Result<Self, Problem> {
        let record = &found.record;
        let settings = ConnectionSettings::parse(&record.settings)
            .map_err(|error| Problem::internal(format!("settings of connection {}: {error}", record.id)))?;
        let (health, time) = (&found.health, |at: Option<i64>| at.map(date_time));
        Ok(ConnectionView {
            id: record.id.to_string(),
            provider: record.provider.clone(),
            name: record.name.clone(),
            state: record.state.clone(),
            scim: ScimView::of(shared, settings),
            health: HealthView {
                last_request_at: time(health.last_request_at),
                last_success_at: time(health.last_success_at),
                last_error_at: time(health.last_error_at),
                last_error: health.last_error.clone(),
                users: health.figures.users,
                groups: health.figures.groups,
                tokens_expiring: health.tokens_expiring,
            },
            job: found.job.as_ref().map(|job| JobView {
                id: job.id.to_string(),
                kind: job.kind.clone(),
                state: job.state.clone(),
                done: job.done,
                total: job.total,
                updated_at: date_time(job.modified),
            }),
            created_at: date_time(record.created),
            updated_at: date_time(record.modified),
        })
    }
}

impl ScimView {
    fn of(shared: &Shared, settings: ConnectionSettings) -> Self {
        ScimView {
            base_url: shared.scim_base.clone(),
            adoption: match settings.adoption {
                AdoptionPolicy::VerifiedDomain => "verified_domain",
                AdoptionPolicy::Review => "review",
                AdoptionPolicy::Refuse => "refuse",
            },
            may_grant_admin: settings.may_grant_admin,
            roles_discovery: settings.roles_discovery,
            unknown_members: match settings.unknown_members {
                UnknownMembers::Refuse => "refuse",
                UnknownMembers::Ignore => "ignore",
            },
            duplicate_group_names: match settings.duplicate_group_names {
                DuplicateGroupNames::Refuse => "refuse",
                DuplicateGroupNames::Allow => "allow",
            },
            repairs: settings.repairs,
            guard: GuardView { percent: settings.guard.percent, minimum: settings.guard.minimum },
        }
    }
}
