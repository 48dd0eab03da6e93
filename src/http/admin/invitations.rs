//! `/invitations`: people who are to join, by a link that an Admin passes on.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::{Map, Value};

use super::body::{JsonBody, NoBodyNeeded};
use super::choice::{DeliveryChoice, InvitationStateFilter, RoleKey};
use super::form::{Form, Read, text, texts};
use super::granted::{Granted, UsersInvite};
use super::idempotency::HoldsSecret;
use super::list::{ListParameters, ListQuery, Listing, PageView};
use super::path::PathId;
use super::problem::Problem;
use super::query::{NoQuery, invalid};
use super::{single, timed};
use crate::domain::ids::ResourceId;
use crate::domain::invitation::InvitationState;
use crate::domain::permission::Role;
use crate::http::Shared;
use crate::http::extract::conditions::RequestConditions;
use crate::protocol::compare;
use crate::protocol::splice::date_time;
use crate::service::admin::Invalid;
use crate::service::admin::invitations::{
    self, CreateInvitations, Delivery, Invitation, InvitationFilter, Outcome, Sent,
};
use crate::service::scim::resources::Conditions;

/// What the list of invitations offers.
pub(crate) struct InvitationList;

impl Listing for InvitationList {
    const FILTERS: &'static [&'static str] = &["q", "state"];
    const SORTS: &'static [&'static str] = &["created_at", "email", "expires_at"];
}

/// A group in short.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = InvitationGroup)]
pub(crate) struct InvitationGroupView {
    id: String,
    name: String,
}

/// An invitation.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Invitation)]
pub(crate) struct InvitationView {
    id: String,
    email: String,
    /// The person, who is among the users with the status `invited`.
    user_id: String,
    /// `pending`, `expired`, `accepted` or `revoked`.
    state: &'static str,
    /// `link`: an Admin passes the link on.
    delivery: String,
    message: String,
    /// Keys of the roles that were given to the person.
    roles: Vec<&'static str>,
    groups: Vec<InvitationGroupView>,
    invited_by: String,
    #[schema(format = DateTime)]
    created_at: String,
    /// When the present link was made.
    #[schema(format = DateTime)]
    sent_at: String,
    #[schema(format = DateTime)]
    expires_at: String,
    /// When it was accepted or withdrawn.
    #[schema(format = DateTime)]
    ended_at: Option<String>,
}

/// An invitation with its new link.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = SentInvitation)]
pub(crate) struct SentView {
    #[serde(flatten)]
    invitation: InvitationView,
    /// The link, shown this once and only to Admins; null for all others.
    link: Option<String>,
}

/// What became of an address.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = InvitationResult)]
pub(crate) struct ResultView {
    email: String,
    /// `invited`, `renewed` or `refused`.
    outcome: &'static str,
    invitation: Option<InvitationView>,
    /// The link, shown this once and only to Admins.
    link: Option<String>,
    /// Why not; as the body of an error.
    #[schema(value_type = Option<Object>)]
    problem: Option<Map<String, Value>>,
}

/// What became of each address.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = InvitationResults)]
pub(crate) struct ResultsView {
    /// In the order of the addresses.
    results: Vec<ResultView>,
    done: usize,
    refused: usize,
}

/// Invitations, a page of them.
#[derive(utoipa::ToSchema)]
#[schema(as = InvitationPage)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct InvitationPageView {
    data: Vec<InvitationView>,
    page: PageView,
}

/// People to invite.
#[derive(utoipa::ToSchema)]
#[schema(as = CreateInvitations)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct CreateBody {
    #[schema(min_items = 1, max_items = 50)]
    emails: Vec<String>,
    /// Keys of roles that all of them get.
    #[schema(min_items = 1)]
    roles: Vec<RoleKey>,
    /// Ids of groups of the organization that all of them come into.
    #[schema(max_items = 20)]
    groups: Option<Vec<String>>,
    #[schema(max_length = 500)]
    message: Option<String>,
    delivery: DeliveryChoice,
}

impl InvitationView {
    fn of(invitation: &Invitation) -> Self {
        let Invitation { record, state, roles, groups } = invitation;
        InvitationView {
            id: record.id.to_string(),
            email: record.email.clone(),
            user_id: record.user.to_string(),
            state: state.key(),
            delivery: record.delivery.clone(),
            message: record.message.clone(),
            roles: roles.iter().map(Role::key).collect(),
            groups: groups
                .iter()
                .map(|group| InvitationGroupView { id: group.id.to_string(), name: group.name.clone() })
                .collect(),
            invited_by: record.created_by.clone(),
            created_at: date_time(record.created),
            sent_at: date_time(record.sent_at),
            expires_at: date_time(record.expires_at),
            ended_at: record.ended_at.map(date_time),
        }
    }
}

fn url(shared: &Shared, sent: &Sent) -> Option<String> {
    sent.secret.as_ref().map(|secret| format!("{}/invite/{secret}", shared.state.settings.public_url))
}

