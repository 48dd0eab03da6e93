//! A person as JSON and as a line of CSV.

use serde::Serialize;

use crate::domain::ownership::LOCKED_FIELDS;
use crate::domain::permission::{HeldRole, RoleSource};
use crate::domain::person::{Action, Suspender};
use crate::http::admin::export::Exported;
use crate::http::admin::groups::ConnectionReferenceView;
use crate::http::admin::list::PageView;
use crate::protocol::splice::date_time;
use crate::service::admin::users::{Mfa, User};

/// A person.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = User)]
pub(crate) struct UserView {
    /// The id over SCIM too.
    id: String,
    email: Option<String>,
    user_name: String,
    name: NameView,
    phone: Option<String>,
    title: Option<String>,
    department: Option<String>,
    locale: Option<String>,
    time_zone: Option<String>,
    notes: Option<String>,
    /// `active`, `invited` or `suspended`.
    status: &'static str,
    /// What keeps the person out.
    suspension: Option<SuspensionView>,
    /// Roles with each of their sources; the union is effective.
    roles: Vec<HeldRoleView>,
    /// Groups that hold the person directly.
    groups: Vec<GroupReferenceView>,
    managed: ManagedView,
    /// `on`, `off` or `at_identity_provider`.
    mfa: &'static str,
    /// Sessions that are open.
    sessions: u32,
    #[schema(format = DateTime)]
    last_active_at: Option<String>,
    #[schema(format = DateTime)]
    created_at: String,
    #[schema(format = DateTime)]
    updated_at: String,
    /// Who invited the person: a kind and an id, such as `user:…`.
    invited_by: Option<String>,
    /// What the caller may do to the person.
    allowed_actions: Vec<&'static str>,
}

/// A name.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Name)]
pub(crate) struct NameView {
    given: Option<String>,
    family: Option<String>,
    display: Option<String>,
}

/// What keeps a person out.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Suspension)]
pub(crate) struct SuspensionView {
    /// `admin`, `operator`: a hold that is kept here; `directory`: the identity provider.
    by: &'static str,
    /// null: not known.
    #[schema(format = DateTime)]
    at: Option<String>,
    reason: Option<String>,
}

/// A role that a person holds.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = HeldRole)]
pub(crate) struct HeldRoleView {
    key: &'static str,
    /// `direct`, `group` or `directory`.
    source: &'static str,
    /// The group that brings it.
    via: Option<ViaView>,
}

/// The group that brings a role.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Via)]
pub(crate) struct ViaView {
    group_id: String,
    name: String,
}

/// A group in short.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = GroupReference)]
pub(crate) struct GroupReferenceView {
    id: String,
    name: String,
    /// `local` or `external`.
    managed_by: &'static str,
}

/// Who manages a person.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Managed)]
pub(crate) struct ManagedView {
    /// `local` or `external`.
    by: &'static str,
    /// `Invited` or `Managed externally`.
    label: &'static str,
    /// The directory, where one does.
    connection: Option<ConnectionReferenceView>,
    /// What the directory calls the person.
    external_id: Option<String>,
    /// Since when.
    #[schema(format = DateTime)]
    since: Option<String>,
    /// When the directory last changed the person.
    #[schema(format = DateTime)]
    last_synced_at: Option<String>,
    /// What only the directory changes.
    locked_fields: &'static [&'static str],
}

/// People, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = UserPage)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct UserPageView {
    data: Vec<UserView>,
    page: PageView,
}

