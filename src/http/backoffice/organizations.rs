//! `/organizations`: the tenants of the service.

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use serde::Serialize;

use super::BASE;
use super::deed::reason;
use super::granted::{Granted, Reads, Writes};
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::domain::organization::Features;
use crate::http::admin::body::{JsonBody, MergePatch};
use crate::http::admin::form::{Form, Read, text};
use crate::http::admin::idempotency::HoldsSecret;
use crate::http::admin::list::{ListQuery, Listing};
use crate::http::admin::path::PathId;
use crate::http::admin::problem::Problem;
use crate::http::admin::query::{NoQuery, invalid};
use crate::http::admin::{single, timed};
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::splice::date_time;
use crate::service::admin::Invalid;
use crate::service::admin::api_keys::Issued;
use crate::service::admin::paging::of_rows;
use crate::service::backoffice::admin_links;
use crate::service::backoffice::tenants::{
    self, CreateOrganization, OrganizationRecord, OrganizationState, PatchOrganization,
};
use crate::service::cursor::Key;
use crate::service::scim::resources::Conditions;

/// What the list of organizations offers.
pub(super) struct Organizations;

impl Listing for Organizations {
    const FILTERS: &'static [&'static str] = &["q", "state", "parent"];
    const SORTS: &'static [&'static str] = &["created_at", "name", "slug"];
}

/// An organization.
#[derive(Serialize)]
pub(super) struct OrganizationView {
    id: String,
    slug: String,
    name: String,
    parent: Option<String>,
    state: String,
    features: Option<Features>,
    created_at: String,
    updated_at: String,
    /// The first key of a new one, shown this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    api_key: Option<FirstKey>,
}

#[derive(Serialize)]
struct FirstKey {
    id: String,
    key: String,
    base_url: String,
    expires_at: Option<String>,
}

impl OrganizationView {
    fn of(record: &OrganizationRecord) -> Self {
        OrganizationView {
            id: record.id.to_string(),
            slug: record.slug.clone(),
            name: record.name.clone(),
            parent: record.parent.map(|id| id.to_string()),
            state: record.state.clone(),
            features: Features::parse(&record.features).ok(),
            created_at: date_time(record.created),
            updated_at: date_time(record.modified),
            api_key: None,
        }
    }
}

/// All organizations; `q` is part of a name or slug.
pub(super) async fn list(granted: Granted<Reads>, query: ListQuery<Organizations>) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let states = query.filter("state");
    if states.iter().any(|state| !["active", "suspended", "archived"].contains(state)) {
        return Err(invalid("state is active, suspended or archived."));
    }
    let parents = query.filter("parent");
    let parts: Vec<String> = query.filter("q").iter().map(|part| part.to_lowercase()).collect();
    let mut rows = timed(shared, tenants::list(&shared.state.db)).await?;
    rows.retain(|row| {
        let name = row.name.to_lowercase();
        let parent = row.parent.map(|id| id.to_string());
        (states.is_empty() || states.contains(&row.state.as_str()))
            && (parents.is_empty() || parent.is_some_and(|parent| parents.contains(&parent.as_str())))
            && (parts.is_empty() || parts.iter().any(|part| name.contains(part) || row.slug.contains(part)))
    });
    let key = |row: &OrganizationRecord, field: &str| match field {
        "name" => Key::Text(row.name.to_lowercase()),
        "slug" => Key::Text(row.slug.clone()),
        _ => Key::Number(row.created),
    };
    let page = of_rows(rows, &query.page, key, |row| row.id.to_string());
    Ok(query.answer(page, OrganizationView::of))
}

/// Creates one; `with_api_key` answers a key of the role `admin`, this once.
pub(super) async fn create(granted: Granted<Writes>, _: NoQuery, body: JsonBody) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let mut form = Form::of(&body.0)?;
    let features = form.optional("features", features).unwrap_or_default();
    let asked = CreateOrganization {
        name: form.required("name", text),
        slug: form.optional("slug", text),
        parent: form.optional("parent", parent),
        features: Features {
            sub_accounts: features.sub_accounts.unwrap_or_default(),
            tenant_release: features.tenant_release.unwrap_or_default(),
        },
        with_api_key: form.optional("with_api_key", switch).unwrap_or_default(),
    };
    let ctx = granted.operator.ctx(reason(&mut form));
    form.done()?;
    let (made, key) = timed(shared, tenants::create(&ctx, &shared.state.db, asked)).await?;
    let mut view = OrganizationView::of(&made);
    let holds_secret = key.is_some();
    view.api_key = key.map(|Issued { record, secret }| FirstKey {
        id: record.id.to_string(),
        key: secret,
        base_url: format!("{}{}", shared.state.settings.public_url, crate::http::admin::BASE),
        expires_at: record.expires_at.map(date_time),
    });
    let mut response = HttpResponse::build(StatusCode::CREATED);
    let location = format!("{}{BASE}/organizations/{}", shared.state.settings.backoffice_url(), made.id);
    response.insert_header((header::LOCATION, location));
    if let Some(tag) = single::tag(made.version) {
        response.insert_header((header::ETAG, tag));
    }
    let mut response = response.json(view);
    if holds_secret {
        response.extensions_mut().insert(HoldsSecret);
    }
    Ok(response)
}

/// One of them.
pub(super) async fn get(
    granted: Granted<Reads>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let found = timed(shared, tenants::get(&shared.state.db, OrganizationId(id.0))).await?;
    single::read(&conditions.0, found.version, OrganizationView::of(&found))
}