/// Invitations, the open ones and those that have ended.
#[utoipa::path(
    get, path = "/invitations", tag = "Invitations", operation_id = "list_invitations",
    params(
        ListParameters,
        ("q" = Option<Vec<String>>, Query, description = "Invitations to addresses that hold this text, letter case aside"),
        ("state" = Option<Vec<InvitationStateFilter>>, Query, description = "pending, expired, accepted or revoked"),
    ),
    responses((status = 200, description = "Invitations", body = InvitationPageView))
)]
pub(super) async fn list(
    granted: Granted<UsersInvite>,
    query: ListQuery<InvitationList>,
) -> Result<HttpResponse, Problem> {
    let mut filter = InvitationFilter {
        addresses: query.filter("q").into_iter().map(|text| compare::fold(text).into_owned()).collect(),
        ..InvitationFilter::default()
    };
    for text in query.filter("state") {
        let state = InvitationState::parse(text);
        filter.states.push(state.ok_or_else(|| invalid("state must be pending, expired, accepted or revoked."))?);
    }
    let shared = &granted.shared;
    let page = timed(shared, invitations::list(&granted.caller, &shared.state.db, &filter, &query.page)).await?;
    Ok(query.answer(page, InvitationView::of))
}

/// Invites people. Each address has its own outcome; links are in the answer, this once, for Admins.
#[utoipa::path(
    post, path = "/invitations", tag = "Invitations", operation_id = "create_invitations",
    request_body = CreateBody,
    responses((status = 200, description = "What became of each address", body = ResultsView))
)]
pub(super) async fn create(granted: Granted<UsersInvite>, _: NoQuery, body: JsonBody) -> Result<HttpResponse, Problem> {
    let (shared, caller) = (&granted.shared, &granted.caller);
    let mut form = Form::of(&body.0)?;
    let new = CreateInvitations {
        emails: form.required("emails", texts),
        roles: form.required("roles", texts),
        groups: form.optional("groups", texts).unwrap_or_default(),
        message: form.optional("message", text).unwrap_or_default(),
        delivery: form.required("delivery", delivery),
    };
    form.done()?;
    let outcomes = timed(shared, invitations::create(caller, &shared.state.db, new)).await?;
    let results: Vec<ResultView> = outcomes
        .into_iter()
        .map(|Outcome { email, result }| match result {
            Ok((sent, is_renewed)) => ResultView {
                email,
                outcome: if is_renewed { "renewed" } else { "invited" },
                invitation: Some(InvitationView::of(&sent.invitation)),
                link: url(shared, &sent),
                problem: None,
            },
            Err(refused) => {
                let problem = Problem::from(refused).body(&shared.state.settings.public_url, &caller.request_id);
                ResultView { email, outcome: "refused", invitation: None, link: None, problem: Some(problem) }
            }
        })
        .collect();
    let done = results.iter().filter(|result| result.problem.is_none()).count();
    let holds_secret = results.iter().any(|result| result.link.is_some());
    Ok(answer(ResultsView { done, refused: results.len() - done, results }, holds_secret))
}

/// Makes a new link; the one before is dead. It is in the answer, this once, for Admins.
#[utoipa::path(
    post, path = "/invitations/{id}/resend", tag = "Invitations", operation_id = "resend_invitation",
    params(("id" = String, Path, description = "Id of the invitation")),
    responses((status = 200, description = "The invitation with its new link", body = SentView))
)]
pub(super) async fn resend(
    granted: Granted<UsersInvite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
    body: NoBodyNeeded,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, expected) = (ResourceId(id.0), expected(&granted, id, &conditions.0).await?);
    Form::of(&body.0)?.done()?;
    let sent = timed(shared, invitations::resend(&granted.caller, &shared.state.db, id, expected)).await?;
    let link = url(shared, &sent);
    let holds_secret = link.is_some();
    Ok(answer(SentView { invitation: InvitationView::of(&sent.invitation), link }, holds_secret))
}

/// Withdraws an invitation; the person who has not joined is gone.
#[utoipa::path(
    delete, path = "/invitations/{id}", tag = "Invitations", operation_id = "withdraw_invitation",
    params(("id" = String, Path, description = "Id of the invitation")),
    responses((status = 204, description = "It is withdrawn"))
)]
pub(super) async fn withdraw(
    granted: Granted<UsersInvite>,
    id: PathId,
    conditions: RequestConditions,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let shared = &granted.shared;
    let (id, expected) = (ResourceId(id.0), expected(&granted, id, &conditions.0).await?);
    timed(shared, invitations::withdraw(&granted.caller, &shared.state.db, id, expected)).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Judges existence and conditions before the body is; answers the version that a write must find, where the client insists
/// on one.
async fn expected(granted: &Granted<UsersInvite>, id: PathId, conditions: &Conditions) -> Result<Option<i64>, Problem> {
    let shared = &granted.shared;
    let version = timed(shared, invitations::version(&granted.caller, &shared.state.db, ResourceId(id.0))).await?;
    single::expected(conditions, version)
}

fn answer(view: impl Serialize, holds_secret: bool) -> HttpResponse {
    let mut response = HttpResponse::build(StatusCode::OK).json(view);
    if holds_secret {
        response.extensions_mut().insert(HoldsSecret);
    }
    response
}

fn delivery(value: &Value) -> Read<Delivery> {
    match value.as_str() {
        Some("link") => Ok(Delivery::Link),
        _ => Err(vec![Invalid::new("", "This must be link: an Admin passes the link on. There is no mail yet.")]),
    }
}