impl UserView {
    /// Of a person as read for a caller.
    pub(in crate::http) fn of(user: &User) -> Self {
        let (record, profile) = (&user.record, &user.profile);
        let modified = record.account_modified.map_or(record.modified, |at| at.max(record.modified));
        UserView {
            id: record.id.to_string(),
            email: profile.email.clone(),
            user_name: profile.user_name.clone(),
            name: NameView {
                given: profile.given.clone(),
                family: profile.family.clone(),
                display: profile.display.clone(),
            },
            phone: profile.phone.clone(),
            title: profile.title.clone(),
            department: profile.department.clone(),
            locale: record.locale.clone().or_else(|| profile.locale.clone()),
            time_zone: record.time_zone.clone().or_else(|| profile.time_zone.clone()),
            notes: record.notes.clone(),
            status: user.status.key(),
            suspension: suspension(user),
            roles: user.roles.iter().map(role).collect(),
            groups: user
                .groups
                .iter()
                .map(|(group, is_managed)| GroupReferenceView {
                    id: group.id.to_string(),
                    name: group.name.clone(),
                    managed_by: by(*is_managed),
                })
                .collect(),
            managed: managed(user),
            mfa: Mfa::of(user.manager.is_some()).key(),
            sessions: 0,
            last_active_at: record.last_active_at.map(date_time),
            created_at: date_time(record.created),
            updated_at: date_time(modified),
            invited_by: record.invited_by.clone(),
            allowed_actions: user.allowed.iter().copied().map(Action::key).collect(),
        }
    }
}

fn by(is_managed: bool) -> &'static str {
    if is_managed { "external" } else { "local" }
}

/// The hold tells more than the directory does.
fn suspension(user: &User) -> Option<SuspensionView> {
    if let Some(hold) = &user.hold {
        return Some(SuspensionView { by: hold.by.key(), at: Some(date_time(hold.at)), reason: hold.reason.clone() });
    }
    let at = user.record.deactivated_at.map(date_time);
    (!user.record.access).then(|| SuspensionView { by: Suspender::Directory.key(), at, reason: None })
}

fn role(held: &HeldRole) -> HeldRoleView {
    let via = match &held.source {
        RoleSource::Group { id, name } => Some(ViaView { group_id: id.to_string(), name: name.clone() }),
        RoleSource::Direct | RoleSource::Directory => None,
    };
    HeldRoleView { key: held.role.key(), source: held.source.key(), via }
}

fn managed(user: &User) -> ManagedView {
    let record = &user.record;
    match &user.manager {
        None => ManagedView {
            by: by(false),
            label: "Invited",
            connection: None,
            external_id: None,
            since: None,
            last_synced_at: None,
            locked_fields: &[],
        },
        Some(manager) => ManagedView {
            by: by(true),
            label: "Managed externally",
            connection: Some(ConnectionReferenceView {
                id: manager.id.to_string(),
                name: manager.name.clone(),
                provider: manager.provider.clone(),
            }),
            external_id: user.profile.external_id.clone(),
            since: Some(date_time(record.managed_since.unwrap_or(record.created))),
            last_synced_at: Some(date_time(record.modified)),
            locked_fields: &LOCKED_FIELDS,
        },
    }
}

impl Exported for UserView {
    const COLUMNS: &'static [&'static str] = &[
        "id",
        "email",
        "user_name",
        "display_name",
        "given_name",
        "family_name",
        "status",
        "roles",
        "groups",
        "managed_by",
        "connection",
        "external_id",
        "mfa",
        "sessions",
        "last_active_at",
        "created_at",
        "updated_at",
    ];

    fn cells(&self) -> Vec<String> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut roles: Vec<&str> = self.roles.iter().map(|role| role.key).collect();
        roles.dedup();
        let groups: Vec<&str> = self.groups.iter().map(|group| group.name.as_str()).collect();
        let connection = self.managed.connection.as_ref().map(|connection| connection.name.clone());
        vec![
            self.id.clone(),
            text(&self.email),
            self.user_name.clone(),
            text(&self.name.display),
            text(&self.name.given),
            text(&self.name.family),
            self.status.to_owned(),
            roles.join(" "),
            groups.join("; "),
            self.managed.by.to_owned(),
            connection.unwrap_or_default(),
            text(&self.managed.external_id),
            self.mfa.to_owned(),
            self.sessions.to_string(),
            text(&self.last_active_at),
            self.created_at.clone(),
            self.updated_at.clone(),
        ]
    }
}
