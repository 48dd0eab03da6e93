//! Authentication of the SCIM surface: around the whole scope, before path, query and body are looked at.

use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::header::{self, HeaderMap};
use actix_web::{Error, HttpMessage as _, ResponseError as _};
use futures_util::future::LocalBoxFuture;

use super::Exchange;
use crate::http::Shared;
use crate::http::deadline::within;
use crate::http::scim::error::Rejection;
use crate::service::auth::bearer::{self, Authenticated, NotAdmitted};
use crate::service::{ServiceError, Unauthenticated};

/// Makes the layer.
pub(crate) struct Authenticate {
    shared: Arc<Shared>,
}

impl Authenticate {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Authenticate { shared }
    }
}

impl<S, B> Transform<S, ServiceRequest> for Authenticate
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Transform = AuthenticateService<S>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(AuthenticateService { service: Rc::new(service), shared: Arc::clone(&self.shared) }))
    }
}

/// The layer in one worker.
pub(crate) struct AuthenticateService<S> {
    service: Rc<S>,
    shared: Arc<Shared>,
}

impl<S, B> Service<ServiceRequest> for AuthenticateService<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse<EitherBody<B>>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    forward_ready!(service);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let (service, shared) = (Rc::clone(&self.service), Arc::clone(&self.shared));
        Box::pin(async move {
            match admit(&shared, &request).await {
                Ok(()) => Ok(service.call(request).await?.map_into_left_body()),
                Err(error) => {
                    let response = Rejection::from(error).error_response();
                    Ok(request.into_response(response.map_into_right_body()))
                }
            }
        })
    }
}

/// Lets a request in whose token is valid and within its rate.
async fn admit(shared: &Arc<Shared>, request: &ServiceRequest) -> Result<(), ServiceError> {
    let token = presented(request.headers()).map_err(ServiceError::Unauthenticated)?;
    let now = shared.state.clock.now();
    let limit = shared.state.settings.limits.handler_timeout;
    let Authenticated { caller, touch_due } =
        match within(limit, shared.bearer.authenticate(&shared.state.db, token, now)).await {
            Some(Ok(authenticated)) => authenticated,
            Some(Err(NotAdmitted { error, known })) => {
                if let (Some(exchange), Some(known)) = (request.extensions().get::<Rc<Exchange>>(), known) {
                    // Only this layer sets it, once a request.
                    _ = exchange.rejected.set(known);
                }
                return Err(error);
            }
            None => return Err(ServiceError::Unavailable("the look-up of a token takes too long".to_owned())),
        };
    if let Some(exchange) = request.extensions().get::<Rc<Exchange>>() {
        // Only this layer sets it, once a request.
        _ = exchange.caller.set(Arc::clone(&caller));
    }
    if let Some(rate_limit) = &shared.rate_limit {
        rate_limit.check(&caller.token)?;
    }
    if touch_due {
        let shared = Arc::clone(shared);
        let exchange = request.extensions().get::<Rc<Exchange>>().cloned();
        let address = exchange.and_then(|exchange| exchange.client_ip).map(|ip| ip.to_string());
        actix_web::rt::spawn(async move {
            if let Err(error) = bearer::touch(&shared.state.db, &caller, now, address).await {
                log::warn!("the use of token {} cannot be noted: {error}", caller.token);
            }
        });
    }
    Ok(())
}

/// The token of the one `Authorization` field (RFC 6750 §2.1). A token in the query or the body is no credential.
pub(crate) fn presented(headers: &HeaderMap) -> Result<&str, Unauthenticated> {
    let mut fields = headers.get_all(header::AUTHORIZATION);
    let field = fields.next().ok_or(Unauthenticated::Missing)?;
    if fields.next().is_some() {
        return Err(Unauthenticated::Invalid);
    }
    let field = field.to_str().map_err(|_| Unauthenticated::Invalid)?;
    let (scheme, token) = field.trim_start().split_once(' ').ok_or(Unauthenticated::Missing)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(Unauthenticated::Missing);
    }
    match token.trim() {
        "" => Err(Unauthenticated::Invalid),
        token => Ok(token),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn only_one_bearer_field_presents_a_token() {
        use Unauthenticated::{Invalid, Missing};
        for (fields, expected) in [
            (&[][..], Err(Missing)),
            (&["Bearer rc_st_x"], Ok("rc_st_x")),
            (&["bearer rc_st_x"], Ok("rc_st_x")),
            (&["BEARER   rc_st_x "], Ok("rc_st_x")),
            (&["Bearer"], Err(Missing)),
            (&["Bearer "], Err(Invalid)),
            (&["non-token"], Err(Missing)),
            (&["Basic eDp5"], Err(Missing)),
            (&["Bearer a", "Bearer a"], Err(Invalid)),
            (&["Bearer ä"], Err(Invalid)),
        ] {
            let mut headers = HeaderMap::new();
            for field in fields {
                headers.append(header::AUTHORIZATION, HeaderValue::from_bytes(field.as_bytes()).unwrap());
            }
            assert_eq!(presented(&headers), expected, "{fields:?}");
        }
    }
}
