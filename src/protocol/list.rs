//! Paging and sorting parameters of a search (RFC 7644 §3.4.2, §3.4.3), from a query string or a SearchRequest body.
//! Names are taken in any letter case: a `Filter=` that was ignored would answer with everyone.

use serde_json::Value;

use super::error::ScimError;
use super::filter::{BoundFilter, bind, foreign, parse};
use super::policy::{Limits, Policy};
use super::projection::Projection;
use super::schema::{Kind, Resolved, ResourceType, Returned};
use super::urn;

/// `sortBy` and `sortOrder`.
#[derive(Debug, Clone, PartialEq)]
pub struct Sort {
    /// What to sort by; never a complex attribute.
    pub by: Resolved,
    /// `descending`
    pub descending: bool,
}

/// A search, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Filter, bound.
    pub filter: Option<BoundFilter>,
    /// The canonical text of the filter (`Filter` printed back), for cache keys.
    pub filter_text: Option<String>,
    /// Sort; `None` is by id.
    pub sort: Option<Sort>,
    /// 1-based, at least 1.
    pub start_index: u64,
    /// 0 to the page limit.
    pub count: u64,
    /// What each resource shows.
    pub projection: Projection,
}

/// Where each parameter stands in `Given`.
const NAMES: [&str; 7] = ["filter", "sortBy", "sortOrder", "startIndex", "count", "attributes", "excludedAttributes"];

/// Each parameter's text, at most once.
#[derive(Clone, Default)]
struct Given([Option<String>; NAMES.len()]);

impl Query {
    /// From decoded query parameters; unknown ones are ignored (R37).
    ///
    /// # Errors
    /// 400 `invalidFilter`, `invalidValue` (a parameter twice, not a number, unknown sort attribute or order).
    pub fn from_parameters(pairs: &[(String, String)], rt: &ResourceType, policy: &Policy) -> Result<Self, ScimError> {
        let mut given = Given::default();
        for (name, value) in pairs {
            given.put(name, || Ok(Some(value.clone())))?;
        }
        given.understand(rt, policy)
    }

    /// From the body of `POST …/.search` (RFC 7644 §3.4.3).
    ///
    /// # Errors
    /// As `from_parameters`, and 400 `invalidSyntax`.
    pub fn from_body(body: Value, rt: &ResourceType, policy: &Policy) -> Result<Self, ScimError> {
        Given::from_body(body)?.understand(rt, policy)
    }

    /// From the body of `POST /.search`, for each of the types: an attribute that only some of them have counts as
    /// absent in the others (RFC 7644 §3.4.2.1), one that none has is refused.
    ///
    /// # Errors
    /// As `from_body`.
    pub fn across(body: Value, types: &[&ResourceType], policy: &Policy) -> Result<Vec<Self>, ScimError> {
        let given = Given::from_body(body)?;
        let alone: Vec<_> = types.iter().map(|rt| given.clone().understand(rt, policy)).collect();
        if alone.iter().all(Result::is_err) {
            return alone.into_iter().collect();
        }
        types
            .iter()
            .zip(alone)
            .map(|(rt, alone)| alone.or_else(|_| given.clone().understand_partly(rt, policy)))
            .collect()
    }
}

impl Given {
    fn from_body(body: Value) -> Result<Self, ScimError> {
        let Value::Object(body) = body else {
            return Err(ScimError::invalid_syntax("The body must be a JSON object"));
        };
        let mut given = Given::default();
        let mut is_search = false;
        for (name, value) in body {
            if name.eq_ignore_ascii_case("schemas") {
                is_search = names_search_request(&value);
            } else {
                given.put(&name, || text(&name, value))?;
            }
        }
        if !is_search {
            return Err(ScimError::invalid_syntax(format!("`schemas` must hold \"{}\"", urn::SEARCH_REQUEST)));
        }
        Ok(given)
    }

