//! `/ServiceProviderConfig`, `/ResourceTypes`, `/Schemas` (RFC 7644 §4).

use actix_web::{HttpRequest, HttpResponse};

use super::error::Rejection;
use super::response;
use crate::http::extract::paging::pairs;
use crate::http::extract::scim_actor::ScimActor;
use crate::protocol::error::ScimError;

type Answer = Result<HttpResponse, Rejection>;

pub(super) async fn service_provider_config(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    Ok(response::document(request.headers(), actor.shared.documents.service_provider_config.clone()))
}

pub(super) async fn resource_types(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    Ok(response::document(request.headers(), actor.shared.documents.resource_types.clone()))
}

pub(super) async fn resource_type(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    one(&request, actor.shared.documents.resource_type(id(&request)))
}

pub(super) async fn schemas(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    Ok(response::document(request.headers(), actor.shared.documents.schemas.clone()))
}

pub(super) async fn schema(request: HttpRequest, actor: ScimActor) -> Answer {
    check_filter(&request)?;
    one(&request, actor.shared.documents.schema(id(&request)))
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
