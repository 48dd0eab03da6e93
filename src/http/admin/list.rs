//! Lists: the parameters that all of them take, the envelope and the links.

use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use serde::Serialize;

use super::code::Code;
use super::problem::Problem;
use super::query::{Query, invalid};
use crate::http::Shared;
use crate::http::extract::query::encode;
use crate::http::middleware::Exchange;
use crate::service::admin::paging::{Page, PageRequest, SortKey};
use crate::service::cursor::{Binding, Position};

/// Rows of a page where nothing is said, and at most.
const LIMIT: usize = 50;
const MOST: usize = 200;
/// Parameters of every list, and those of them that say which page it is, not which list.
const COMMON: [&str; 4] = ["limit", "cursor", "sort", "include_total"];

/// What a list offers.
pub(crate) trait Listing {
    /// Filters, by name; each may be repeated.
    const FILTERS: &'static [&'static str];
    /// Fields to sort by; the first one is the default.
    const SORTS: &'static [&'static str];
}

/// The parameters of a list request.
pub(crate) struct ListQuery<L> {
    /// Which page.
    pub(crate) page: PageRequest,
    query: Query,
    path: String,
    binding: Binding,
    shared: Arc<Shared>,
    listing: PhantomData<L>,
}

impl<L: Listing> FromRequest for ListQuery<L> {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(ListQuery::of(request))
    }
}

impl<L: Listing> ListQuery<L> {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let exchange = Exchange::of(request).ok_or_else(|| Problem::internal("a request outside of the edge"))?;
        let holder = exchange.holder();
        let holder = holder.ok_or_else(|| Problem::internal("a list outside of the surface's authentication"))?;
        let shared = Arc::clone(&exchange.shared);
        let query = Query::of(request.query_string())?;
        let known: Vec<&str> = L::FILTERS.iter().chain(&COMMON).copied().collect();
        query.check(&known)?;
        let sort = sort(query.one("sort")?, L::SORTS)?;
        let binding = {
            let order = format!("{sort:?}");
            let mut filters = query.without(&COMMON);
            filters.sort_unstable();
            let organization = holder.organization.to_string();
            let fixed = [organization.as_str(), request.path(), order.as_str()];
            Binding::of(fixed.into_iter().chain(filters.into_iter().flat_map(|(name, value)| [name, value])))
        };
        let position = match query.one("cursor")? {
            None => None,
            Some(text) => Some(shared.cursors.open(&binding, text).ok_or_else(|| {
                Problem::new(Code::CursorInvalid, "This cursor is not of this list with these filters and this order.")
            })?),
        };
        let page = PageRequest {
            limit: limit(query.one("limit")?)?,
            position,
            sort,
            include_total: flag("include_total", query.one("include_total")?)?,
        };
        let path = request.path().to_owned();
        Ok(ListQuery { page, query, path, binding, shared, listing: PhantomData })
    }

    /// The values of a filter, of which any may match; none where it is not given.
    pub(crate) fn filter(&self, name: &str) -> Vec<&str> {
        self.query.all(name)
    }

    /// Everything that the filters select, for an export.
    ///
    /// # Errors
    /// 400 where a page is asked for: exports have none.
    pub(crate) fn whole(&self) -> Result<PageRequest, Problem> {
        for name in ["limit", "cursor", "include_total"] {
            if self.query.one(name)?.is_some() {
                return Err(invalid(format!("{name} is for JSON: an export holds all rows that the filters select.")));
            }
        }
        Ok(PageRequest { limit: MOST, ..self.page.clone() })
    }

    /// The envelope around a page.
    pub(crate) fn answer<T, V: Serialize>(&self, page: Page<T>, view: impl Fn(&T) -> V) -> HttpResponse {
        let seal = |position: &Option<Position>| {
            position.as_ref().map(|position| self.shared.cursors.seal(&self.binding, position))
        };
        let (next_cursor, prev_cursor) = (seal(&page.next), seal(&page.previous));
        let links: Vec<String> = [(&next_cursor, "next"), (&prev_cursor, "prev")]
            .into_iter()
            .filter_map(|(cursor, rel)| Some(format!("<{}>; rel=\"{rel}\"", self.url(cursor.as_ref()?))))
            .collect();
        let mut response = HttpResponse::Ok();
        if !links.is_empty() {
            response.insert_header((header::LINK, links.join(", ")));
        }
        let data = page.rows.iter().map(view).collect();
        let page = PageView { limit: self.page.limit, next_cursor, prev_cursor, total: page.total };
        response.json(ListView::<V> { data, page })
    }

    /// This list with another cursor.
    fn url(&self, cursor: &str) -> String {
        let mut url = format!("{}{}?", self.shared.state.settings.public_url, self.path);
        for (name, value) in self.query.without(&["cursor"]) {
            url.push_str(&format!("{}={}&", encode(name), encode(value)));
        }
        url.push_str("cursor=");
        url.push_str(cursor);
        url
    }
}