    fn put(&mut self, name: &str, value: impl FnOnce() -> Result<Option<String>, ScimError>) -> Result<(), ScimError> {
        let place = NAMES.iter().zip(&mut self.0).find(|(known, _)| known.eq_ignore_ascii_case(name));
        let Some((known, slot)) = place else { return Ok(()) };
        if slot.is_some() {
            return Err(ScimError::invalid_value(format!("`{known}` is given twice")));
        }
        *slot = value()?;
        Ok(())
    }

    /// For a type that lacks some of the attributes named.
    fn understand_partly(mut self, rt: &ResourceType, policy: &Policy) -> Result<Query, ScimError> {
        let [filter, sort_by, ..] = &mut self.0;
        if let Some(text) = filter {
            let read = foreign::absent_where_unknown(&parse::parse(text, &policy.limits)?, rt, policy);
            *text = read.to_string();
        }
        if sort_by.as_deref().is_some_and(|by| rt.resolve_path(by.trim()).is_none()) {
            *sort_by = None;
        }
        self.understand(rt, policy)
    }

    fn understand(self, rt: &ResourceType, policy: &Policy) -> Result<Query, ScimError> {
        let [filter, sort_by, sort_order, start_index, count, attributes, excluded] = self.0;
        let filter = filter.map(|text| parse::parse(&text, &policy.limits)).transpose()?;
        Ok(Query {
            filter_text: filter.as_ref().map(ToString::to_string),
            filter: filter.map(|filter| bind::bind(&filter, rt, policy)).transpose()?,
            sort: sort(rt, sort_by.as_deref(), sort_order.as_deref())?,
            start_index: start(start_index.as_deref())?,
            count: page(count.as_deref(), &policy.limits)?,
            projection: Projection::parse(rt, attributes.as_deref(), excluded.as_deref())?,
        })
    }
}

fn names_search_request(schemas: &Value) -> bool {
    let urns = schemas.as_array().map(Vec::as_slice).unwrap_or_default();
    urns.iter().filter_map(Value::as_str).any(|urn| urn.eq_ignore_ascii_case(urn::SEARCH_REQUEST))
}

/// A member of a SearchRequest as the query parameter would spell it.
fn text(name: &str, value: Value) -> Result<Option<String>, ScimError> {
    let wrong = || ScimError::invalid_value(format!("`{name}` has a value of the wrong type"));
    let names = ["attributes", "excludedAttributes"].iter().any(|n| n.eq_ignore_ascii_case(name));
    let numeric = ["startIndex", "count"].iter().any(|n| n.eq_ignore_ascii_case(name));
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        Value::Number(number) if numeric => Ok(Some(number.to_string())),
        Value::Array(items) if names => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Ok(Some(items.ok_or_else(wrong)?.join(",")))
        }
        _ => Err(wrong()),
    }
}

fn sort(rt: &ResourceType, by: Option<&str>, order: Option<&str>) -> Result<Option<Sort>, ScimError> {
    let descending = match order {
        None => false,
        Some(order) if order.eq_ignore_ascii_case("ascending") => false,
        Some(order) if order.eq_ignore_ascii_case("descending") => true,
        Some(_) => return Err(ScimError::invalid_value("`sortOrder` must be `ascending` or `descending`")),
    };
    let Some(by) = by else { return Ok(None) };
    let unknown =
        || ScimError::invalid_value("`sortBy` names no attribute of this resource type that may be sorted by");
    let mut by = rt.resolve_path(by.trim()).ok_or_else(unknown)?;
    if by.kind == Kind::Complex && by.sub.is_none() {
        // RFC 7644 §3.4.2.3 wants a sub-attribute; the significant one is the only sensible reading without it.
        by = rt.resolve(by.extension.as_deref(), &by.name, Some("value")).ok_or_else(|| {
            ScimError::invalid_value("`sortBy` names a complex attribute: name one of its sub-attributes")
        })?;
    }
    if by.returned == Returned::Never {
        return Err(unknown());
    }
    Ok(Some(Sort { by, descending }))
}

