//! The first argument of every handler: the caller, whose roles permit what the type names, and the media type of the answer.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpRequest};

use super::code::Code;
use super::problem::Problem;
use crate::domain::permission::Permission;
use crate::http::Shared;
use crate::http::middleware::Exchange;
use crate::service::admin::Caller;

/// Names a permission in a handler's signature.
pub(crate) trait Needs {
    /// What the caller's roles must permit.
    const PERMISSION: Permission;
    /// What they must permit besides.
    const ALSO: Option<Permission> = None;
}

/// Both together.
impl<A: Needs, B: Needs> Needs for (A, B) {
    const PERMISSION: Permission = A::PERMISSION;
    const ALSO: Option<Permission> = Some(B::PERMISSION);
}

macro_rules! needs {
    ($($name:ident)*) => {$(
        #[doc = concat!("`Permission::", stringify!($name), "`")]
        pub(crate) struct $name;
        impl Needs for $name {
            const PERMISSION: Permission = Permission::$name;
        }
    )*};
}
needs! {
    AdoptionsWrite
    ApiKeysRead
    ApiKeysWrite
    AuditRead
    ConnectionsRead
    ConnectionsWrite
    GroupsRead
    GroupsWrite
    OrganizationRead
    ProvisioningLogRead
    RolesRead
    ScimTokensWrite
    SecurityRead
    SecurityWrite
    SubAccountsRead
    SubAccountsWrite
    UsersDelete
    UsersInvite
    UsersRead
    UsersWrite
}

/// A media type that a route answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// `application/json`
    Json,
    /// `text/csv`
    Csv,
    /// `application/x-ndjson`
    Ndjson,
}

impl Format {
    /// The media type without parameters.
    pub(super) fn essence(self) -> &'static str {
        match self {
            Format::Json => "application/json",
            Format::Csv => "text/csv",
            Format::Ndjson => "application/x-ndjson",
        }
    }
}

/// Media types of a route, the preferred one first.
pub(crate) trait Formats {
    /// At least one.
    const OFFERED: &'static [Format];
}

/// JSON alone.
pub(crate) struct Json;
impl Formats for Json {
    const OFFERED: &'static [Format] = &[Format::Json];
}

/// Lists that can be exported.
pub(crate) struct Exports;
impl Formats for Exports {
    const OFFERED: &'static [Format] = &[Format::Json, Format::Csv, Format::Ndjson];
}

/// A caller who may do what `N` names, on a route that answers in one of `F`.
pub(crate) struct Granted<N, F = Json> {
    /// Tenant, doer, roles.
    pub(crate) caller: Arc<Caller>,
    /// Database, settings.
    pub(crate) shared: Arc<Shared>,
    /// What the answer is to be.
    pub(crate) format: Format,
    names: PhantomData<(N, F)>,
}

impl<N: Needs, F: Formats> FromRequest for Granted<N, F> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(admit(request, [Some(N::PERMISSION), N::ALSO], F::OFFERED).map(|(caller, shared, format)| Granted {
            caller,
            shared,
            format,
            names: PhantomData,
        }))
    }
}

/// Not generic, so that it is compiled once.
fn admit(
    request: &HttpRequest,
    permissions: [Option<Permission>; 2],
    offered: &[Format],
) -> Result<(Arc<Caller>, Arc<Shared>, Format), Problem> {
    let exchange = Exchange::of(request);
    let exchange = exchange.ok_or_else(|| Problem::internal("a request outside of the edge"))?;
    let caller = exchange.admin_caller.get();
    let caller = caller.ok_or_else(|| Problem::internal("a handler outside of the surface's authentication"))?;
    if let Some(missing) = permissions.into_iter().flatten().find(|permission| !caller.may(*permission)) {
        return Err(Problem::permission_denied(missing));
    }
    let format = negotiate(request.headers(), offered).ok_or_else(|| {
        let offered: Vec<_> = offered.iter().map(|format| format.essence()).collect();
        Problem::new(Code::NotAcceptable, format!("This route answers {}.", offered.join(", ")))
    })?;
    Ok((Arc::clone(caller), Arc::clone(&exchange.shared), format))
}

/// The offered type that `Accept` likes best (RFC 9110 §12.5.1); the first offered of several, or where nothing is said.
fn negotiate(headers: &HeaderMap, offered: &[Format]) -> Option<Format> {
    let fields: Vec<&str> = headers.get_all(header::ACCEPT).filter_map(|field| field.to_str().ok()).collect();
    if fields.iter().all(|field| field.trim().is_empty()) {
        return offered.first().copied();
    }
    let ranges: Vec<(&str, f32)> = fields.iter().flat_map(|field| field.split(',')).map(range).collect();
    let mut best: Option<(Format, f32)> = None;
    for format in offered {
        let quality = quality(format.essence(), &ranges);
        if quality > best.map_or(0.0, |(_, best)| best) {
            best = Some((*format, quality));
        }
    }
    best.map(|(format, _)| format)
}

fn range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';');
    let range = parts.next().unwrap_or_default().trim();
    let quality = parts.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        if name.trim().eq_ignore_ascii_case("q") { value.trim().parse().ok() } else { None }
    });
    (range, quality.unwrap_or(1.0))
}

/// The quality of the most specific range that matches.
fn quality(essence: &str, ranges: &[(&str, f32)]) -> f32 {
    let kind = essence.split_once('/').map_or("", |(kind, _)| kind);
    let of = |matches: &dyn Fn(&str) -> bool| ranges.iter().find(|(range, _)| matches(range)).map(|(_, q)| *q);
    of(&|range| range.eq_ignore_ascii_case(essence))
        .or_else(|| of(&|range| range.strip_suffix("/*").is_some_and(|of| of.eq_ignore_ascii_case(kind))))
        .or_else(|| of(&|range| range == "*/*"))
        .unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    #[test]
    fn the_answer_is_what_accept_likes_best() {
        use Format::{Csv, Json, Ndjson};
        for (accept, exports, json) in [
            (None, Some(Json), Some(Json)),
            (Some(""), Some(Json), Some(Json)),
            (Some("*/*"), Some(Json), Some(Json)),
            (Some("application/json"), Some(Json), Some(Json)),
            (Some("text/csv"), Some(Csv), None),
            (Some("Text/CSV; charset=utf-8"), Some(Csv), None),
            (Some("application/x-ndjson, application/json;q=0.5"), Some(Ndjson), Some(Json)),
            (Some("text/*, */*;q=0.1"), Some(Csv), Some(Json)),
            (Some("application/*"), Some(Json), Some(Json)),
            (Some("application/json;q=0, */*"), Some(Csv), None),
            (Some("text/html"), None, None),
        ] {
            let mut headers = HeaderMap::new();
            if let Some(accept) = accept {
                headers.insert(header::ACCEPT, HeaderValue::from_str(accept).unwrap());
            }
            assert_eq!(negotiate(&headers, Exports::OFFERED), exports, "{accept:?}");
            assert_eq!(negotiate(&headers, super::Json::OFFERED), json, "{accept:?}");
        }
    }
}
