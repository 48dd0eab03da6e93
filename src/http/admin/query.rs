//! Query parameters, taken strictly: one that the route does not know is refused, so that a typing error never widens a list.

use std::collections::BTreeSet;
use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

use super::code::Code;
use super::problem::Problem;
use crate::http::extract::query::decode;
use crate::protocol::compare;

/// Asserts in a handler's signature that the route takes no parameters.
pub(crate) struct NoQuery;

impl FromRequest for NoQuery {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Query::of(request.query_string()).and_then(|query| query.check(&[])).map(|()| NoQuery))
    }
}

/// The decoded parameters of a query string, in their order.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    /// Decodes a query string.
    ///
    /// # Errors
    /// 400 `filter-invalid` for what is no percent-encoded UTF-8.
    pub(crate) fn of(text: &str) -> Result<Self, Problem> {
        let pairs = text.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let decoded = decode(name).zip(decode(value)).filter(|(_, value)| !value.contains('\0'));
            decoded.ok_or_else(|| invalid("A query parameter is wrongly encoded."))
        });
        Ok(Query(pairs.collect::<Result<_, _>>()?))
    }

    /// Refuses parameters that are not among these.
    ///
    /// # Errors
    /// 400 `unknown-parameter` naming them.
    pub(crate) fn check(&self, known: &[&str]) -> Result<(), Problem> {
        let unknown: BTreeSet<&str> =
            self.0.iter().map(|(name, _)| name.as_str()).filter(|name| !known.contains(name)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = unknown.iter().take(10).map(|name| format!("{name:.64}")).collect();
        let offered = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let detail = format!("There is no parameter {}. This route takes: {offered}.", names.join(", "));
        Err(Problem::new(Code::UnknownParameter, detail))
    }

    /// All values of a parameter, of which any may match.
    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(n, _)| n == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The value of a parameter that may stand once.
    ///
    /// # Errors
    /// 400 `filter-invalid` where it stands twice.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.all(name).as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(*one)),
            _ => Err(invalid(format!("{name} may stand once only."))),
        }
    }

    /// The parameters that a cursor is bound to and a link repeats.
    pub(crate) fn without<'a>(&'a self, names: &[&str]) -> Vec<(&'a str, &'a str)> {
        let kept = self.0.iter().filter(|(name, _)| !names.contains(&name.as_str()));
        kept.map(|(name, value)| (name.as_str(), value.as_str())).collect()
    }
}

/// 400 `filter-invalid`.
pub(crate) fn invalid(detail: impl Into<String>) -> Problem {
    Problem::new(Code::FilterInvalid, detail)
}

/// A time in a filter (RFC 3339), µs since 1970.
///
/// # Errors
/// 400 `filter-invalid`, also where it stands twice.
pub(crate) fn time(name: &str, values: &[&str]) -> Result<Option<i64>, Problem> {
    match values {
        [] => Ok(None),
        [one] => match compare::instant(one) {
            Some(at) => Ok(Some(at)),
            None => Err(invalid(format!("{name} must be a time such as 2027-01-31T12:00:00Z."))),
        },
        _ => Err(invalid(format!("{name} may stand once only."))),
    }
}

/// Values of a filter that takes names of a closed set.
///
/// # Errors
/// 400 `filter-invalid` naming what it takes.
pub(crate) fn named<T>(
    name: &str,
    values: &[&str],
    parse: impl Fn(&str) -> Option<T>,
    offered: &[&str],
) -> Result<Vec<T>, Problem> {
    let one = |value: &&str| parse(value).ok_or_else(|| invalid(format!("{name} takes: {}.", offered.join(", "))));
    values.iter().map(one).collect()
}
