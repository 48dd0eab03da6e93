//! `/security-settings` of the caller's organization. A setting is here once something obeys it.

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::Value;

use super::body::MergePatch;
use super::choice::RolesForManagedUsersChoice;
use super::form::{Form, Read, text};
use super::granted::{Granted, SecurityRead, SecurityWrite};
use super::problem::Problem;
use super::query::NoQuery;
use super::{single, timed};
use crate::http::extract::conditions::RequestConditions;
use crate::service::admin::Invalid;
use crate::service::admin::security_settings::{self, PatchSecuritySettings, RolesForManagedUsers, SecuritySettings};
use crate::service::scim::resources::Conditions;

/// What an organization has set for the safety of its accounts.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SecuritySettings)]
pub(crate) struct SecuritySettingsView {
    /// Who gives direct roles, and membership in groups of the organization, to people whom a directory manages: `local`
    /// (people and programs here) or `directory_only`, where both are refused here (403), as are new roles
    /// of a group of the organization that holds such people, and their access to sub-accounts. A group of the directory may be
    /// mapped; mappings, groups and access from before can be taken away.
    roles_for_managed_users: &'static str,
    /// Id of the break-glass Admin, whom no directory adopts. It stays whatever becomes of the person's roles or of a
    /// suspension, and is null once the person is deleted.
    protected_admin: Option<String>,
}

/// What to change of the security settings; members that are absent stay as they are, null brings the default back.
#[derive(utoipa::ToSchema)]
#[schema(as = PatchSecuritySettings)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct PatchBody {
    #[schema(default = "local")]
    roles_for_managed_users: Option<RolesForManagedUsersChoice>,
    /// Id of an active person with the role `admin` whom no directory manages.
    protected_admin: Option<String>,
}

impl SecuritySettingsView {
    fn of(settings: &SecuritySettings) -> Self {
        SecuritySettingsView {
            roles_for_managed_users: settings.roles_for_managed_users.key(),
            protected_admin: settings.protected_admin.map(|id| id.to_string()),
        }
    }
}

/// The security settings of the organization.
#[utoipa::path(
    get, path = "/security-settings", tag = "Security settings", operation_id = "get_security_settings",
    responses((status = 200, description = "The settings", body = SecuritySettingsView))
)]
pub(super) async fn get(
    granted: Granted<SecurityRead>,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, security_settings::get(&granted.caller, &shared.state.db)).await?;
    single::read(&conditions.0, found.version, SecuritySettingsView::of(&found))
}

/// Changes security settings of the organization.
#[utoipa::path(
    patch, path = "/security-settings", tag = "Security settings", operation_id = "patch_security_settings",
    request_body(content = PatchBody, content_type = "application/merge-patch+json"),
    responses((status = 200, description = "The settings", body = SecuritySettingsView))
)]
pub(super) async fn patch(
    granted: Granted<SecurityWrite>,
    conditions: RequestConditions,
    _: NoQuery,
    body: MergePatch,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let expected = expected(&granted, &conditions.0).await?;
    let mut form = Form::of(&body.0)?;
    let patch = PatchSecuritySettings {
        roles_for_managed_users: form.clearable("roles_for_managed_users", choice).map(Option::unwrap_or_default),
        protected_admin: form.clearable("protected_admin", text),
    };
    form.done()?;
    let changed = timed(shared, security_settings::patch(&granted.caller, &shared.state.db, expected, patch)).await?;
    single::read(&Conditions::default(), changed.version, SecuritySettingsView::of(&changed))
}

/// Judges the conditions before the body is (412, 422 in that order); answers the version that a write must find, where the
/// client insists on one.
async fn expected(granted: &Granted<SecurityWrite>, conditions: &Conditions) -> Result<Option<i64>, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, security_settings::get(&granted.caller, &shared.state.db)).await?;
    single::expected(conditions, found.version)
}

fn choice(value: &Value) -> Read<RolesForManagedUsers> {
    let known = RolesForManagedUsers::ALL.map(RolesForManagedUsers::key).join(", ");
    let read = value.as_str().and_then(RolesForManagedUsers::parse);
    read.ok_or_else(|| vec![Invalid::new("", format!("This must be one of {known}."))])
}