/// A page of a list.
#[derive(Serialize)]
struct ListView<V> {
    data: Vec<V>,
    page: PageView,
}

/// Where a page lies in its list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Page)]
pub(crate) struct PageView {
    /// Rows at most.
    limit: usize,
    /// `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
    /// `cursor` of the page before; null on the first one.
    prev_cursor: Option<String>,
    /// Rows on all pages; only with `include_total=true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
}

/// Parameters of every list, for the documentation.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[allow(dead_code, reason = "read by the documentation only")]
pub(crate) struct ListParameters {
    /// Rows of a page.
    #[param(minimum = 1, maximum = 200, default = 50)]
    limit: Option<u32>,
    /// Where the page lies: `next_cursor` or `prev_cursor` of another page of the same list.
    cursor: Option<String>,
    /// Fields with commas between them, `-` before one for the greatest first.
    sort: Option<String>,
    /// Whether the page tells the number of all rows.
    include_total: Option<bool>,
}

fn limit(text: Option<&str>) -> Result<usize, Problem> {
    let Some(text) = text else { return Ok(LIMIT) };
    let number = text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    number
        .filter(|limit| (1..=MOST).contains(limit))
        .ok_or_else(|| invalid(format!("limit must be a whole number from 1 to {MOST}.")))
}

fn flag(name: &str, text: Option<&str>) -> Result<bool, Problem> {
    match text {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(invalid(format!("{name} must be true or false."))),
    }
}

/// `name,-created_at`
fn sort(text: Option<&str>, offered: &'static [&'static str]) -> Result<Vec<SortKey>, Problem> {
    let Some(text) = text else {
        return Ok(offered.first().map(|field| SortKey { field, descending: false }).into_iter().collect());
    };
    let mut keys: Vec<SortKey> = Vec::new();
    for part in text.split(',') {
        let (name, descending) = part.strip_prefix('-').map_or((part, false), |name| (name, true));
        let field = offered.iter().find(|field| **field == name);
        let Some(field) = field.filter(|field| keys.iter().all(|key| key.field != **field)) else {
            return Err(invalid(format!(
                "sort takes, each once: {}; - before a field reverses it.",
                offered.join(", ")
            )));
        };
        keys.push(SortKey { field, descending });
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sort_names_offered_fields_once_each() {
        const OFFERED: &[&str] = &["key", "name"];
        let key = |field, descending| SortKey { field, descending };
        assert_eq!(sort(None, OFFERED).unwrap(), [key("key", false)]);
        assert_eq!(sort(Some("-name,key"), OFFERED).unwrap(), [key("name", true), key("key", false)]);
        for wrong in ["", "key,", "other", "Name", "--name", "name,-name", " name"] {
            assert!(sort(Some(wrong), OFFERED).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_limit_is_a_whole_number_in_its_bounds() {
        for (text, expected) in [(None, 50), (Some("1"), 1), (Some("200"), 200)] {
            assert_eq!(limit(text).unwrap(), expected);
        }
        for wrong in ["", "0", "201", "-1", "+5", "1.0", "99999999999999999999", "٣"] {
            assert!(limit(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
