//! What every deed of an operator brings: a reason.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;

use crate::domain::operator::check_reason;
use crate::http::admin::form::{Form, Read, text};
use crate::http::admin::problem::Problem;
use crate::http::admin::query::Query;
use crate::service::admin::Invalid;

/// Reads the member `reason`, which every deed needs.
pub(super) fn reason(form: &mut Form<'_>) -> String {
    form.required("reason", checked)
}

fn checked(value: &Value) -> Read<String> {
    let reason = text(value)?;
    match check_reason(&reason) {
        Ok(()) => Ok(reason.trim().to_owned()),
        Err(detail) => Err(vec![Invalid::new("", detail)]),
    }
}

/// The query of a DELETE: not every client sends it a body, so the reason may stand here too.
pub(super) struct DeleteQuery {
    reason: Option<String>,
    /// Of a person: what becomes of them.
    pub(super) mode: Option<String>,
}

/// A DELETE without modes.
pub(super) struct PlainDelete(DeleteQuery);

impl FromRequest for DeleteQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request, &["mode", "reason"]))
    }
}

impl FromRequest for PlainDelete {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request, &["reason"]).map(PlainDelete))
    }
}

fn read(request: &HttpRequest, known: &[&str]) -> Result<DeleteQuery, Problem> {
    let query = Query::of(request.query_string())?;
    query.check(known)?;
    let one = |name: &str| query.one(name).map(|value| value.map(str::to_owned));
    Ok(DeleteQuery { reason: one("reason")?, mode: one("mode")? })
}

impl DeleteQuery {
    /// The reason of the body, else that of the query.
    ///
    /// # Errors
    /// 422.
    pub(super) fn reason(&self, body: &Value) -> Result<String, Problem> {
        let mut form = Form::of(body)?;
        let given = form.optional("reason", checked);
        form.done()?;
        match (given, &self.reason) {
            (Some(reason), _) => Ok(reason),
            (None, Some(reason)) => checked(&Value::from(reason.as_str())).map_err(at_reason),
            (None, None) => {
                Err(Problem::validation(vec![Invalid::new("/reason", "reason is required, in the body or the query.")]))
            }
        }
    }
}

impl PlainDelete {
    /// As of `DeleteQuery`.
    ///
    /// # Errors
    /// 422.
    pub(super) fn reason(&self, body: &Value) -> Result<String, Problem> {
        self.0.reason(body)
    }
}

fn at_reason(errors: Vec<Invalid>) -> Problem {
    Problem::validation(errors.into_iter().map(|error| Invalid::new("/reason", error.detail)).collect())
}