/// Changes name, slug or features.
pub(super) async fn patch(
    granted: Granted<Writes>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: MergePatch,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let id = OrganizationId(id.0);
    let expected = expected(&granted, id, &conditions.0).await?;
    let mut form = Form::of(&body.0)?;
    let switches = form.change("features", features).unwrap_or_default();
    let change = PatchOrganization {
        name: form.change("name", text),
        slug: form.change("slug", text),
        sub_accounts: switches.sub_accounts,
        tenant_release: switches.tenant_release,
    };
    let ctx = granted.operator.ctx(reason(&mut form));
    form.done()?;
    let changed = timed(shared, tenants::patch(&ctx, &shared.state.db, id, expected, change)).await?;
    single::read(&Conditions::default(), changed.version, OrganizationView::of(&changed))
}

/// Refuses every credential of it; nothing is deleted.
pub(super) async fn suspend(
    granted: Granted<Writes>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    set_state(granted, OrganizationId(id.0), &conditions.0, &body, OrganizationState::Suspended).await
}

/// Ends a suspension.
pub(super) async fn unsuspend(
    granted: Granted<Writes>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    set_state(granted, OrganizationId(id.0), &conditions.0, &body, OrganizationState::Active).await
}

async fn set_state(
    granted: Granted<Writes>,
    id: OrganizationId,
    conditions: &Conditions,
    body: &JsonBody,
    state: OrganizationState,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    expected(&granted, id, conditions).await?;
    let mut form = Form::of(&body.0)?;
    let ctx = granted.operator.ctx(reason(&mut form));
    form.done()?;
    let changed = timed(shared, tenants::set_state(&ctx, &shared.state.db, id, state)).await?;
    shared.forget_credentials(id);
    single::read(&Conditions::default(), changed.version, OrganizationView::of(&changed))
}

/// A one-time link, shown this once.
#[derive(Serialize)]
struct LinkView {
    link: String,
    fingerprint: String,
    expires_at: String,
}

/// Makes a one-time link for the first Admin; the one before is refused from now on.
pub(super) async fn bootstrap_link(
    granted: Granted<Writes>,
    id: PathId,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let (shared, id) = (&granted.shared, OrganizationId(id.0));
    timed(shared, tenants::get(&shared.state.db, id)).await?;
    let mut form = Form::of(&body.0)?;
    let ctx = granted.operator.ctx(reason(&mut form));
    form.done()?;
    let issued = timed(shared, admin_links::create(&ctx, &shared.state.db, id)).await?;
    let mut response = HttpResponse::build(StatusCode::CREATED).json(LinkView {
        link: issued.link(&shared.state.settings.public_url),
        expires_at: date_time(issued.expires_at),
        fingerprint: issued.fingerprint,
    });
    response.extensions_mut().insert(HoldsSecret);
    Ok(response)
}

/// Judges existence and conditions before the body is; answers the version that a write must find, where the client insists
/// on one.
async fn expected(
    granted: &Granted<Writes>,
    id: OrganizationId,
    conditions: &Conditions,
) -> Result<Option<i64>, Problem> {
    let found = timed(&granted.shared, tenants::get(&granted.shared.state.db, id)).await?;
    single::expected(conditions, found.version)
}

/// An organization where something else is shown.
#[derive(Serialize)]
pub(super) struct Named {
    id: String,
    slug: String,
    name: String,
}

impl Named {
    pub(super) fn of(record: &OrganizationRecord) -> Self {
        Named { id: record.id.to_string(), slug: record.slug.clone(), name: record.name.clone() }
    }
}

/// The organizations of a filter.
///
/// # Errors
/// 400 for what is no id.
pub(super) fn ids(name: &str, texts: &[&str]) -> Result<Vec<OrganizationId>, Problem> {
    let id = |text: &&str| {
        let id = ResourceId::parse(text).map(|id| OrganizationId(id.0));
        id.ok_or_else(|| invalid(format!("{name} must be the id of an organization.")))
    };
    texts.iter().map(id).collect()
}

/// Switches that are given.
#[derive(Default)]
struct Switches {
    sub_accounts: Option<bool>,
    tenant_release: Option<bool>,
}

fn features(value: &serde_json::Value) -> Read<Switches> {
    let wrong = || vec![Invalid::new("", "This must be an object of true and false.")];
    let members = value.as_object().ok_or_else(wrong)?;
    let mut switches = Switches::default();
    let mut errors = Vec::new();
    for (name, value) in members {
        let place = match name.as_str() {
            "sub_accounts" => &mut switches.sub_accounts,
            "tenant_release" => &mut switches.tenant_release,
            _ => {
                let pointer = format!("/{}", name.replace('~', "~0").replace('/', "~1"));
                errors.push(Invalid::new(pointer, "Features are sub_accounts and tenant_release."));
                continue;
            }
        };
        match value.as_bool() {
            Some(on) => *place = Some(on),
            None => errors.push(Invalid::new(format!("/{name}"), "This must be true or false.")),
        }
    }
    if errors.is_empty() { Ok(switches) } else { Err(errors) }
}

fn parent(value: &serde_json::Value) -> Read<OrganizationId> {
    let id = value.as_str().and_then(ResourceId::parse);
    id.map(|id| OrganizationId(id.0)).ok_or_else(|| vec![Invalid::new("", "This must be the id of an organization.")])
}

fn switch(value: &serde_json::Value) -> Read<bool> {
    value.as_bool().ok_or_else(|| vec![Invalid::new("", "This must be true or false.")])
}