fn start(text: Option<&str>) -> Result<u64, ScimError> {
    let number = text.map(|text| integer("startIndex", text)).transpose()?;
    Ok(number.map_or(1, |n| u64::try_from(n).unwrap_or_default().max(1)))
}

fn page(text: Option<&str>, limits: &Limits) -> Result<u64, ScimError> {
    let most = u64::try_from(limits.page_most).unwrap_or(u64::MAX);
    let default = u64::try_from(limits.page_default).unwrap_or(u64::MAX);
    let number = text.map(|text| integer("count", text)).transpose()?;
    Ok(number.map_or(default, |n| u64::try_from(n).unwrap_or_default()).min(most))
}

/// An integer of any size, as near to it as `i64` comes.
fn integer(name: &str, text: &str) -> Result<i64, ScimError> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ScimError::invalid_value(format!("`{name}` must be an integer")));
    }
    let saturated = if text.starts_with('-') { i64::MIN } else { i64::MAX };
    Ok(text.parse().unwrap_or(saturated))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::error::ScimType;
    use crate::protocol::schema::Registry;
    use serde_json::json;

    fn query(parameters: &[(&str, &str)]) -> Result<Query, ScimError> {
        let pairs: Vec<_> = parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Query::from_parameters(&pairs, &Registry::builtin().user, &Policy::default())
    }

    fn search(body: Value) -> Result<Query, ScimError> {
        Query::from_body(body, &Registry::builtin().user, &Policy::default())
    }

    #[test]
    fn pages_are_clamped() {
        let cases = [
            (None, None, 1, 100),
            (Some("1"), Some("1"), 1, 1),
            (Some("0"), Some("0"), 1, 0),
            (Some("-5"), Some("-1"), 1, 0),
            (Some("11"), Some("200"), 11, 200),
            (Some(" 7 "), Some("201"), 7, 200),
            (Some("99999999999999999999"), Some("99999999999999999999"), i64::MAX as u64, 200),
            (Some("-99999999999999999999"), Some("-99999999999999999999"), 1, 0),
        ];
        for (start, count, start_index, shown) in cases {
            let pairs: Vec<_> =
                [("startIndex", start), ("count", count)].into_iter().filter_map(|(n, v)| Some((n, v?))).collect();
            let query = query(&pairs).unwrap();
            assert_eq!((query.start_index, query.count), (start_index, shown), "{pairs:?}");
        }
    }

    #[test]
    fn unknown_parameters_change_nothing() {
        assert_eq!(query(&[("", ""), ("aadOptscim062020", ""), ("cursor ", "x")]), query(&[]));
    }

    #[test]
    fn sorting_takes_any_attribute_that_is_returned() {
        let enterprise = format!("{}:manager", urn::ENTERPRISE_USER);
        let canonical = format!("{enterprise}.value");
        let cases = [
            ("USERNAME", None, "userName", false),
            ("name.familyName", Some("Descending"), "name.familyName", true),
            ("emails", Some("ASCENDING"), "emails.value", false),
            ("meta.lastModified", Some("descending"), "meta.lastModified", true),
            ("active", None, "active", false),
            ("id", None, "id", false),
            (&enterprise, None, &canonical, false),
        ];
        for (by, order, path, descending) in cases {
            let mut pairs = vec![("sortBy", by)];
            pairs.extend(order.map(|o| ("sortOrder", o)));
            let sort = query(&pairs).unwrap().sort.unwrap();
            assert_eq!((sort.by.path().as_str(), sort.descending), (path, descending), "{by}");
        }
        assert_eq!(query(&[("sortOrder", "descending")]).unwrap().sort, None);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        let cases: &[(&[(&str, &str)], ScimType)] = &[
            (&[("startIndex", "x")], ScimType::InvalidValue),
            (&[("startIndex", "")], ScimType::InvalidValue),
            (&[("count", "1.5")], ScimType::InvalidValue),
            (&[("count", "--1")], ScimType::InvalidValue),
            (&[("count", "1"), ("COUNT", "1")], ScimType::InvalidValue),
            (&[("filter", "active eq true"), ("filter", "active eq true")], ScimType::InvalidValue),
            (&[("sortBy", "unknown")], ScimType::InvalidValue),
            (&[("sortBy", "")], ScimType::InvalidValue),
            (&[("sortBy", "name")], ScimType::InvalidValue),
            (&[("sortBy", "password")], ScimType::InvalidValue),
            (&[("sortBy", "department")], ScimType::InvalidValue),
            (&[("sortBy", urn::ENTERPRISE_USER)], ScimType::InvalidValue),
            (&[("sortBy", "userName"), ("sortOrder", "up")], ScimType::InvalidValue),
            (&[("attributes", "userName"), ("excludedAttributes", "name")], ScimType::InvalidValue),
            (&[("attributes", "password")], ScimType::InvalidValue),
            (&[("filter", "")], ScimType::InvalidFilter),
            (&[("FILTER", "unknown eq \"x\"")], ScimType::InvalidFilter),
            (&[("filter", "password eq \"x\"")], ScimType::InvalidFilter),
            (&[("filter", "userName")], ScimType::InvalidFilter),
        ];
        for (pairs, expected) in cases {
            let error = query(pairs).unwrap_err();
            assert_eq!((error.status, error.scim_type), (400, Some(*expected)), "{pairs:?} {error}");
        }
    }

    #[test]
    fn filters_of_one_meaning_share_one_text() {
        let one = query(&[("filter", "userName Eq \"a\"  AND active eq true")]).unwrap();
        let other = query(&[("filter", "(userName eq \"a\") and active eq true")]).unwrap();
        assert!(one.filter_text.is_some());
        assert_eq!(one, other);
    }

    #[test]
    fn a_search_request_means_what_the_query_string_means() {
        let body = json!({
            "Schemas": [urn::SEARCH_REQUEST], "attributes": ["displayName", "userName"], "excludedAttributes": null,
            "FILTER": "displayName sw \"smith\"", "startIndex": 1, "count": 10, "sortBy": "userName", "sortOrder": "descending",
            "unknown": {},
        });
        let pairs = [
            ("attributes", "displayName,userName"),
            ("filter", "displayName sw \"smith\""),
            ("startIndex", "1"),
            ("count", "10"),
            ("sortBy", "userName"),
            ("sortOrder", "descending"),
        ];
        assert_eq!(search(body), query(&pairs));
        let texts = json!({ "schemas": [urn::SEARCH_REQUEST], "attributes": "userName", "count": "10" });
        assert_eq!(search(texts), query(&[("attributes", "userName"), ("count", "10")]));
    }

    #[test]
    fn a_body_that_is_no_search_request_is_refused() {
        let cases = [
            (json!([]), ScimType::InvalidSyntax),
            (json!({}), ScimType::InvalidSyntax),
            (json!({ "schemas": [urn::LIST_RESPONSE] }), ScimType::InvalidSyntax),
            (json!({ "schemas": urn::SEARCH_REQUEST }), ScimType::InvalidSyntax),
            (json!({ "schemas": [urn::SEARCH_REQUEST], "count": 1.5 }), ScimType::InvalidValue),
            (json!({ "schemas": [urn::SEARCH_REQUEST], "count": [1] }), ScimType::InvalidValue),
            (json!({ "schemas": [urn::SEARCH_REQUEST], "attributes": [1] }), ScimType::InvalidValue),
            (json!({ "schemas": [urn::SEARCH_REQUEST], "filter": 7 }), ScimType::InvalidValue),
            (
                json!({ "schemas": [urn::SEARCH_REQUEST], "filter": "title pr", "Filter": "title pr" }),
                ScimType::InvalidValue,
            ),
        ];
        for (body, expected) in cases {
            let error = search(body.clone()).unwrap_err();
            assert_eq!((error.status, error.scim_type), (400, Some(expected)), "{body}");
        }
    }
}
