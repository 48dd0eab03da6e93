//! `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas` (RFC 7644 §4), and the lists of roles and entitlements, which are
//! discovery as well: read whole, without filter.

use actix_web::{HttpRequest, HttpResponse};

use super::error::Rejection;
use super::response;
use crate::http::extract::paging::pairs;
use crate::http::extract::scim_actor::ScimActor;
use crate::protocol::error::ScimError;
use crate::protocol::schema::offered::OfferedKind;
use crate::service::scim::discovery::{self, Published};

type Answer = Result<HttpResponse, Rejection>;

pub(super) async fn service_provider_config(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    Ok(response::document(request.headers(), published(&actor).service_provider_config.clone()))
}

pub(super) async fn resource_types(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    Ok(response::document(request.headers(), published(&actor).resource_types.clone()))
}

pub(super) async fn resource_type(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    one(&request, published(&actor).resource_type(id(&request)))
}

pub(super) async fn schemas(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    Ok(response::document(request.headers(), published(&actor).schemas.clone()))
}

pub(super) async fn schema(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    one(&request, published(&actor).schema(id(&request)))
}

pub(super) async fn roles(request: HttpRequest, actor: ScimActor) -> Answer {
    offered(&request, &actor, OfferedKind::Role)
}

pub(super) async fn role(request: HttpRequest, actor: ScimActor) -> Answer {
    offered_one(&request, &actor, OfferedKind::Role)
}

pub(super) async fn entitlements(request: HttpRequest, actor: ScimActor) -> Answer {
    offered(&request, &actor, OfferedKind::Entitlement)
}

pub(super) async fn entitlement(request: HttpRequest, actor: ScimActor) -> Answer {
    offered_one(&request, &actor, OfferedKind::Entitlement)
}

fn offered(request: &HttpRequest, actor: &ScimActor, kind: OfferedKind) -> Answer {
    let list = discovery::offered(&actor.ctx, &actor.shared.scim_base, kind)?;
    check_filter(request)?;
    Ok(response::document(request.headers(), list.to_string()))
}

fn offered_one(request: &HttpRequest, actor: &ScimActor, kind: OfferedKind) -> Answer {
    let found = discovery::offered_one(&actor.ctx, &actor.shared.scim_base, kind, id(request))?;
    Ok(response::document(request.headers(), found.to_string()))
}

fn published(actor: &ScimActor) -> &Published {
    actor.shared.documents.of(&actor.ctx.settings)
}

fn one(request: &HttpRequest, document: Option<&str>) -> Answer {
    let document = document.ok_or_else(|| ScimError::not_found(id(request)))?;
    Ok(response::document(request.headers(), document.to_owned()))
}

fn id(request: &HttpRequest) -> &str {
    request.match_info().get("id").unwrap_or_default()
}

/// RFC 7644 §4: a filter on these endpoints is 403, so that nobody takes a list for what it is not.
fn check_filter(request: &HttpRequest) -> Result<(), ScimError> {
    if pairs(request.query_string())?.iter().any(|(name, _)| name == "filter") {
        return Err(ScimError::new(403, None, "This endpoint takes no filter"));
    }
    Ok(())
}
