//! `/organizations/{id}/users`: people of any organization, whoever manages them.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Value, json};

use super::deed::{DeleteQuery, reason};
use super::granted::{Granted, Reads, Writes};
use super::organizations::Named;
use crate::domain::ids::{OrganizationId, ResourceId};
use crate::http::Shared;
use crate::http::admin::body::{JsonBody, NoBodyNeeded};
use crate::http::admin::form::Form;
use crate::http::admin::list::{ListQuery, Listing};
use crate::http::admin::path::{PathId, named};
use crate::http::admin::problem::Problem;
use crate::http::admin::query::{NoQuery, invalid};
use crate::http::admin::users::view::UserView;
use crate::http::admin::users::{UserList, wanted};
use crate::http::admin::{single, timed};
use crate::http::extract::conditions::RequestConditions;
use crate::service::admin::users::{User, order};
use crate::service::backoffice::leavers::{self, Mode};
use crate::service::backoffice::tenants::{self, OrganizationRecord};
use crate::service::backoffice::{Operator, people};
use crate::service::scim::resources::Conditions;
use crate::service::{ServiceError, admin};

/// Longest text that is searched for, in characters.
const TEXT: usize = 200;

/// `{id}` and `{uid}` of a path.
#[derive(Debug, Clone, Copy)]
pub(super) struct Person {
    pub(super) organization: OrganizationId,
    pub(super) user: ResourceId,
}

impl FromRequest for Person {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let ids = named(request, "id").and_then(|organization| Ok((organization, named(request, "uid")?)));
        ready(
            ids.map(|(organization, user)| Person {
                organization: OrganizationId(organization),
                user: ResourceId(user),
            }),
        )
    }
}

/// What the list of an organization's people offers: what the admin API's does.
pub(super) type People = UserList;

/// What the search over all organizations offers.
pub(super) struct Search;

impl Listing for Search {
    const FILTERS: &'static [&'static str] = &["q"];
    /// Organization by organization, in each by creation.
    const SORTS: &'static [&'static str] = &["created_at"];
}

/// A person as the admin API shows them, with their organization, and with what an operator may do.
fn view(user: &User, organization: &OrganizationRecord) -> Value {
    let mut view = json!(UserView::of(user));
    if let Some(members) = view.as_object_mut() {
        let mut actions: Vec<&str> = Mode::ALL.map(Mode::key).to_vec();
        if user.manager.is_some() {
            actions.push("release");
        }
        members.insert("allowed_actions".to_owned(), json!(actions));
        members.insert("organization".to_owned(), json!(Named::of(organization)));
    }
    view
}

/// People of all organizations by `q`: part of a name, user name or e-mail. A page may be short though others follow.
pub(super) async fn search(granted: Granted<Reads>, query: ListQuery<Search>) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let texts: Vec<String> = query.filter("q").into_iter().map(str::to_owned).collect();
    if texts.is_empty() || texts.iter().any(|text| text.trim().is_empty() || text.chars().count() > TEXT) {
        return Err(invalid(format!("q is required, with 1 to {TEXT} characters.")));
    }
    if query.page.include_total || query.page.sort.iter().any(|sort| sort.descending) {
        return Err(invalid("This list goes from organization to organization: it has no total and no other order."));
    }
    let found = people::search(&granted.operator, &shared.state.db, texts, &query.page);
    let page = timed(shared, found).await?;
    Ok(query.answer(page, |(user, organization)| view(user, organization)))
}

/// The people of an organization, with the filters of the admin API.
pub(super) async fn list(
    granted: Granted<Reads>,
    id: PathId,
    query: ListQuery<People>,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (db, id) = (&shared.state.db, OrganizationId(id.0));
    let organization = timed(shared, tenants::get(db, id)).await?;
    let wanted = wanted(&query)?;
    if order(&query.page.sort).is_none() {
        return Err(invalid("sort takes status and managed_by first, then at most one of the others."));
    }
    let caller = granted.operator.within(id);
    let page = timed(shared, admin::users::list(&caller, db, &wanted, &query.page)).await?;
    Ok(query.answer(page, |user| view(user, &organization)))
}

/// One of them.
pub(super) async fn get(
    granted: Granted<Reads>,
    person: Person,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let (user, organization) = find(&granted.operator, &granted.shared, &person).await?;
    single::read(&conditions.0, user.version(), view(&user, &organization))
}

async fn find(operator: &Operator, shared: &Shared, person: &Person) -> Result<(User, OrganizationRecord), Problem> {
    let db = &shared.state.db;
    let organization = timed(shared, tenants::get(db, person.organization)).await?;
    let user = timed(shared, admin::users::get(&operator.within(organization.id), db, person.user)).await?;
    Ok((user, organization))
}

/// Takes a person from the directory that manages them: local from now on, and suspended.
pub(super) async fn release(
    granted: Granted<Writes>,
    person: Person,
    conditions: RequestConditions,
    _: NoQuery,
    body: JsonBody,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (found, _) = find(&granted.operator, shared, &person).await?;
    let expected = single::expected(&conditions.0, found.version())?;
    let mut form = Form::of(&body.0)?;
    let ctx = granted.operator.ctx(reason(&mut form));
    form.done()?;
    let Person { organization, user } = person;
    timed(shared, people::release(&ctx, &shared.state.db, organization, user, expected)).await?;
    let (user, organization) = find(&granted.operator, shared, &person).await?;
    single::read(&Conditions::default(), user.version(), view(&user, &organization))
}

/// What a deletion came to.
#[derive(Serialize)]
struct DeletedView {
    id: String,
    mode: &'static str,
    /// With mode `block`: its id.
    block: Option<String>,
    /// With mode `erase`: the job that takes the person out of the logs.
    job: Option<String>,
    next_sync_effect: String,
}

/// Deletes a person: `mode` is `remove` where it is not given.
pub(super) async fn delete(
    granted: Granted<Writes>,
    person: Person,
    query: DeleteQuery,
    conditions: RequestConditions,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let db = &shared.state.db;
    let mode = query.mode.as_deref().map_or(Some(Mode::Remove), Mode::parse);
    let mode = mode.ok_or_else(|| invalid("mode is remove, block or erase."))?;
    let Person { organization, user } = person;
    let found = timed(shared, leavers::load(db, organization, user, mode)).await?;
    conditions.0.check(found.version).map_err(ServiceError::Scim)?;
    let ctx = granted.operator.ctx(query.reason(&body.0)?);
    if mode == Mode::Erase {
        // What waits to be logged would be written afterwards.
        shared.state.provisioning_log.flush().await;
    }
    let deleted = timed(shared, leavers::delete(&ctx, db, organization, user, mode)).await?;
    shared.state.jobs.wake();
    // Tokens remember for a moment that nobody is blocked.
    shared.bearer.forget(organization);
    Ok(HttpResponse::Ok().json(DeletedView {
        id: user.to_string(),
        mode: mode.key(),
        block: deleted.block.map(|id| id.to_string()),
        job: deleted.job.map(|id| id.to_string()),
        next_sync_effect: deleted.next_sync_effect,
    }))
}
